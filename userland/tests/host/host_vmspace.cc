// SPDX-License-Identifier: GPL-2.0-only
// Who shares an address space, and who traces whom: module/linux/host_vmspace.c and
// host_ptrace.c on the simulator.
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

int host_traces(void)
{
	intrude();
	std::lock_guard g(the_kernel->tasklist);
	for (const task_struct *leader : the_kernel->leaders())
		for (const task_struct *thread : leader->signal->threads)
			if (thread->tracer == current_task())
				return 1;
	return 0;
}

unsigned host_kill_tracees(void)
{
	must_be_able_to_sleep(__func__);
	intrude();
	unsigned killed = 0;
	tasklist_guard g(*the_kernel);
	for (const task_struct *leader : the_kernel->leaders())
		for (const task_struct *thread : leader->signal->threads) {
			process *p = thread->signal;
			if (thread->tracer != current_task() || !p->live || p->group_exit)
				continue;
			p->group_exit = true;
			p->group_exit_code = 9;
			killed++;
		}
	return killed;
}
