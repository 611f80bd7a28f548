// SPDX-License-Identifier: GPL-2.0-only
// The native wait, tracers, and who sleeps.
#include "linux.hh"

namespace sim
{

static bool concerns(const host_waiter *waiter, const task_struct *key)
{
	switch (waiter->idtype) {
	case CORE_P_PID:
		return key->signal->tgid == waiter->only || key->thread_pid == waiter->only;
	case CORE_P_PGID:
		return key->signal->pgid == waiter->only;
	case CORE_P_SID:
		return key->signal->sid == waiter->only;
	default:
		return true;
	}
}

// Under the tasklist: __wake_up_parent(), whose key native waiters look at too.
void kernel::wake(process *parent, const task_struct *key)
{
	for (host_waiter *waiter : parent->waiters)
		if (concerns(waiter, key) || key->signal == parent)
			waiter->woken = true;
	for (host_watch *watch : parent->watches)
		watch_wake(watch, key);
	wakeups.notify_all();
}

bool kernel::can_reap(const task_struct *reaper, const task_struct *child)
{
	tasklist_guard g(*this);
	return leads_group(child) && child->real_parent->signal == reaper->signal &&
	       child->exit_state == exit_state::zombie && is_alone(child) && !child->tracer;
}

int kernel::reap_begin(task_struct *reaper, task_struct *child)
{
	if (!can_reap(reaper, child))
		die("nothing there to be reaped natively");
	tasklist_guard g(*this);
	child->exit_state = exit_state::dead;
	return wait_status(child);
}

void kernel::reap_end(task_struct *child)
{
	tasklist_guard g(*this);
	release(child);
}

int kernel::reap(task_struct *reaper, task_struct *child)
{
	const int status = reap_begin(reaper, child);
	reap_end(child);
	return status;
}

void kernel::attach(task_struct *tracer, task_struct *task)
{
	tasklist_guard g(*this);
	task->tracer = tracer;
}

void kernel::detach(task_struct *task)
{
	tasklist_guard g(*this);
	task->tracer = nullptr;
	task->trap_code = 0;
	task->stopped = task->signal->stopped && !task->exiting;
	if (task->exit_state != exit_state::zombie)
		return;
	if (!leads_group(task) || (is_alone(task) && notify_parent(task)))
		release(task);
}

bool kernel::reap_traced(task_struct *task)
{
	detach(task);
	return task->stage == stage::notified;
}

void kernel::signal(task_struct *task)
{
	tasklist_guard g(*this);
	task->signalled = true;
	wakeups.notify_all();
}

} // namespace sim
