// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent's sleep. Linux wakes signal->wait_chldexit when a child ends, stops
 * or continues, with the child's task as key, whatever the parent does with
 * SIGCHLD: exactly the native wake-up.
 */
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "linux.h"

static bool concerns(const struct host_waiter *waiter, struct task_struct *task)
{
	switch (waiter->type) {
	case PIDTYPE_PID:
		/* A child, or a thread that is traced. */
		return task_tgid(task) == waiter->only || task_pid(task) == waiter->only;
	case PIDTYPE_PGID:
	case PIDTYPE_SID:
		return data_race(READ_ONCE(task->signal->pids[waiter->type])) == waiter->only;
	default:
		return true;
	}
}

static int waiter_wake(struct wait_queue_entry *entry, unsigned mode, int flags, void *key)
{
	struct host_waiter *waiter = container_of(entry, struct host_waiter, entry);

	/* Its own process as key is host_wake_waiters(). */
	if (!concerns(waiter, key) && !same_thread_group(key, entry->private))
		return 0;
	return default_wake_function(entry, mode, flags, key);
}

void host_waiter_init(struct host_waiter *waiter, enum pid_type type, struct pid *only)
{
	init_waitqueue_func_entry(&waiter->entry, waiter_wake);
	INIT_LIST_HEAD(&waiter->entry.entry);
	waiter->entry.private = current;
	waiter->type = type;
	waiter->only = only;
}

void host_wait_prepare(struct host_waiter *waiter)
{
	prepare_to_wait(&current->signal->wait_chldexit, &waiter->entry, TASK_INTERRUPTIBLE);
}

int host_wait_sleep(struct host_waiter *waiter)
{
	if (signal_pending(current))
		return 1;
	schedule();
	return 0;
}

void host_wait_finish(struct host_waiter *waiter)
{
	finish_wait(&current->signal->wait_chldexit, &waiter->entry);
}

void host_wake_waiters(struct task_struct *task)
{
	/* The key is a task in any case: native waiters look into it. */
	__wake_up(&task->signal->wait_chldexit, TASK_INTERRUPTIBLE, 0, task);
}
