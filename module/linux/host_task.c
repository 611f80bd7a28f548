// SPDX-License-Identifier: GPL-2.0-only
/* What Linux says of a task or a process. Reading only; but for the walk the caller is in RCU. */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "linux.h"

/*
 * Linux writes these under locks that a module cannot take, most of them unmarked: what is
 * read is from before or after, and the core can do with either.
 */
#define PEEK(field) data_race(READ_ONCE(field))

struct task_struct *host_current(void)
{
	return current;
}

struct task_struct *host_pid_task(struct pid *pid)
{
	return pid_task(pid, PIDTYPE_PID);
}

/* Since 6.4 vhost's threads are such too. */
#ifndef PF_USER_WORKER
#define PF_USER_WORKER 0
#endif

unsigned host_task_bits_at_birth(const struct task_struct *task)
{
	return (thread_group_leader((struct task_struct *)task) ? HOST_TASK_LEADER : 0) |
	       (task->flags & (PF_IO_WORKER | PF_USER_WORKER) ? HOST_TASK_WORKER : 0);
}

unsigned host_task_bits(const struct task_struct *task)
{
	const unsigned state = PEEK(task->__state), flags = PEEK(task->flags);
	const int exit_state = PEEK(task->exit_state);
	const struct signal_struct *signal = task->signal;
	unsigned bits = 0;

	if (flags & (PF_IO_WORKER | PF_USER_WORKER))
		bits |= HOST_TASK_WORKER;
	if (data_race(thread_group_leader((struct task_struct *)task))) {
		bits |= HOST_TASK_LEADER;
		if (thread_group_empty((struct task_struct *)task))
			bits |= HOST_TASK_ALONE;
	}
	if (flags & PF_EXITING)
		bits |= HOST_TASK_EXITING;
	if (exit_state)
		bits |= HOST_TASK_EXITED;
	if (exit_state == EXIT_DEAD || data_race(!pid_alive(task)))
		bits |= HOST_TASK_RELEASED;
	if (state & (__TASK_STOPPED | __TASK_TRACED))
		bits |= HOST_TASK_STOPPED;
	else if (state != TASK_RUNNING)
		bits |= HOST_TASK_ASLEEP;
	if (PEEK(task->ptrace))
		bits |= HOST_TASK_TRACED;
	if (PEEK(signal->quick_threads) == 1)
		bits |= HOST_TASK_LONE;
	if (PEEK(task->vfork_done))
		bits |= HOST_TASK_VFORK;
	if ((flags & PF_FORKNOEXEC) && (bits & HOST_TASK_LEADER))
		bits |= HOST_TASK_FORKED;
	return bits;
}

int host_task_kthread(const struct task_struct *task)
{
	return !!(PEEK(task->flags) & PF_KTHREAD);
}

int host_task_last(const struct task_struct *task)
{
	return !atomic_read(&task->signal->live);
}

int host_task_privileged(const struct task_struct *task)
{
	return !!(PEEK(task->flags) & PF_SUPERPRIV);
}

struct task_struct *host_task_real_parent(const struct task_struct *task)
{
	return rcu_dereference(task->real_parent);
}

struct pid *host_task_tgid(const struct task_struct *task)
{
	return data_race(task_tgid((struct task_struct *)task));
}

struct pid *host_task_pid(const struct task_struct *task)
{
	return data_race(task_pid((struct task_struct *)task));
}

struct pid *host_task_pgid(const struct task_struct *task)
{
	return data_race(task_pgrp((struct task_struct *)task));
}

struct pid *host_task_sid(const struct task_struct *task)
{
	return data_race(task_session((struct task_struct *)task));
}

unsigned host_task_euid(const struct task_struct *task)
{
	return __kuid_val(__task_cred(task)->euid);
}

unsigned host_task_egid(const struct task_struct *task)
{
	return __kgid_val(__task_cred(task)->egid);
}

int host_task_exit_signal(const struct task_struct *task)
{
	return PEEK(PEEK(task->group_leader)->exit_signal);
}

int host_task_xstat(const struct task_struct *task)
{
	const struct signal_struct *signal = task->signal;

	if (PEEK(signal->flags) & SIGNAL_GROUP_EXIT)
		return PEEK(signal->group_exit_code);
	return PEEK(PEEK(task->group_leader)->exit_code);
}

