// SPDX-License-Identifier: GPL-2.0-only
// The errno values that the core gives, by Linux's numbers.
#pragma once

namespace bsd::err
{

inline constexpr int perm = -1;
inline constexpr int noent = -2;
inline constexpr int srch = -3;
inline constexpr int toobig = -7;
inline constexpr int child = -10;
inline constexpr int again = -11;
inline constexpr int nomem = -12;
inline constexpr int busy = -16;
inline constexpr int exist = -17;
inline constexpr int inval = -22;
inline constexpr int nospc = -28;
inline constexpr int overflow = -75;
inline constexpr int already = -114;
inline constexpr int restartsys = -512; // EINTR, or the call anew: Linux decides

} // namespace bsd::err
