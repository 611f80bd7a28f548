// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ear at a process's wait queue. Linux wakes signal->wait_chldexit for each child or tracee
 * that ends, stops or goes on, with its task as key, whether somebody sleeps there or not. The
 * entry here wakes nobody; it notes who that was.
 *
 * The queue's lock is outside of the watch's; it is taken under tasklist_lock, with interrupts
 * off, so nothing is looked up there.
 */
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "linux.h"

struct host_watch {
	struct wait_queue_entry entry;
	struct signal_struct *signal; /* there until the watch is closed */
	spinlock_t lock;
	/* A ring, with references; all under lock. */
	struct pid **pids;
	unsigned room, first, count;
	bool missed;
};

#define FIRST_ROOM 32

static struct pid *last_of(const struct host_watch *watch)
{
	return watch->count ? watch->pids[(watch->first + watch->count - 1) % watch->room] : NULL;
}

/* Under the lock, as what follows. */
static void add(struct host_watch *watch, struct pid *pid)
{
	/* One that goes on and off makes it no longer. */
	if (last_of(watch) == pid)
		return;
	if (watch->count == watch->room) {
		watch->missed = true;
		return;
	}
	watch->pids[(watch->first + watch->count++) % watch->room] = get_pid(pid);
}

static struct pid *take(struct host_watch *watch)
{
	struct pid *pid;

	if (!watch->count)
		return NULL;
	pid = watch->pids[watch->first];
	watch->first = (watch->first + 1) % watch->room;
	watch->count--;
	return pid;
}

static int watch_wake(struct wait_queue_entry *entry, unsigned mode, int flags, void *key)
{
	struct host_watch *watch = container_of(entry, struct host_watch, entry);
	struct task_struct *task = key;
	struct pid *pid = task_pid(task);

	/* Plain ends are told by other means, and host_wake_waiters() comes from ourselves. */
	if (!pid || task->signal == watch->signal ||
	    (READ_ONCE(task->exit_state) && !READ_ONCE(task->ptrace)))
		return 0;
	spin_lock(&watch->lock);
	add(watch, pid);
	spin_unlock(&watch->lock);
	return 0;
}

struct host_watch *host_watch_open(void)
{
	struct host_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);

	if (!watch)
		return NULL;
	watch->pids = kcalloc(FIRST_ROOM, sizeof(*watch->pids), GFP_KERNEL_ACCOUNT);
	if (!watch->pids) {
		kfree(watch);
		return NULL;
	}
	watch->room = FIRST_ROOM;
	watch->missed = true;
	watch->signal = current->signal;
	spin_lock_init(&watch->lock);
	init_waitqueue_func_entry(&watch->entry, watch_wake);
	add_wait_queue(&watch->signal->wait_chldexit, &watch->entry);
	return watch;
}

void host_watch_close(struct host_watch *watch)
{
	remove_wait_queue(&watch->signal->wait_chldexit, &watch->entry);
	host_watch_reset(watch);
	kfree(watch->pids);
	kfree(watch);
}

unsigned host_watch_count(struct host_watch *watch)
{
	return READ_ONCE(watch->count);
}

struct pid *host_watch_take(struct host_watch *watch)
{
	unsigned long flags;
	struct pid *pid;

	spin_lock_irqsave(&watch->lock, flags);
	pid = take(watch);
	spin_unlock_irqrestore(&watch->lock, flags);
	return pid;
}

void host_watch_add(struct host_watch *watch, struct pid *pid)
{
	unsigned long flags;

	spin_lock_irqsave(&watch->lock, flags);
	add(watch, pid);
	spin_unlock_irqrestore(&watch->lock, flags);
}

void host_watch_reset(struct host_watch *watch)
{
	struct pid *pid;

	do {
		pid = host_watch_take(watch);
		put_pid(pid);
	} while (pid);
	WRITE_ONCE(watch->missed, false);
}

int host_watch_missed(struct host_watch *watch)
{
	return READ_ONCE(watch->missed);
}

void host_watch_grow(struct host_watch *watch, unsigned room)
{
	struct pid **pids = kcalloc(room, sizeof(*pids), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	unsigned long flags;
	unsigned n;

	if (!pids)
		return;
	spin_lock_irqsave(&watch->lock, flags);
	if (room > watch->room) {
		struct pid **old = watch->pids;

		for (n = 0; n < watch->count; n++)
			pids[n] = old[(watch->first + n) % watch->room];
		watch->pids = pids;
		watch->room = room;
		watch->first = 0;
		pids = old;
	}
	spin_unlock_irqrestore(&watch->lock, flags);
	kfree(pids);
}
