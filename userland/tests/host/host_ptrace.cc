// SPDX-License-Identifier: GPL-2.0-only
// Who traces whom: module/linux/host_ptrace.c on the simulator.
#include "linux.hh"

using namespace sim;

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
