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
static bool may_inspect(const struct task_struct *task)
{
	const struct cred *cred = current_cred(), *tcred = __task_cred(task);

	if (same_thread_group((struct task_struct *)task, current))
		return true;
	if (uid_eq(cred->uid, tcred->euid) && uid_eq(cred->uid, tcred->suid) &&
	    uid_eq(cred->uid, tcred->uid) && gid_eq(cred->gid, tcred->egid) &&
	    gid_eq(cred->gid, tcred->sgid) && gid_eq(cred->gid, tcred->gid))
		return true;
	return ns_capable(tcred->user_ns, CAP_SYS_PTRACE);
}

static void fill_kproc(struct bsdproc_kproc *to, const struct core_kproc *from, struct pid *pid,
		       struct task_struct *leader)
{
	struct user_namespace *ns = current_user_ns();
	const struct cred *cred = __task_cred(leader);

	BUILD_BUG_ON(CORE_SACTIVE != BSDPROC_SACTIVE || CORE_SZOMB != BSDPROC_SZOMB);
	BUILD_BUG_ON(CORE_P_WEXIT != BSDPROC_P_WEXIT || CORE_P_ADOPTED != BSDPROC_P_ADOPTED);

	*to = (struct bsdproc_kproc){
		.pid = pid_vnr(pid),
		.ppid = from->ppid ? pid_vnr(from->ppid) : 0,
		.pgid = pid_vnr(task_pgrp(leader)),
		.sid = pid_vnr(task_session(leader)),
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
	};
	get_task_comm(to->comm, leader);
	if (may_inspect(leader)) {
		to->xstat = from->stat == CORE_SZOMB ? from->xstat : 0;
		usage_read(leader, &to->ru, &to->cru);
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

/* Room for as many lwps as there are just now, and as are asked for. */
static unsigned lwps_wanted(struct pid *pid, unsigned room)
{
	struct task_struct *leader;
	unsigned wanted = 0;

	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader)
		wanted = min_t(unsigned, room, get_nr_threads(leader) + 16);
	rcu_read_unlock();
	return wanted;
}

static int get_of_pid(struct pid *pid, struct bsdproc_getproc *get)
{
	const unsigned room = lwps_wanted(pid, get->room);
	struct core_klwp *lwps = NULL;
	struct task_struct *leader;
	struct core_kproc kproc;
	int error = -ESRCH;

	if (room) {
		lwps = kvcalloc(room, sizeof(*lwps), GFP_KERNEL_ACCOUNT);
		if (!lwps)
			return -ENOMEM;
	}
	core_settle();
	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	/* Out of the caller's sight is not there. */
	if (leader && pid_vnr(pid))
		error = core_getproc(pid, &kproc, lwps, room);
	if (!error)
		fill_kproc(&get->kproc, &kproc, pid, leader);
	/* Still there after all was read: then it was there all the time. */
	if (!error && pid_task(pid, PIDTYPE_TGID) != leader)
		error = -ESRCH;
	rcu_read_unlock();
	if (!error)
		error = copy_lwps(get->lwps, lwps, min(room, kproc.nlwps));
	kvfree(lwps);
	return error;
}

long kproc_get(struct bsdproc_getproc *get)
{
	struct pid *pid;
	int error;

	pid = get->pid ? find_get_pid(get->pid) : get_task_pid(current, PIDTYPE_TGID);
	if (!pid)
		return -ESRCH;
	error = get_of_pid(pid, get);
	put_pid(pid);
	return error;
}

long kproc_list(struct bsdproc_list *list)
{
	unsigned room;
	int *pids;
	int error = 0;

	core_settle();
	room = core_list(NULL, 0);
	/* What is born until the list is made has room too, if the caller gave it. */
	room = min(list->room, room + room / 8 + 64);
	pids = kvcalloc(room ?: 1, sizeof(*pids), GFP_KERNEL_ACCOUNT);
	if (!pids)
		return -ENOMEM;
	list->count = core_list(pids, room);
	if (copy_to_user(u64_to_user_ptr(list->pids), pids,
			 min(list->count, room) * sizeof(*pids)))
		error = -EFAULT;
	kvfree(pids);
	return error;
}
