// SPDX-License-Identifier: GPL-2.0-only
/* The walk over all tasks, and asking for one from places that cannot sleep. */
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "linux.h"

int host_tasks_walk(int (*adopt)(struct task_struct *))
{
	struct task_struct *leader, *task;
	int error = 0;

	rcu_read_lock();
	for_each_process_thread(leader, task) {
		error = adopt(task);
		if (error)
			goto out;
	}
out:
	rcu_read_unlock();
	return error;
}

static void heal(struct work_struct *work)
{
	core_heal();
}

static DECLARE_WORK(heal_work, heal);

void host_heal_later(void)
{
	schedule_work(&heal_work);
}

void host_heal_exit(void)
{
	cancel_work_sync(&heal_work);
}
