// SPDX-License-Identifier: BSD-2-Clause
// What a call may come to, and whether what came back can be true.
#pragma once

#include "call.hh"

namespace fuzz
{

// What a thread knows of itself.
struct Me {
	pid_t tid;
	int lwpid; // 0: not told yet
};

// All that the call may return, by what was given.
Outcomes expected(const Call &call, const Memory &memory, const Self &self);

// Complains of all that is wrong with a call that returned `error` (0: it succeeded). `parent`
// was ours when it began.
void judge(const Call &call, Memory &memory, Self &self, Me &me, int error, pid_t parent);

} // namespace fuzz
