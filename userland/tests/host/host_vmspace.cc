// SPDX-License-Identifier: GPL-2.0-only
// Who shares an address space: module/linux/host_vmspace.c on the simulator.
#include "linux.hh"

using namespace sim;

// Under the tasklist.
static const char *mm_of(const process *p)
{
	for (const task_struct *thread : p->threads)
		if (thread->mm)
			return thread->mm;
	return nullptr;
}

const void *host_task_mm(const task_struct *task)
{
	intrude();
	must_be_in_rcu(__func__);
	std::lock_guard g(the_kernel->tasklist);
	return task->mm ? task->mm : mm_of(task->signal);
}

int host_mm_find(task_struct *task, int (*fits)(task_struct *, void *), void *arg)
{
	intrude();
	must_be_in_rcu(__func__);
	std::vector<task_struct *> others;
	{
		std::lock_guard g(the_kernel->tasklist);
		const char *mm = mm_of(task->signal);
		unsigned own = 0;
		for (const task_struct *thread : task->signal->threads)
			own += mm && thread->mm == mm;
		if (!mm || the_kernel->mm_users().at(mm) <= own)
			return 0;
		for (task_struct *leader : the_kernel->leaders())
			if (leader->signal != task->signal && mm_of(leader->signal) == mm)
				others.push_back(leader);
	}
	for (task_struct *other : others)
		if (fits(other, arg))
			return 1;
	return 0;
}
