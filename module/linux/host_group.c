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

static bool is_in(const struct task_struct *task, enum pid_type type, const struct pid *group)
{
	return data_race(READ_ONCE(task->signal->pids[type])) == group;
}

int host_members_find(struct pid *group, enum host_group kind, unsigned looks,
		      int (*fits)(struct task_struct *, void *), void *arg)
{
	const enum pid_type type = kind == HOST_GROUP_PGRP ? PIDTYPE_PGID : PIDTYPE_SID;
	struct hlist_node *node = rcu_dereference(hlist_first_rcu(&group->tasks[type]));

	for (; node && looks; node = rcu_dereference(hlist_next_rcu(node)), looks--) {
		struct task_struct *task = hlist_entry(node, struct task_struct, pid_links[type]);

		if (!is_in(task, type, group))
			return 0;
		if (fits(task, arg))
			return 1;
	}
	return 0;
}
