/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this folder offer each other. */
#ifndef BSDPROC_LINUX_H
#define BSDPROC_LINUX_H

#include <linux/pid.h>
#include <linux/types.h>
#include <linux/wait.h>

struct cred;

#include "../core/core.h"
#include "../../include/uapi/bsdproc_ioctl.h"

#undef pr_fmt
#define pr_fmt(fmt) "bsdproc: " fmt

/* host_memory.c: the objects' memory; with it the map comes and goes. */
int host_memory_init(void);
void host_memory_exit(void);

/* host_reclaim.c: until all that are on their way are free, and no more come. May sleep. */
void host_reclaim_wait(void);

/* host_map.c */
int host_map_init(void);
void host_map_exit(void);

/* host_heal.c */
void host_heal_exit(void);

/* host_wait.c */
struct host_waiter {
	struct wait_queue_entry entry;
	enum pid_type type;
	struct pid *only;
};
/* To be woken for that process, group or session alone; PIDTYPE_MAX: for any child. */
void host_waiter_init(struct host_waiter *waiter, enum pid_type type, struct pid *only);

/* wait.c: BSDPROC_WAIT. Process context, may sleep. */
long wait_child(struct bsdproc_wait *w);
/*
 * Blocks the current thread's signals, as its answer said with BSDPROC_WAIT_SIGNALS; the last
 * thing before the return to user space.
 */
void wait_hold_signals(void);

/*
 * setint.c: checks that the caller may store an int at addr, and holds its memory
 * for the store to come. ERR_PTR(-EFAULT, -ENOMEM); may sleep.
 */
struct host_setint *setint_prepare(unsigned long addr, int value);

/*
 * usage.c: what the process of that task has used, and the children that it
 * waited for. The task is its leader. RCU.
 */
void usage_read(struct task_struct *leader, struct bsdproc_rusage *self,
		struct bsdproc_rusage *children);
void usage_add(struct bsdproc_rusage *sum, const struct bsdproc_rusage *more);

/* kproc.c: BSDPROC_LIST and BSDPROC_GETPROC. Process context, may sleep. */
long kproc_list(struct bsdproc_list *list);
long kproc_get(struct bsdproc_getproc *get);
/* Whether the current task may see what ptrace would show it of that one; RCU. */
bool may_inspect(const struct task_struct *task);
/* The same of a task with these credentials that is not of the current process; RCU. */
bool creds_may_inspect(const struct cred *tcred);

/* pgrp.c: BSDPROC_GETPGRP, BSDPROC_GETSESSION, BSDPROC_GETUSER. Process context, may sleep. */
long pgrp_get(struct bsdproc_getpgrp *get);
long session_get(struct bsdproc_getsession *get);
long user_get(struct bsdproc_getuser *get);

/* reaper.c: BSDPROC_REAPER. Process context, may sleep. */
long reaper_get(struct bsdproc_reaper *get);

/* note.c: BSDPROC_KNOTE. A descriptor, or a negative errno. Process context, may sleep. */
long note_open(const struct bsdproc_knote *args);

/*
 * hold.c: BSDPROC_HOLD, a descriptor; BSDPROC_STOPS and BSDPROC_CONT. Process context, may
 * sleep.
 */
long hold_open(void);
long hold_stops(const struct bsdproc_stops *args);
long hold_cont(const struct bsdproc_cont *args);

/* varsym.c: BSDPROC_VARSYM_*. Process context, may sleep. */
long varsym_set(const struct bsdproc_varsym_set *set);
long varsym_get(struct bsdproc_varsym_get *get);
long varsym_list(struct bsdproc_varsym_list *list);

/* acct.c: BSDPROC_ACCT. A descriptor, or a negative errno. Process context, may sleep. */
long acct_open(const struct bsdproc_acct_open *args);

#ifdef KTRACE
struct kernel_siginfo;
struct k_sigaction;
/*
 * ktrace.c: BSDPROC_KTRACE, a descriptor, and BSDPROC_KTRSET: process context, may sleep. And
 * what it hears of by tracepoints.
 */
long ktrace_open(const struct bsdproc_ktrace *args);
long ktrace_set(const struct bsdproc_ktrset *args);
void ktrace_on_generate(void *data, int sig, struct kernel_siginfo *info, struct task_struct *task,
			int group, int result);
void ktrace_on_deliver(void *data, int sig, struct kernel_siginfo *info, struct k_sigaction *ka);
void ktrace_on_wait(void *data, struct pid *pid);
#endif

/* probes.c */
int probes_connect(void);
#ifdef KTRACE
/*
 * Those that only traces want, from the first trace on until unload. Process context, may
 * sleep. -ENOMEM; some may be connected then.
 */
int probes_connect_traces(void);
#endif
void probes_disconnect(void);

/* model.c: once each; process context. Stopping is for when nobody is in a call. */
int model_start(void);
void model_stop(void);

/* device.c */
int device_init(void);
void device_exit(void);

#endif /* BSDPROC_LINUX_H */
