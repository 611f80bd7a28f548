// SPDX-License-Identifier: GPL-2.0-only
/* Who has which address space. The core compares addresses; none is followed without a lock. */
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "linux.h"

#define MM(task) data_race(READ_ONCE((task)->mm))

/* The thread itself, or another of its process when this one has left the mm. */
static const struct task_struct *who_has_mm(const struct task_struct *task)
{
	struct task_struct *thread;

	if (MM(task))
		return task;
	for_each_thread(task, thread)
		if (MM(thread))
			return thread;
	return NULL;
}

const void *host_task_mm(const struct task_struct *task)
{
	const struct task_struct *who = who_has_mm(task);

	return who ? MM(who) : NULL;
}

/* How many threads of its process use it. */
static int own_users(struct task_struct *task, const struct mm_struct *mm)
{
	struct task_struct *thread;
	int n = 0;

	for_each_thread(task, thread)
		n += MM(thread) == mm;
	return n;
}

/* All who use it, be it for a moment as those do who read it through /proc. */
static int all_users(struct task_struct *who, const struct mm_struct *mm)
{
	int n = 0;

	task_lock(who);
	if (who->mm == mm)
		n = atomic_read(&who->mm->mm_users);
	task_unlock(who);
	return n;
}

int host_mm_find(struct task_struct *task, int (*fits)(struct task_struct *, void *), void *arg)
{
	struct task_struct *who = (struct task_struct *)who_has_mm(task), *other;
	const struct mm_struct *mm = who ? MM(who) : NULL;

	if (!mm || all_users(who, mm) <= own_users(task, mm))
		return 0;
	for_each_process(other)
		if (!same_thread_group(other, task) && !(READ_ONCE(other->flags) & PF_KTHREAD) &&
		    host_task_mm(other) == mm && fits(other, arg))
			return 1;
	return 0;
}
