// SPDX-License-Identifier: GPL-2.0-only
/*
 * The members of a group or session, by Linux's own list. Linux changes it under tasklist_lock,
 * which modules cannot take; under RCU, who changes over leads the walk to another list.
 */
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "linux.h"

int host_group_members(struct pid *group, enum host_group kind,
		       int (*fits)(struct task_struct *, void *), void *arg)
{
	const enum pid_type type = kind == HOST_GROUP_PGRP ? PIDTYPE_PGID : PIDTYPE_SID;
	struct hlist_node *node = rcu_dereference(hlist_first_rcu(&group->tasks[type]));

	while (node) {
		struct task_struct *task = hlist_entry(node, struct task_struct, pid_links[type]);

		if (fits(task, arg))
			return 1;
		node = rcu_dereference(hlist_next_rcu(node));
		/*
		 * Linux gives it its new group before it links it there: still in this one,
		 * its next is one of this list.
		 */
		smp_rmb();
		if (data_race(READ_ONCE(task->signal->pids[type])) != group)
			return -1;
	}
	return 0;
}
