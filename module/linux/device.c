// SPDX-License-Identifier: GPL-2.0-only
/* /dev/bsdproc: the calls of the ABI, decoded. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
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
	struct bsdproc_reaper reaper;
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

static long do_wait(union call *call)
{
	return wait_child(&call->wait);
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

static long do_reaper(union call *call)
{
	return reaper_get(&call->reaper);
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
	{BSDPROC_REAPER, do_reaper},
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
		wait_hold_signals();
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
