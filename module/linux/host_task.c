// SPDX-License-Identifier: GPL-2.0-only
/* What Linux says of a task or a process. Reading only; the caller is in RCU. */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "linux.h"

struct task_struct *host_current(void)
{
	return current;
}

unsigned host_task_bits(const struct task_struct *task)
{
	const unsigned state = READ_ONCE(task->__state);
	unsigned bits = 0;

	if (task->flags & PF_KTHREAD)
		bits |= HOST_TASK_KTHREAD;
	if (thread_group_leader((struct task_struct *)task)) {
		bits |= HOST_TASK_LEADER;
		if (thread_group_empty((struct task_struct *)task))
			bits |= HOST_TASK_ALONE;
	}
	if (task->flags & PF_EXITING)
		bits |= HOST_TASK_EXITING;
	if (READ_ONCE(task->exit_state))
		bits |= HOST_TASK_EXITED;
	if (READ_ONCE(task->exit_state) == EXIT_DEAD || !pid_alive(task))
		bits |= HOST_TASK_RELEASED;
	if (state & (__TASK_STOPPED | __TASK_TRACED))
		bits |= HOST_TASK_STOPPED;
	else if (state != TASK_RUNNING)
		bits |= HOST_TASK_ASLEEP;
	if (task->ptrace)
		bits |= HOST_TASK_TRACED;
	if (!atomic_read(&task->signal->live))
		bits |= HOST_TASK_LAST;
	if (task->vfork_done)
		bits |= HOST_TASK_VFORK;
	return bits;
}

struct task_struct *host_task_real_parent(const struct task_struct *task)
{
	return rcu_dereference(task->real_parent);
}

struct pid *host_task_tgid(const struct task_struct *task)
{
	return task_tgid((struct task_struct *)task);
}

struct pid *host_task_pgid(const struct task_struct *task)
{
	return task_pgrp((struct task_struct *)task);
}

struct pid *host_task_sid(const struct task_struct *task)
{
	return task_session((struct task_struct *)task);
}

int host_task_exit_signal(const struct task_struct *task)
{
	return task->group_leader->exit_signal;
}

int host_task_xstat(const struct task_struct *task)
{
	const struct signal_struct *signal = task->signal;

	return signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code :
						   task->group_leader->exit_code;
}

int host_task_nr(const struct task_struct *task)
{
	return task_pid_vnr((struct task_struct *)task);
}

int host_task_group_exit(const struct task_struct *task)
{
	return !!(READ_ONCE(task->signal->flags) & SIGNAL_GROUP_EXIT);
}

struct task_struct *host_group_find(struct task_struct *task, int (*known)(struct task_struct *))
{
	struct task_struct *thread;

	for_each_thread(task, thread)
		if (known(thread))
			return thread;
	return NULL;
}

void host_pid_get(struct pid *pid)
{
	get_pid(pid);
}

void host_pid_put(struct pid *pid)
{
	put_pid(pid);
}

int host_pid_nr(struct pid *pid)
{
	return pid_vnr(pid);
}

struct pid *host_pid_find(int nr)
{
	return find_vpid(nr);
}

struct task_struct *host_pid_leader(struct pid *pid)
{
	return pid_task(pid, PIDTYPE_TGID);
}

enum host_reap host_pid_reap(struct pid *pid)
{
	struct task_struct *leader = pid_task(pid, PIDTYPE_TGID);
	int state;

	if (!leader)
		return HOST_REAP_GONE;
	state = READ_ONCE(leader->exit_state);
	if (state == EXIT_DEAD)
		return HOST_REAP_GONE;
	if (state != EXIT_ZOMBIE || !thread_group_empty(leader))
		return HOST_REAP_NOT_YET;
	/* A tracer has the first word, and hands it to the parent then. */
	if (leader->ptrace && !same_thread_group(rcu_dereference(leader->parent), current))
		return HOST_REAP_NOT_YET;
	return HOST_REAP_READY;
}
