// SPDX-License-Identifier: GPL-2.0-only
/* The model for userland: the core's part, and what Linux itself tells. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/threads.h>
#include <linux/uaccess.h>

#include "linux.h"

/* The rule of ptrace's, without dumpable: no memory is read here. */
bool creds_may_inspect(const struct cred *tcred)
{
	const struct cred *cred = current_cred();

	if (uid_eq(cred->uid, tcred->euid) && uid_eq(cred->uid, tcred->suid) &&
	    uid_eq(cred->uid, tcred->uid) && gid_eq(cred->gid, tcred->egid) &&
	    gid_eq(cred->gid, tcred->sgid) && gid_eq(cred->gid, tcred->gid))
		return true;
	return ns_capable_noaudit(tcred->user_ns, CAP_SYS_PTRACE);
}

bool may_inspect(const struct task_struct *task)
{
	return same_thread_group((struct task_struct *)task, current) ||
	       creds_may_inspect(__task_cred(task));
}

/*
 * The process that traces the task, or null. Linux writes parent and ptrace under
 * tasklist_lock, one by one, and while an orphan changes hands it is not the tracer that
 * parent names. But whose parent was the same before ptrace was seen and after it, had that
 * one as its tracer; or was at the point of being attached or let go by another, when parent
 * is the real one: then there is no ptracer_cred yet, or it is about to go, a few
 * instructions later. RCU.
 */
static struct pid *tracer_of(const struct task_struct *task)
{
	const struct task_struct *parent, *before;
	bool traced;

	parent = rcu_dereference(task->parent);
	do {
		before = parent;
		smp_rmb(); /* parent before ptrace, and after it */
		traced = data_race(READ_ONCE(task->ptrace)) &&
			 rcu_access_pointer(task->ptracer_cred);
		smp_rmb();
		parent = rcu_dereference(task->parent);
	} while (parent != before);
	return traced ? data_race(task_tgid((struct task_struct *)parent)) : NULL;
}

static void fill_tracer(struct bsdproc_kproc *to, const struct core_kproc *from,
			struct task_struct *leader)
{
	struct pid *tracer = tracer_of(leader);
	struct task_struct *thread;

	if (!tracer)
		for_each_thread(leader, thread) {
			tracer = tracer_of(thread);
			if (tracer)
				break;
		}
	to->tracer = tracer ? pid_vnr(tracer) : 0;
	to->oppid = tracer && tracer != from->ppid ? to->ppid : 0;
}

static void fill_kproc(struct bsdproc_kproc *to, const struct core_kproc *from, struct pid *pid,
		       struct task_struct *leader)
{
	struct user_namespace *ns = current_user_ns();
	const struct cred *cred = __task_cred(leader);

	BUILD_BUG_ON(CORE_SACTIVE != BSDPROC_SACTIVE || CORE_SZOMB != BSDPROC_SZOMB);
	BUILD_BUG_ON(CORE_P_WEXIT != BSDPROC_P_WEXIT || CORE_P_ADOPTED != BSDPROC_P_ADOPTED);
	BUILD_BUG_ON(CORE_P_VMLAST != BSDPROC_P_VMLAST || CORE_P_TRACEKILL != BSDPROC_P_TRACEKILL);

	*to = (struct bsdproc_kproc){
		.pid = pid_vnr(pid),
		.ppid = from->ppid ? pid_vnr(from->ppid) : 0,
		/* Of before or after a setpgid() or setsid(). */
		.pgid = pid_vnr(data_race(task_pgrp(leader))),
		.sid = pid_vnr(data_race(task_session(leader))),
		.stat = from->stat,
		.flags = from->flags,
		.nthreads = from->nthreads,
		.nlwps = from->nlwps,
		.nchildren = from->nchildren,
		.nzombies = from->nzombies,
		.sigparent = from->sigparent,
		.ruid = from_kuid_munged(ns, cred->uid),
		.euid = from_kuid_munged(ns, cred->euid),
		.rgid = from_kgid_munged(ns, cred->gid),
		.egid = from_kgid_munged(ns, cred->egid),
		.holds = from->holds,
		.leader = pid_vnr(from->leader),
		.npeers = from->npeers,
		.stype = from->stype,
		.vmsharers = from->vmsharers,
	};
	if (from->flags & CORE_P_TRACED)
		fill_tracer(to, from, leader);
	get_task_comm(to->comm, leader);
	if (may_inspect(leader)) {
		to->xstat = from->stat == CORE_SZOMB || from->stype ? from->xstat : 0;
		usage_read(leader, &to->ru, &to->cru);
	} else {
		to->flags |= BSDPROC_P_HIDDEN;
	}
}

