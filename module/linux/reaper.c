// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reapers: those that PR_SET_CHILD_SUBREAPER made so, and the init of each pid namespace. Who
 * has which is counted when somebody asks, as no tracepoint tells of that prctl().
 *
 * Processes are taken by their numbers and each under RCU alone, not by a walk over the list
 * of all under it: of each the way goes up its ancestors, who may be as many as there are
 * processes. Who is born meanwhile under a number already passed is missed; a process that
 * changes its parent is counted by what is read of it when its turn has come.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "linux.h"

/*
 * Who gets the children of that process when it leaves them: itself or an ancestor in the same
 * pid namespace, by Linux's own rule. Null: that namespace's init, which is none of its
 * ancestors. ERR_PTR(-EAGAIN): one of them was reaped meanwhile, and others have its children.
 * RCU.
 */
static struct pid *reaper_of(struct task_struct *task)
{
	unsigned level = UINT_MAX;

	/* A program that a kernel thread has started goes to init. */
	while (!(READ_ONCE(task->flags) & PF_KTHREAD)) {
		struct pid *pid = data_race(task_tgid(task));

		if (!pid)
			return ERR_PTR(-EAGAIN);
		if (level == UINT_MAX)
			level = pid->level;
		/* It came into its namespace by setns(). */
		if (pid->level != level)
			break;
		if (is_child_reaper(pid) || data_race(!!task->signal->is_child_subreaper))
			return pid;
		task = rcu_dereference(task->real_parent);
	}
	return NULL;
}

static bool is_zombie(struct task_struct *leader)
{
	return READ_ONCE(leader->exit_state) && thread_group_empty(leader);
}

/* What the process tells of the caller. -EAGAIN as above. RCU. */
static int look_at(struct pid *pid, struct bsdproc_reaper *out)
{
	struct task_struct *leader = pid_task(pid, PIDTYPE_TGID), *parent;
	struct pid *reaper;

	if (!leader || READ_ONCE(leader->flags) & PF_KTHREAD ||
	    READ_ONCE(leader->exit_state) == EXIT_DEAD)
		return 0;
	parent = rcu_dereference(leader->real_parent);
	if (!is_zombie(leader)) {
		reaper = reaper_of(parent);
		if (IS_ERR(reaper))
			return PTR_ERR(reaper);
		out->refs += reaper == task_tgid(current);
	}
	if (out->pid_head == -1 && parent->signal == current->signal)
		out->pid_head = pid_vnr(pid);
	return 0;
}

static u32 flags_of_current(void)
{
	struct pid *reaper;
	u32 flags = 0;

	if (data_race(!!current->signal->is_child_subreaper))
		flags |= BSDPROC_REAPER_OWNED;
	rcu_read_lock();
	do
		reaper = reaper_of(current);
	while (IS_ERR(reaper));
	if (!reaper || is_child_reaper(reaper))
		flags |= BSDPROC_REAPER_REALINIT;
	rcu_read_unlock();
	return flags;
}

long reaper_get(struct bsdproc_reaper *get)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct bsdproc_reaper out = {.pid_head = -1};
	struct pid *pid;
	int nr = 1;

	if (get->reserved)
		return -EINVAL;
	out.flags = flags_of_current();
	do {
		rcu_read_lock();
		pid = find_ge_pid(nr, ns);
		if (pid) {
			while (look_at(pid, &out) == -EAGAIN)
				;
			nr = pid_nr_ns(pid, ns) + 1;
		}
		rcu_read_unlock();
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (pid);
	*get = out;
	return 0;
}
