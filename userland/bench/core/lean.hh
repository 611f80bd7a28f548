// SPDX-License-Identifier: GPL-2.0-only
// A host of the core that costs next to nothing, so that the core's own cost shows: no check,
// nothing but lives and waits.
#pragma once

#include <atomic>

#include "core/core.h"

struct pid {
	std::atomic<task_struct *> leader;
	std::atomic<int> refs;
};

struct task_struct {
	pid *tgid;
	task_struct *real_parent;
	bool exiting, zombie, kthread;
};

namespace lean
{

// The thread that runs, of those of the model.
extern thread_local task_struct *current;

task_struct *new_task(task_struct *parent);
void free_task(task_struct *task);

// A thread of this program that calls the core, from its construction on.
class cpu
{
public:
	cpu();
	~cpu();
	cpu(const cpu &) = delete;
	cpu &operator=(const cpu &) = delete;
	// It is not inside RCU.
	void quiescent();
};

} // namespace lean
