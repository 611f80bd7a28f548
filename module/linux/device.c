// SPDX-License-Identifier: GPL-2.0-only
/* /dev/bsdproc: the calls of the ABI, decoded. */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/time.h>
#include <linux/uaccess.h>

#include "linux.h"

/* All calls' structs; each handler knows its own. */
union call {
	struct bsdproc_version version;
	struct bsdproc_extexit extexit;
	struct bsdproc_wait wait;
	struct bsdproc_gettid gettid;
	struct bsdproc_list list;
	struct bsdproc_getproc getproc;
	struct bsdproc_knote knote;
	struct bsdproc_join join;
	struct bsdproc_hold hold;
	struct bsdproc_stops stops;
	struct bsdproc_cont cont;
	struct bsdproc_varsym_set varsym_set;
	struct bsdproc_varsym_get varsym_get;
	struct bsdproc_varsym_list varsym_list;
	struct bsdproc_tracekill tracekill;
	struct bsdproc_getpgrp getpgrp;
	struct bsdproc_getsession getsession;
	struct bsdproc_getuser getuser;
	struct bsdproc_acct_open acct;
	struct bsdproc_ktrace ktrace;
	struct bsdproc_ktrset ktrset;
};

static long do_version(union call *call)
{
	if (call->version.reserved)
		return -EINVAL;
	call->version.version = BSDPROC_ABI_VERSION;
	return 0;
}

static long do_extexit(union call *call)
{
	struct bsdproc_extexit *x = &call->extexit;
	const int action = x->how & 0xffff, who = x->how & ~0xffff;
	struct host_setint *setint = NULL;
	int verdict;

	BUILD_BUG_ON(CORE_VERDICT_LWP != BSDPROC_VERDICT_LWP);
	BUILD_BUG_ON(CORE_VERDICT_PROC != BSDPROC_VERDICT_PROC);

	if (x->reserved || (who != BSDPROC_EXTEXIT_PROC && who != BSDPROC_EXTEXIT_LWP))
		return -EINVAL;
	switch (action) {
	case BSDPROC_EXTEXIT_SIMPLE:
		break;
	case BSDPROC_EXTEXIT_SETINT:
		setint = setint_prepare(x->addr, x->status);
		if (IS_ERR(setint))
			return PTR_ERR(setint);
		break;
	default:
		return -EINVAL;
	}
	verdict = core_extexit(who == BSDPROC_EXTEXIT_PROC ? CORE_WHO_PROC : CORE_WHO_LWP, setint);
	if (verdict < 0) {
		if (setint)
			host_setint_drop(setint);
		return verdict;
	}
	x->verdict = verdict;
	return 0;
}

static struct __kernel_old_timeval timeval(u64 ns)
{
	return (struct __kernel_old_timeval){
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_usec = ns % NSEC_PER_SEC / NSEC_PER_USEC,
	};
}

/* Through the caller's pointers; a null one is not asked for. */
static int put_status(const struct bsdproc_wait *w, const struct bsdproc_rusage *u)
{
	int __user *status = u64_to_user_ptr(w->status);
	struct rusage __user *rusage = u64_to_user_ptr(w->rusage);
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

	if (rusage && copy_to_user(rusage, &ru, sizeof(ru)))
		return -EFAULT;
	if (status && put_user(w->xstat, status))
		return -EFAULT;
	return 0;
}

/* The struct pid that is waited for, with a reference; null: no such. */
static struct pid *wait_id(const struct bsdproc_wait *w)
{
	if (w->idtype == BSDPROC_P_ALL || w->id > INT_MAX)
		return NULL;
	if (w->idtype == BSDPROC_P_PGID && !w->id)
		return get_task_pid(current, PIDTYPE_PGID);
	return find_get_pid(w->id);
}

