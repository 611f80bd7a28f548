// SPDX-License-Identifier: GPL-2.0-only
// What do_exit() has done before its task_work, or left.
#include "linux.hh"

using namespace sim;

const char *host_exit_undone(void)
{
	must_hold_no_core_lock(__func__);
	intrude();
	const task_struct *task = current_task();
	if (task->mm)
		return "the address space";
	return task->undone;
}