int host_task_nr(const struct task_struct *task)
{
	return task_pid_vnr((struct task_struct *)task);
}

int host_task_group_exit(const struct task_struct *task)
{
	return !!(PEEK(task->signal->flags) & SIGNAL_GROUP_EXIT);
}

int host_task_group_exec(const struct task_struct *task)
{
	return !!PEEK(task->signal->group_exec_task);
}

int host_task_init(const struct task_struct *task)
{
	struct pid *pid = task_tgid((struct task_struct *)task);

	return pid && is_child_reaper(pid);
}

int host_task_on_cpu(const struct task_struct *task)
{
#ifdef CONFIG_SMP
	return PEEK(task->on_cpu);
#else
	return task == current;
#endif
}

int host_group_exiting(struct task_struct *task)
{
	struct task_struct *thread;

	for_each_thread(task, thread)
		if ((PEEK(thread->flags) & PF_EXITING) && !PEEK(thread->exit_state))
			return 1;
	return 0;
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

void host_pid_walk(void (*visit)(struct pid *, int nr, void *), void *arg)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct pid *pid;
	int nr = 0;

	do {
		rcu_read_lock();
		pid = find_ge_pid(nr + 1, ns);
		if (pid) {
			nr = pid_nr_ns(pid, ns);
			visit(pid, nr, arg);
		}
		rcu_read_unlock();
		cond_resched();
	} while (pid);
}

struct task_struct *host_pid_leader(struct pid *pid)
{
	return pid_task(pid, PIDTYPE_TGID);
}

enum host_reap host_pid_reap(struct pid *pid)
{
	struct task_struct *leader = pid_task(pid, PIDTYPE_TGID);
	int state;
	bool traced;

	if (!leader)
		return HOST_REAP_GONE;
	state = PEEK(leader->exit_state);
	traced = PEEK(leader->ptrace);
	if (state == EXIT_DEAD)
		return HOST_REAP_GONE;
	/*
	 * A tracer's wait gives the zombie back by way of EXIT_TRACE, and wakes
	 * the parent before it leaves that state: the parent's waitid, which takes
	 * the lock under which this happens, will see the outcome.
	 */
	if (state == EXIT_TRACE && !traced)
		return HOST_REAP_READY;
	if (state != EXIT_ZOMBIE || !thread_group_empty(leader))
		return HOST_REAP_NOT_YET;
	/* A tracer has the first word, and hands it to the parent then. */
	if (traced && !same_thread_group(rcu_dereference(leader->parent), current))
		return HOST_REAP_NOT_YET;
	return HOST_REAP_READY;
}

/* Linux's own waits look for the same, in the same places. */
unsigned host_task_marks(const struct task_struct *task, int *code)
{
	const struct signal_struct *signal = task->signal;
	const unsigned flags = PEEK(signal->flags);
	unsigned marks = 0;

	if (PEEK(task->ptrace) && same_thread_group(rcu_dereference(task->parent), current))
		marks |= HOST_MARK_MINE;
	if (PEEK(task->exit_state) == EXIT_ZOMBIE) {
		if (thread_group_leader((struct task_struct *)task) &&
		    !thread_group_empty((struct task_struct *)task))
			goto alive;
		*code = flags & SIGNAL_GROUP_EXIT ? PEEK(signal->group_exit_code)
						  : PEEK(task->exit_code);
		return marks | HOST_MARK_ENDED;
	}
	/* Somebody is collecting it. */
	if (PEEK(task->exit_state))
		return 0;
alive:
	if (marks & HOST_MARK_MINE) {
		const unsigned jobctl = PEEK(task->jobctl);

		*code = PEEK(task->exit_code);
		if ((jobctl & JOBCTL_TRACED) && !(jobctl & JOBCTL_LISTENING) && *code)
			marks |= HOST_MARK_TRAPPED;
	} else if (flags & SIGNAL_STOP_STOPPED) {
		*code = PEEK(signal->group_exit_code);
		if (*code)
			marks |= HOST_MARK_STOPPED;
	}
	if (flags & SIGNAL_STOP_STOPPED)
		marks |= HOST_MARK_HALTED;
	if (flags & SIGNAL_STOP_CONTINUED)
		marks |= HOST_MARK_CONTINUED;
	return marks;
}