static int copy_lwps(u64 to, const struct core_klwp *lwps, unsigned count)
{
	struct bsdproc_klwp __user *out = u64_to_user_ptr(to);
	unsigned i;

	BUILD_BUG_ON(CORE_LSZOMB != BSDPROC_LSZOMB || CORE_LWP_MAIN != BSDPROC_LWP_MAIN);
	for (i = 0; i < count; i++) {
		const struct bsdproc_klwp klwp = {
			.lwpid = lwps[i].lwpid,
			.tid = lwps[i].tid,
			.stat = lwps[i].stat,
			.flags = lwps[i].flags,
		};

		if (copy_to_user(&out[i], &klwp, sizeof(klwp)))
			return -EFAULT;
	}
	return 0;
}

/* -EAGAIN: it changed its leader meanwhile, by exec. */
static int read_kproc(struct pid *pid, struct bsdproc_kproc *to, struct core_kproc *kproc,
		      struct core_klwp *lwps, unsigned room)
{
	struct task_struct *leader = pid_task(pid, PIDTYPE_TGID), *after;
	int error;

	/* Out of the caller's sight is not there. */
	if (!leader || !pid_vnr(pid))
		return -ESRCH;
	error = core_getproc(pid, kproc, lwps, room);
	if (error)
		return error;
	fill_kproc(to, kproc, pid, leader);
	/* Still there after all was read: then it was there all the time. */
	after = pid_task(pid, PIDTYPE_TGID);
	if (after == leader)
		return 0;
	return after ? -EAGAIN : -ESRCH;
}

/* How many threads there are just now. */
static unsigned nr_threads(struct pid *pid)
{
	struct task_struct *leader;
	unsigned nr = 0;

	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader)
		nr = data_race(get_nr_threads(leader));
	rcu_read_unlock();
	return nr;
}

/* With room for as many lwps as there may be, though not for more than asked. */
static int get_with_room(struct pid *pid, struct bsdproc_getproc *get, unsigned room,
			 bool *short_of)
{
	struct core_klwp *lwps = kvcalloc(room ?: 1, sizeof(*lwps), GFP_KERNEL_ACCOUNT);
	struct core_kproc kproc;
	int error;

	if (!lwps)
		return -ENOMEM;
	core_settle();
	do {
		rcu_read_lock();
		error = read_kproc(pid, &get->kproc, &kproc, lwps, room);
		rcu_read_unlock();
	} while (error == -EAGAIN);
	if (!error) {
		*short_of = kproc.nlwps > room && room < get->room;
		error = copy_lwps(get->lwps, lwps, min(room, kproc.nlwps));
	}
	kvfree(lwps);
	return error;
}

long kproc_get(struct bsdproc_getproc *get)
{
	struct pid *pid;
	bool short_of;
	int error;

	pid = get->pid ? find_get_pid(get->pid) : get_task_pid(current, PIDTYPE_TGID);
	if (!pid)
		return -ESRCH;
	do {
		short_of = false;
		error = get_with_room(pid, get, min(get->room, nr_threads(pid) + 16), &short_of);
	} while (!error && short_of);
	put_pid(pid);
	return error;
}

static int list_with_room(struct bsdproc_list *list, unsigned room)
{
	int *pids = kvcalloc(room ?: 1, sizeof(*pids), GFP_KERNEL_ACCOUNT);
	int error = 0;

	if (!pids)
		return -ENOMEM;
	list->count = core_list(pids, room);
	if (copy_to_user(u64_to_user_ptr(list->pids), pids, min(list->count, room) * sizeof(*pids)))
		error = -EFAULT;
	kvfree(pids);
	return error;
}

long kproc_list(struct bsdproc_list *list)
{
	unsigned room = min(list->room, 1024u);
	int error;

	core_settle();
	for (;;) {
		error = list_with_room(list, room);
		if (error || list->count <= room || room == list->room)
			return error;
		/* And what is born until the list is made. */
		room = min(list->room, list->count + list->count / 8 + 64);
	}
}
