// SPDX-License-Identifier: GPL-2.0-only
/* BSDPROC_WAIT: ids and options in, what has become of a child out. */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/time.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>

#include "linux.h"

#define KINDS (BSDPROC_WUNTRACED | BSDPROC_WEXITED | BSDPROC_WCONTINUED | BSDPROC_WTRAPPED)
#define OPTIONS (KINDS | BSDPROC_WNOHANG | BSDPROC_WNOWAIT | BSDPROC_WALL | BSDPROC_WLINUXCLONE)
#define WALL_AND_CLONE (BSDPROC_WALL | BSDPROC_WLINUXCLONE)

static struct __kernel_old_timeval timeval(u64 ns)
{
	return (struct __kernel_old_timeval){
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_usec = ns % NSEC_PER_SEC / NSEC_PER_USEC,
	};
}

/* A null one is not asked for. */
static int put_usage(struct rusage __user *to, const struct bsdproc_rusage *u)
{
	const struct rusage ru = {
		.ru_utime = timeval(u->utime),
		.ru_stime = timeval(u->stime),
		.ru_maxrss = u->maxrss,
		.ru_minflt = u->minflt,
		.ru_majflt = u->majflt,
		.ru_inblock = u->inblock,
		.ru_oublock = u->oublock,
		.ru_nvcsw = u->nvcsw,
		.ru_nivcsw = u->nivcsw,
	};

	return to && copy_to_user(to, &ru, sizeof(ru)) ? -EFAULT : 0;
}

/* Through the caller's pointers. */
static int put_status(const struct bsdproc_wait *w, const struct bsdproc_rusage *self,
		      const struct bsdproc_rusage *children)
{
	int __user *status = u64_to_user_ptr(w->status);
	struct rusage __user *wrusage = u64_to_user_ptr(w->wrusage);
	struct bsdproc_rusage both = *self;

	usage_add(&both, children);
	if (put_usage(u64_to_user_ptr(w->rusage), &both) || put_usage(wrusage, self) ||
	    put_usage(wrusage ? wrusage + 1 : NULL, children))
		return -EFAULT;
	if (w->info && clear_user(u64_to_user_ptr(w->info), sizeof(siginfo_t)))
		return -EFAULT;
	return status && put_user(w->xstat, status) ? -EFAULT : 0;
}

/* The kind of struct pid that is waited for; PIDTYPE_MAX: none. */
static enum pid_type id_type(const struct bsdproc_wait *w)
{
	switch (w->idtype) {
	case BSDPROC_P_PID:
		return PIDTYPE_PID;
	case BSDPROC_P_PGID:
		return PIDTYPE_PGID;
	case BSDPROC_P_SID:
		return PIDTYPE_SID;
	default:
		return PIDTYPE_MAX;
	}
}

/* False: there is no such id, so no child has it. With a reference on the struct pid. */
static bool find_id(const struct bsdproc_wait *w, struct core_wait_args *args)
{
	const enum pid_type type = id_type(w);

	if (w->idtype == BSDPROC_P_ALL)
		return true;
	if (type != PIDTYPE_MAX) {
		if (!w->id && type != PIDTYPE_PID)
			args->id = get_task_pid(current, type);
		else if (w->id <= INT_MAX)
			args->id = find_get_pid(w->id);
		return args->id;
	}
	if (w->id > U32_MAX)
		return false;
	if (w->idtype == BSDPROC_P_UID) {
		const kuid_t uid = make_kuid(current_user_ns(), w->id);

		args->user = __kuid_val(uid);
		return uid_valid(uid);
	} else {
		const kgid_t gid = make_kgid(current_user_ns(), w->id);

		args->user = __kgid_val(gid);
		return gid_valid(gid);
	}
}

static long report(struct bsdproc_wait *w, const struct core_wait_args *args)
{
	struct bsdproc_rusage self = {}, children = {};
	struct task_struct *task;

	w->pid = w->xstat = w->uid = w->flags = 0;
	w->what = args->what;
	if (args->pid) {
		rcu_read_lock();
		w->pid = pid_vnr(args->pid);
		w->xstat = args->xstat;
		w->flags = args->shared ? BSDPROC_WAIT_SHARED : 0;
		/* Collected just now? The library will find out. */
		task = pid_task(args->pid, PIDTYPE_PID);
		if (task)
			w->uid = from_kuid_munged(current_user_ns(), task_uid(task));
		task = pid_task(args->pid, PIDTYPE_TGID);
		if (task && args->what == CORE_WEXITED)
			usage_read(task, &self, &children);
		rcu_read_unlock();
	}
	return put_status(w, &self, &children);
}

static bool is_valid(const struct bsdproc_wait *w)
{
	switch (w->idtype) {
	case BSDPROC_P_ALL:
	case BSDPROC_P_PID:
	case BSDPROC_P_PGID:
	case BSDPROC_P_SID:
	case BSDPROC_P_UID:
	case BSDPROC_P_GID:
		break;
	default:
		return false;
	}
	return (!w->flags || (w->flags & ~BSDPROC_WAIT_HELD) == BSDPROC_WAIT_SIGNALS) &&
	       !w->reserved && !(w->options & ~OPTIONS) &&
	       (w->options & WALL_AND_CLONE) != WALL_AND_CLONE;
}

/* What BSDPROC_WAIT_HELD asks for. */
static void release_signals(const struct bsdproc_wait *w)
{
	sigset_t mask = {.sig = {w->sigmask}};

	sigdelsetmask(&mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* The mask of now, for the caller to put back after wait_hold_signals(). */
static void save_signals(struct bsdproc_wait *w)
{
	BUILD_BUG_ON(sizeof(current->blocked) != sizeof(w->sigmask));
	w->sigmask = current->blocked.sig[0];
	w->flags |= BSDPROC_WAIT_SIGNALS;
}

void wait_hold_signals(void)
{
	sigset_t all;

	/* sigprocmask() would block these two as well. */
	siginitsetinv(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_BLOCK, &all, NULL);
}

long wait_child(struct bsdproc_wait *w)
{
	const bool signals = w->flags & BSDPROC_WAIT_SIGNALS;
	struct host_waiter waiter;
	struct core_wait_args args = {
		.idtype = w->idtype,
		.options = w->options,
		.waiter = &waiter,
	};
	long error;

	BUILD_BUG_ON(CORE_P_ALL != BSDPROC_P_ALL || CORE_P_PID != BSDPROC_P_PID);
	BUILD_BUG_ON(CORE_P_PGID != BSDPROC_P_PGID || CORE_P_SID != BSDPROC_P_SID);
	BUILD_BUG_ON(CORE_P_UID != BSDPROC_P_UID || CORE_P_GID != BSDPROC_P_GID);
	BUILD_BUG_ON(OPTIONS != (CORE_WNOHANG | CORE_WUNTRACED | CORE_WEXITED | CORE_WCONTINUED |
				 CORE_WTRAPPED | CORE_WNOWAIT | CORE_WALL | CORE_WLINUXCLONE));

	if (!is_valid(w))
		return -EINVAL;
	if (w->flags & BSDPROC_WAIT_HELD)
		release_signals(w);
	if (!(args.options & KINDS))
		args.options |= BSDPROC_WEXITED;
	if (!find_id(w, &args)) {
		core_wait_end();
		return -ECHILD;
	}
	host_waiter_init(&waiter, id_type(w), args.id);

	error = core_wait(&args);
	if (!error) {
		error = report(w, &args);
		if (error)
			core_wait_end();
		else if (signals && w->pid)
			save_signals(w);
		put_pid(args.pid);
	}
	put_pid(args.id);
	return error;
}
