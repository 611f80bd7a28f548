// SPDX-License-Identifier: GPL-2.0-only
/* What the current thread, or its process, traces. */
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "linux.h"

static bool traced_by_current(const struct task_struct *task)
{
	return data_race(READ_ONCE(task->ptrace)) && rcu_access_pointer(task->parent) == current;
}

/* Linux, too, leaves its init alone; and who is past all signals cannot be hit any more. */
static bool can_be_killed(struct task_struct *task)
{
	struct signal_struct *signal = task->signal;

	return !is_global_init(task) && atomic_read(&signal->live) &&
	       !(data_race(READ_ONCE(signal->flags)) & SIGNAL_GROUP_EXIT) &&
	       !data_race(sigismember(&signal->shared_pending.signal, SIGKILL));
}

int host_traces(void)
{
	return !data_race(list_empty(&current->ptraced));
}

/*
 * current->ptraced may only be walked under tasklist_lock, which modules cannot take; but to
 * see that it is empty needs none. It stays so, but for a child that asked to be traced at
 * the very moment at which this thread began to exit, and that is let go. PTRACE_O_EXITKILL
 * kills by the same means.
 */
unsigned host_kill_tracees(void)
{
	struct task_struct *process, *thread;
	unsigned killed = 0;

	if (!host_traces())
		return 0;
	rcu_read_lock();
	for_each_process_thread(process, thread) {
		struct pid *pid;

		if (!traced_by_current(thread) || !can_be_killed(thread))
			continue;
		pid = data_race(task_tgid(thread));
		if (pid && !kill_pid(pid, SIGKILL, 1))
			killed++;
	}
	rcu_read_unlock();
	cond_resched();
	return killed;
}

int host_process_traces(void)
{
	struct task_struct *thread;

	for_each_thread(current, thread)
		if (!data_race(list_empty(&thread->ptraced)))
			return 1;
	return 0;
}

static bool traced_by_process(struct task_struct *task)
{
	return data_race(READ_ONCE(task->ptrace)) &&
	       same_thread_group(rcu_dereference(task->parent), current);
}

/* Over all threads that there are, for the same reason. */
int host_tracees_find(int (*fits)(struct task_struct *, void *), void *arg)
{
	struct task_struct *process, *thread;

	for_each_process_thread(process, thread)
		if (traced_by_process(thread) && fits(thread, arg))
			return 1;
	return 0;
}

/* The first in each thread's list, of which RCU keeps the memory. */
int host_tracees_find_soon(int (*fits)(struct task_struct *, void *), void *arg)
{
	struct task_struct *thread;

	for_each_thread(current, thread) {
		struct list_head *first = data_race(READ_ONCE(thread->ptraced.next));
		struct task_struct *task = list_entry(first, struct task_struct, ptrace_entry);

		if (first != &thread->ptraced && traced_by_process(task) && fits(task, arg))
			return 1;
	}
	return 0;
}
