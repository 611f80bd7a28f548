// SPDX-License-Identifier: GPL-2.0-only
// The parent's sleep, the effects, and EXTEXIT_SETINT.
#include <algorithm>
#include <atomic>

#include "linux.hh"

using namespace sim;

namespace
{

std::atomic<bool> heal_due;
std::atomic<unsigned> setints;

} // namespace

struct host_setint {
	int *address;
	int value;
};

namespace sim
{

thread_local bool may_block;

host_setint *setint_make(int *address, int value)
{
	setints++;
	return new host_setint{address, value};
}

unsigned setint_live()
{
	return setints;
}

bool heal_is_due()
{
	return heal_due;
}

void run_heal()
{
	if (heal_due.exchange(false))
		core_heal();
}

} // namespace sim

void host_wait_prepare(host_waiter *waiter)
{
	must_be_able_to_sleep(__func__);
	intrude();
	std::lock_guard g(the_kernel->tasklist);
	waiter->woken = false;
	if (!waiter->queued)
		waiter->task->signal->waiters.push_back(waiter);
	waiter->queued = true;
}

int host_wait_sleep(host_waiter *waiter)
{
	must_be_able_to_sleep(__func__);
	intrude();
	std::unique_lock g(the_kernel->tasklist);
	if (waiter->task->signalled)
		return 1;
	if (!may_block && !waiter->woken)
		die("the test itself would sleep in wait");
	waiter->task->asleep = true;
	the_kernel->wakeups.notify_all();
	const auto up = [waiter] { return waiter->woken || waiter->task->signalled; };
	if (turns_here) {
		g.unlock();
		turns_here->until(up);
		g.lock();
	}
	if (!the_kernel->wakeups.wait_for(g, lost_wakeup, up))
		die("nobody woke %d in wait", waiter->task->thread_pid->nr);
	waiter->task->asleep = false;
	return 0;
}

void host_wait_finish(host_waiter *waiter)
{
	must_be_able_to_sleep(__func__);
	std::lock_guard g(the_kernel->tasklist);
	std::erase(waiter->task->signal->waiters, waiter);
	waiter->queued = false;
}

void host_wake_waiters(task_struct *task)
{
	must_be_in_rcu(__func__);
	must_hold_no_core_lock(__func__);
	intrude();
	std::lock_guard g(the_kernel->tasklist);
	the_kernel->wake(task->signal, task);
}

int host_tasks_walk(int (*adopt)(task_struct *))
{
	must_hold_no_core_lock(__func__);
	host_rcu_read_lock();
	std::vector<task_struct *> tasks;
	{
		std::lock_guard g(the_kernel->tasklist);
		for (const task_struct *leader : the_kernel->leaders())
			for (task_struct *thread : leader->signal->threads)
				tasks.push_back(thread);
	}
	int error = 0;
	for (task_struct *task : tasks) {
		intrude();
		if ((error = adopt(task)))
			break;
	}
	host_rcu_read_unlock();
	return error;
}

void host_heal_later(void)
{
	heal_due = true;
}

void host_memory_wait(void)
{
	must_be_able_to_sleep(__func__);
	memory_fault::passed_by_waiting();
}

void host_setint_store(host_setint *setint)
{
	must_be_able_to_sleep(__func__);
	*setint->address = setint->value;
	delete setint;
	setints--;
}

void host_setint_drop(host_setint *setint)
{
	must_hold_no_core_lock(__func__);
	delete setint;
	setints--;
}
