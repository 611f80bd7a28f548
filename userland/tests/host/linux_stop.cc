// SPDX-License-Identifier: GPL-2.0-only
// Stops of whole processes, and of single threads for their tracers.
#include "linux.hh"

namespace sim
{

static void set_stopped(process *p, bool stopped)
{
	for (task_struct *thread : p->threads)
		thread->stopped = stopped && !thread->exiting;
}

void kernel::stop(task_struct *task, int signal)
{
	tasklist_guard g(*this);
	process *p = task->signal;
	p->stopped = true;
	p->continued = false;
	p->stop_code = signal;
	set_stopped(p, true);
	wake(task->real_parent->signal, task->group_leader);
}

void kernel::cont(task_struct *task)
{
	tasklist_guard g(*this);
	process *p = task->signal;
	p->stopped = false;
	p->continued = true;
	p->stop_code = 0;
	set_stopped(p, false);
	wake(task->real_parent->signal, task->group_leader);
}

void kernel::trap(task_struct *task, int code)
{
	tasklist_guard g(*this);
	if (!task->tracer)
		die("a stop for a tracer that is not there");
	task->stopped = true;
	task->trap_code = code;
	wake(task->tracer->signal, task);
}

void kernel::resume(task_struct *task)
{
	tasklist_guard g(*this);
	task->stopped = false;
	task->trap_code = 0;
}

int kernel::collect(task_struct *task, unsigned what)
{
	tasklist_guard g(*this);
	int code = 0;
	switch (what) {
	case CORE_WUNTRACED:
		std::swap(code, task->signal->stop_code);
		break;
	case CORE_WTRAPPED:
		std::swap(code, task->trap_code);
		break;
	case CORE_WCONTINUED:
		code = task->signal->continued;
		task->signal->continued = false;
		break;
	}
	return code;
}

} // namespace sim
