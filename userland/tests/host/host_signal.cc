// SPDX-License-Identifier: GPL-2.0-only
// Signals that the core sends.
#include "linux.hh"

using namespace sim;

int host_kill(pid *pid, int signal)
{
	must_hold_no_core_lock(__func__);
	must_be_in_rcu(__func__);
	intrude();
	std::lock_guard g(the_kernel->tasklist);
	if (signal != 9)
		die("the core sends signal %d", signal);
	if (!pid->leader)
		return -3;
	process *p = pid->leader->signal;
	if (!p->may_be_killed && p != current_task()->signal)
		return -1;
	p->killed = true;
	if (!p->group_exit && !p->exec_task) {
		p->group_exit = true;
		p->group_exit_code = signal;
	}
	return 0;
}
