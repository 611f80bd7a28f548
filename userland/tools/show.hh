// SPDX-License-Identifier: BSD-2-Clause
// Text for a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bsdproc
{

// The columns of the terminal that stdout is; 0 if it is none.
size_t terminal_width();

// Is the locale's encoding UTF-8?
bool locale_is_utf8();

// `text` with everything that the locale cannot print as '?': a process chooses
// its name, and could send the terminal commands in it.
std::string printable(std::string_view text);

// The columns that printable text takes.
size_t display_width(std::string_view text);

// The beginning of printable text that fits into `columns`.
std::string_view cut(std::string_view text, size_t columns);

// The user's name, printable, or the number of one without.
std::string user_name(uint32_t uid);

// "1.234" for so many nanoseconds.
std::string seconds(uint64_t ns);

} // namespace bsdproc
