// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resource usage, read from where Linux keeps it: the sums of the threads that
 * were released, in signal_struct, and the threads that are there.
 */
#include <linux/kcsan-checks.h>
#include <linux/math64.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>
#include <linux/string.h>
#include <linux/task_io_accounting_ops.h>

#include "linux.h"

static void add_thread(struct bsdproc_rusage *ru, const struct task_struct *task, u64 *runtime)
{
	ru->utime += task->utime;
	ru->stime += task->stime;
	ru->minflt += task->min_flt;
	ru->majflt += task->maj_flt;
	ru->nvcsw += task->nvcsw;
	ru->nivcsw += task->nivcsw;
	ru->inblock += task_io_get_inblock(task);
	ru->oublock += task_io_get_oublock(task);
	*runtime += task->se.sum_exec_runtime;
}

/* User and system time are sampled; the scheduler's run time is exact. */
static void scale_to(struct bsdproc_rusage *ru, u64 runtime)
{
	const u64 sampled = ru->utime + ru->stime;

	if (!ru->stime)
		ru->utime = runtime;
	else if (!ru->utime)
		ru->stime = runtime;
	else {
		ru->stime = mul_u64_u64_div_u64(ru->stime, runtime, sampled);
		ru->utime = runtime > ru->stime ? runtime - ru->stime : 0;
	}
}

static void read_sums(struct task_struct *leader, struct bsdproc_rusage *self,
		      struct bsdproc_rusage *children, u64 *runtime)
{
	const struct signal_struct *signal = leader->signal;
	struct task_struct *thread;

	*self = (struct bsdproc_rusage){
		.utime = signal->utime,
		.stime = signal->stime,
		.maxrss = signal->maxrss << (PAGE_SHIFT - 10),
		.minflt = signal->min_flt,
		.majflt = signal->maj_flt,
		.nvcsw = signal->nvcsw,
		.nivcsw = signal->nivcsw,
		.inblock = signal->inblock,
		.oublock = signal->oublock,
	};
	*children = (struct bsdproc_rusage){
		.utime = signal->cutime,
		.stime = signal->cstime,
		.maxrss = signal->cmaxrss << (PAGE_SHIFT - 10),
		.minflt = signal->cmin_flt,
		.majflt = signal->cmaj_flt,
		.nvcsw = signal->cnvcsw,
		.nivcsw = signal->cnivcsw,
		.inblock = signal->cinblock,
		.oublock = signal->coublock,
	};
	*runtime = signal->sum_sched_runtime;
	for_each_thread(leader, thread)
		add_thread(self, thread, runtime);
}

void usage_read(struct task_struct *leader, struct bsdproc_rusage *self,
		struct bsdproc_rusage *children)
{
	seqlock_t *lock = &leader->signal->stats_lock;
	unsigned int seq = read_seqbegin(lock);
	unsigned long flags;
	u64 runtime;

	/* Counters of running threads are anybody's guess anyway. */
	kcsan_disable_current();
	read_sums(leader, self, children, &runtime);
	/*
	 * A thread that was released meanwhile has moved into the sums. Once without
	 * the lock; with threads ending all the time, that might never do.
	 */
	if (read_seqretry(lock, seq)) {
		read_seqlock_excl_irqsave(lock, flags);
		read_sums(leader, self, children, &runtime);
		read_sequnlock_excl_irqrestore(lock, flags);
	}
	kcsan_enable_current();
	scale_to(self, runtime);
}

void usage_add(struct bsdproc_rusage *sum, const struct bsdproc_rusage *more)
{
	sum->utime += more->utime;
	sum->stime += more->stime;
	sum->maxrss = max(sum->maxrss, more->maxrss);
	sum->minflt += more->minflt;
	sum->majflt += more->majflt;
	sum->inblock += more->inblock;
	sum->oublock += more->oublock;
	sum->nvcsw += more->nvcsw;
	sum->nivcsw += more->nivcsw;
}
