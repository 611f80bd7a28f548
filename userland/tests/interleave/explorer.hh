// SPDX-License-Identifier: GPL-2.0-only
// Runs a scenario in every order of its threads' steps, within bounds.
//
// A step ends before each atomic operation of the core, each lock it takes and each call of
// the host. One thread runs at a time; where another one could go on instead, the explorer
// decides. First all schedules with at most `preemptions` switches away from a thread that
// could have gone on (a switch where it could not is free), then some at random. A search that
// does not come to its end is a failure, unless its scenario says that it is partial.
//
// A failing schedule is printed. CORE_SCHEDULE="12>1 40>0" (before step 12 to thread 1, ...)
// runs only that one, and says where each switch was. CORE_PREEMPTIONS=n searches to that
// bound, however long it takes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "world.hh"

namespace sim
{

struct scenario {
	std::vector<std::function<void()>> threads;
	// After all of them, besides that model and waits equal Linux.
	std::function<void()> check = [] {};
};

struct bounds {
	unsigned preemptions = 1;
	unsigned most = 20000;  // schedules of the search, which must be all there are
	bool partial = false;   // there are more, and these have to do
	unsigned random = 1000; // and more, at random
};

// make() sets the scenario up, in a world with the module loaded.
void explore(const std::function<scenario(world &)> &make, bounds bounds = {});

// For a thread of a scenario: waits until it is so.
void when(const std::function<bool()> &so);

// What many threads do.
std::function<void()> exits(kernel &linux_, task_struct *task, int code = 0);
// The task's memory goes as soon as RCU lets it.
std::function<void()> freed(kernel &linux_, task_struct *task);

} // namespace sim