static long report(struct bsdproc_wait *w, const struct core_wait_args *args)
{
	struct bsdproc_rusage self = {}, children = {};
	struct task_struct *leader;

	w->pid = w->xstat = w->uid = w->flags = 0;
	if (args->pid) {
		rcu_read_lock();
		w->pid = pid_vnr(args->pid);
		w->xstat = args->xstat;
		w->flags = args->shared ? BSDPROC_WAIT_SHARED : 0;
		leader = pid_task(args->pid, PIDTYPE_TGID);
		/* Reaped just now? The library will find out. */
		if (leader) {
			w->uid = from_kuid_munged(current_user_ns(), task_uid(leader));
			usage_read(leader, &self, &children);
		}
		rcu_read_unlock();
		usage_add(&self, &children);
	}
	return put_status(w, &self);
}

/* What BSDPROC_WAIT_SIGNALS asks for: the mask of now, to be put back, and the end of it. */
static void save_signals(struct bsdproc_wait *w)
{
	BUILD_BUG_ON(sizeof(current->blocked) != sizeof(w->sigmask));
	w->sigmask = current->blocked.sig[0];
	w->flags |= BSDPROC_WAIT_SIGNALS;
}

static void hold_signals(void)
{
	sigset_t all;

	/* sigprocmask() would block these two as well. */
	siginitsetinv(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_BLOCK, &all, NULL);
}

