// SPDX-License-Identifier: BSD-2-Clause
// A process that fuzzes with some threads for a while, and then ends in one of many ways.
#pragma once

#include "random.hh"

namespace fuzz
{

// In a process of its own, the leader of a group. Its exit status says nothing.
[[noreturn]] void play(Random random, unsigned calls);

} // namespace fuzz
