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
	/* A ring, with references. Written under lock; count and missed are read without, too. */
	struct pid **pids;
	unsigned room, first, count;
	bool missed;
};

#define FIRST_ROOM 32

static struct pid **at(const struct host_watch *watch, unsigned n)
{
	return &watch->pids[(watch->first + n) % watch->room];
}

/* Under the lock, as what follows. */
static bool has_room(struct host_watch *watch)
{
	if (watch->count < watch->room)
		return true;
	WRITE_ONCE(watch->missed, true);
	return false;
}

static void add(struct host_watch *watch, struct pid *pid)
{
	/* One that goes on and off makes it no longer. */
	if (watch->count && *at(watch, watch->count - 1) == pid)
		return;
	if (!has_room(watch))
		return;
	*at(watch, watch->count) = get_pid(pid);
	WRITE_ONCE(watch->count, watch->count + 1);
}

static void put_back(struct host_watch *watch, struct pid *pid)
{
	if (!has_room(watch))
		return;
	watch->first = (watch->first + watch->room - 1) % watch->room;
	*at(watch, 0) = get_pid(pid);
	WRITE_ONCE(watch->count, watch->count + 1);
}

static struct pid *take(struct host_watch *watch)
{
	struct pid *pid;

	if (!watch->count)
		return NULL;
	pid = *at(watch, 0);
	watch->first = (watch->first + 1) % watch->room;
	WRITE_ONCE(watch->count, watch->count - 1);
	return pid;
}

/* Ends are told by other means, but for what a tracer has to collect. */
static bool is_plain_end(struct task_struct *task)
{
	if (!READ_ONCE(task->exit_state) || READ_ONCE(task->ptrace))
		return false;
	/* A leader that ended first stands for its process all the same. */
	return !thread_group_leader(task) || thread_group_empty(task);
}

static int watch_wake(struct wait_queue_entry *entry, unsigned mode, int flags, void *key)
{
	struct host_watch *watch = container_of(entry, struct host_watch, entry);
	struct task_struct *task = key;
	struct pid *pid = task_pid(task);

	/* With its own process it is host_wake_waiters(). */
	if (!pid || task->signal == watch->signal || is_plain_end(task))
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
	/* Before all who sleep there: who is woken finds noted what woke it. */
	add_wait_queue_priority(&watch->signal->wait_chldexit, &watch->entry);
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

void host_watch_put_back(struct host_watch *watch, struct pid *pid)
{
	unsigned long flags;

	spin_lock_irqsave(&watch->lock, flags);
	put_back(watch, pid);
	spin_unlock_irqrestore(&watch->lock, flags);
}

void host_watch_reset(struct host_watch *watch)
{
	unsigned long flags;
	struct pid *pid;

	/* Whoever is missed from here on is looked at after it. */
	spin_lock_irqsave(&watch->lock, flags);
	WRITE_ONCE(watch->missed, false);
	spin_unlock_irqrestore(&watch->lock, flags);
	do {
		pid = host_watch_take(watch);
		put_pid(pid);
	} while (pid);
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
			pids[n] = *at(watch, n);
		watch->pids = pids;
		watch->room = room;
		watch->first = 0;
		pids = old;
	}
	spin_unlock_irqrestore(&watch->lock, flags);
	kfree(pids);
}