static long do_wait(union call *call)
{
	struct bsdproc_wait *w = &call->wait;
	const bool signals = w->flags & BSDPROC_WAIT_SIGNALS;
	struct host_waiter waiter;
	struct core_wait_args args = {
		.idtype = w->idtype,
		.nohang = !!(w->options & BSDPROC_WNOHANG),
		.linuxclone = !!(w->options & BSDPROC_WLINUXCLONE),
		.waiter = &waiter,
	};
	long error;

	BUILD_BUG_ON(CORE_P_ALL != BSDPROC_P_ALL);
	BUILD_BUG_ON(CORE_P_PID != BSDPROC_P_PID);
	BUILD_BUG_ON(CORE_P_PGID != BSDPROC_P_PGID);

	if (w->idtype > BSDPROC_P_PGID || (w->flags & ~BSDPROC_WAIT_SIGNALS) ||
	    (w->options & ~(BSDPROC_WNOHANG | BSDPROC_WLINUXCLONE)))
		return -EINVAL;
	args.id = wait_id(w);
	if (w->idtype != BSDPROC_P_ALL && !args.id)
		return -ECHILD;
	host_waiter_init(&waiter, w->idtype == BSDPROC_P_PID ? args.id : NULL);

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

static long do_reaped(union call *call)
{
	core_wait_end();
	return 0;
}

static long do_gettid(union call *call)
{
	const int tid = core_lwp_tid();

	if (call->gettid.reserved)
		return -EINVAL;
	if (tid < 0)
		return tid;
	call->gettid.lwpid = tid;
	return 0;
}

static long do_list(union call *call)
{
	return kproc_list(&call->list);
}

static long do_getproc(union call *call)
{
	return kproc_get(&call->getproc);
}

static long do_knote(union call *call)
{
	return note_open(&call->knote);
}

static long do_join(union call *call)
{
	if (call->join.reserved)
		return -EINVAL;
	return core_join(call->join.parent);
}

static long do_hold(union call *call)
{
	if (call->hold.reserved)
		return -EINVAL;
	return hold_open();
}

static long do_stops(union call *call)
{
	return hold_stops(&call->stops);
}

static long do_cont(union call *call)
{
	return hold_cont(&call->cont);
}

static long do_varsym_set(union call *call)
{
	return varsym_set(&call->varsym_set);
}

static long do_varsym_get(union call *call)
{
	return varsym_get(&call->varsym_get);
}

static long do_varsym_list(union call *call)
{
	return varsym_list(&call->varsym_list);
}

static long do_tracekill(union call *call)
{
	if (call->tracekill.on > 1 || call->tracekill.reserved)
		return -EINVAL;
	return core_tracekill(call->tracekill.on);
}

static long do_getpgrp(union call *call)
{
	return pgrp_get(&call->getpgrp);
}

static long do_getsession(union call *call)
{
	return session_get(&call->getsession);
}

static long do_getuser(union call *call)
{
	return user_get(&call->getuser);
}

static long do_acct(union call *call)
{
	return acct_open(&call->acct);
}

#ifdef KTRACE
static long do_ktrace(union call *call)
{
	return ktrace_open(&call->ktrace);
}

static long do_ktrset(union call *call)
{
	return ktrace_set(&call->ktrset);
}
#endif

/* The size in cmd is the first version's and, until a struct grows, ours. */
static const struct {
	unsigned cmd;
	long (*function)(union call *call);
} calls[] = {
	{BSDPROC_VERSION, do_version},
	{BSDPROC_EXTEXIT, do_extexit},
	{BSDPROC_WAIT, do_wait},
	{BSDPROC_GETTID, do_gettid},
	{BSDPROC_REAPED, do_reaped},
	{BSDPROC_LIST, do_list},
	{BSDPROC_GETPROC, do_getproc},
	{BSDPROC_KNOTE, do_knote},
	{BSDPROC_VARSYM_SET, do_varsym_set},
	{BSDPROC_VARSYM_GET, do_varsym_get},
	{BSDPROC_VARSYM_LIST, do_varsym_list},
	{BSDPROC_JOIN, do_join},
	{BSDPROC_HOLD, do_hold},
	{BSDPROC_STOPS, do_stops},
	{BSDPROC_CONT, do_cont},
	{BSDPROC_TRACEKILL, do_tracekill},
	{BSDPROC_GETPGRP, do_getpgrp},
	{BSDPROC_GETSESSION, do_getsession},
	{BSDPROC_GETUSER, do_getuser},
	{BSDPROC_ACCT, do_acct},
#ifdef KTRACE
	{BSDPROC_KTRACE, do_ktrace},
	{BSDPROC_KTRSET, do_ktrset},
#endif
};

static long bsdproc_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	const size_t usize = _IOC_SIZE(cmd);
	union call call;
	bool answers;
	size_t size;
	long error;
	int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		/* Direction, type and number; the size is the version. */
		if (!((cmd ^ calls[i].cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)))
			break;
	if (i == ARRAY_SIZE(calls))
		return -ENOTTY;
	size = _IOC_SIZE(calls[i].cmd);
	if (!size && !usize)
		return calls[i].function(NULL);
	if (usize < size)
		return -EINVAL;

	memset(&call, 0, sizeof(call));
	error = copy_struct_from_user(&call, size, user, usize);
	if (error)
		return error;
	answers = _IOC_DIR(cmd) & _IOC_READ;
	/* What cannot be answered is not done: try the way back first. */
	if (answers && copy_to_user(user, &call, size))
		return -EFAULT;
	error = calls[i].function(&call);
	if (error || !answers)
		return error;
	if (copy_to_user(user, &call, size)) {
		/* Gone since. A claim can be given back, an extexit cannot. */
		if (calls[i].function == do_wait)
			core_wait_end();
		return -EFAULT;
	}
	if (calls[i].function == do_wait && (call.wait.flags & BSDPROC_WAIT_SIGNALS))
		hold_signals();
	return 0;
}

static const struct file_operations bsdproc_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bsdproc_ioctl,
	.llseek = noop_llseek,
};

/* For everyone: each call decides what its caller may see. */
static struct miscdevice bsdproc_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bsdproc",
	.fops = &bsdproc_fops,
	.mode = 0666,
};

int device_init(void)
{
	const int error = misc_register(&bsdproc_device);

	if (error)
		pr_err("cannot register " BSDPROC_DEVICE ": %d\n", error);
	return error;
}

void device_exit(void)
{
	misc_deregister(&bsdproc_device);
}
