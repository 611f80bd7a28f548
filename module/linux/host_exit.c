// SPDX-License-Identifier: GPL-2.0-only
/*
 * What do_exit() has done before its task_work. Only what holds for every last thread, on
 * every kernel. A thread's own references go whether others share what they refer to or not.
 * Not asked: io_uring's context, which stays until the task is freed; timers of CPU time,
 * which go when the process is released; owners of descriptors, which are held weakly.
 */
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "linux.h"

#ifdef CONFIG_POSIX_TIMERS
/* The list has changed its kind over time; both are here. */
/* clang-format off */
#define POSIX_TIMERS_GONE(signal)                             \
	_Generic(&(signal)->posix_timers,                     \
		 struct list_head *: list_empty,              \
		 struct hlist_head *: hlist_empty)(&(signal)->posix_timers)
/* clang-format on */

static const char *timer_left(void)
{
	struct signal_struct *signal = current->signal;

	if (hrtimer_active(&signal->real_timer))
		return "exit1: the interval timer is still there";
	if (!POSIX_TIMERS_GONE(signal))
		return "exit1: POSIX timers are still there";
	return NULL;
}

/* Whether another thread of the process has not told Linux's others of its end. */
static bool others_exiting(void)
{
	struct task_struct *thread;
	bool found = false;

	rcu_read_lock();
	for_each_thread(current, thread)
		found |= thread != current && !data_race(READ_ONCE(thread->exit_state));
	rcu_read_unlock();
	return found;
}

/*
 * The last thread to enter do_exit stops them, which is another one if the model did not know
 * that, for want of memory; and it may be at it.
 */
static const char *timers_left(void)
{
	return timer_left() && !others_exiting() ? timer_left() : NULL;
}
#else
static const char *timers_left(void)
{
	return NULL;
}
#endif

const char *host_exit_undone(void)
{
	if (current->mm)
		return "exit1: the address space is still there";
	if (current->files)
		return "exit1: descriptors are still there";
	if (current->fs)
		return "exit1: the working directory is still there";
#ifdef CONFIG_SYSVIPC
	if (current->sysvsem.undo_list)
		return "exit1: System V undo lists are still there";
#endif
	return timers_left();
}
