// SPDX-License-Identifier: GPL-2.0-only
/*
 * BSDPROC_KTRACE: what the core tells of traced processes, in streams; and what it does not
 * hear of otherwise: signals and the beginnings of waits.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <trace/events/signal.h>

#include "linux.h"
#include "stream.h"

/* Owned by its file. All but the stream never changes. */
struct host_ktrace {
	struct stream stream;
	struct core_ktrace *core;
	struct pid_namespace *pid_ns; /* of who opened it, referenced */
	const struct cred *cred;
};

static struct streams traces = STREAMS_INIT(traces);

/* A name may change while it is copied; it ends with a NUL all the same. */
static void copy_comm(char *to, const struct task_struct *task)
{
	data_race(memcpy(to, task->comm, TASK_COMM_LEN));
	to[TASK_COMM_LEN - 1] = '\0';
}

void host_ktrace_tell(struct host_ktrace *trace, struct pid *pid, const struct host_ktr *event)
{
	const struct task_struct *task = event->task ?: pid_task(pid, PIDTYPE_TGID);
	struct bsdproc_ktr record = {
		.time = ktime_get_real_ns(),
		.boot = ktime_get_boottime_ns(),
		.type = event->type,
		.pid = pid_nr_ns(pid, trace->pid_ns),
		.xstat = event->xstat,
		.signo = event->signo,
		.code = event->code,
		.action = event->action,
	};

	BUILD_BUG_ON(CORE_KTR_PSIG != BSDPROC_KTR_PSIG || CORE_KTR_FORK != BSDPROC_KTR_FORK);
	BUILD_BUG_ON(CORE_KTR_STOP != BSDPROC_KTR_STOP);
	if (event->task)
		record.tid = task_pid_nr_ns(event->task, trace->pid_ns);
	if (event->other)
		record.other = pid_nr_ns(event->other, trace->pid_ns);
	if (task)
		copy_comm(record.comm, task);
	stream_put(&trace->stream, &record);
}

void host_ktrace_expect(struct host_ktrace *trace, int more)
{
	stream_expect(&trace->stream, more);
}

int host_ktrace_may(struct host_ktrace *trace, const struct task_struct *task)
{
	const struct cred *old = override_creds(trace->cred);
	const bool may = creds_may_inspect(__task_cred(task));

	revert_creds(old);
	return may;
}

int host_may_inspect(const struct task_struct *task)
{
	return may_inspect(task);
}

/* ---- tracepoints ------------------------------------------------------------ */

/* Whom a signal tells of, or who sent it; null: the kernel. */
static struct pid *sender(int sig, const struct kernel_siginfo *info, struct task_struct *task)
{
	if (info == SEND_SIG_PRIV)
		return NULL;
	if (info != SEND_SIG_NOINFO && info->si_code > 0)
		return sig == SIGCHLD ? find_pid_ns(info->si_pid, task_active_pid_ns(task)) : NULL;
	/* Timers and the like speak for themselves. */
	if (info != SEND_SIG_NOINFO && info->si_code != SI_USER && info->si_code != SI_QUEUE &&
	    info->si_code != SI_TKILL)
		return NULL;
	return in_task() ? task_tgid(current) : NULL;
}

static int code_of(const struct kernel_siginfo *info)
{
	if (info == SEND_SIG_NOINFO)
		return SI_USER;
	return info == SEND_SIG_PRIV ? SI_KERNEL : info->si_code;
}

void ktrace_on_generate(void *data, int sig, struct kernel_siginfo *info, struct task_struct *task,
			int group, int result)
{
	struct core_signal signal;

	if (!streams_any(&traces))
		return;
	signal = (struct core_signal){
		.signo = sig,
		.code = code_of(info),
		.group = group,
	};
	if (result == TRACE_SIGNAL_IGNORED)
		signal.action = BSDPROC_KTR_IGNORED;
	else if (result == TRACE_SIGNAL_ALREADY_PENDING || result == TRACE_SIGNAL_OVERFLOW_FAIL)
		signal.action = BSDPROC_KTR_PENDING;
	rcu_read_lock();
	signal.sender = sender(sig, info, task);
	core_task_signal(task, &signal);
	rcu_read_unlock();
}

/* Each thread of a dying process takes a SIGKILL, whichever signal or exit it was. */
static int signo_taken(int sig)
{
	if (sig != SIGKILL)
		return sig;
	return current->signal->flags & SIGNAL_GROUP_EXIT ? current->signal->group_exit_code & 0x7f
							  : 0;
}

void ktrace_on_deliver(void *data, int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
{
	struct core_signal signal;

	if (!streams_any(&traces))
		return;
	signal = (struct core_signal){
		.signo = signo_taken(sig),
		.code = sig == SIGKILL ? 0 : code_of(info),
		.delivered = true,
	};
	if (!signal.signo)
		return;
	if (sig != SIGKILL && ka->sa.sa_handler == SIG_IGN)
		signal.action = BSDPROC_KTR_IGNORED;
	else if (sig != SIGKILL && ka->sa.sa_handler != SIG_DFL)
		signal.action = BSDPROC_KTR_CAUGHT;
	rcu_read_lock();
	core_task_signal(current, &signal);
	rcu_read_unlock();
}

void ktrace_on_wait(void *data, struct pid *pid)
{
	if (!streams_any(&traces))
		return;
	rcu_read_lock();
	core_task_wait(pid);
	rcu_read_unlock();
}

/* ---- the descriptor ---------------------------------------------------------- */

static void ktrace_free(struct host_ktrace *trace)
{
	core_ktrace_free(trace->core);
	put_pid_ns(trace->pid_ns);
	put_cred(trace->cred);
	kfree(trace);
}

static int ktrace_release(struct inode *inode, struct file *file)
{
	struct host_ktrace *trace = container_of(file->private_data, struct host_ktrace, stream);

	core_ktrace_close(trace->core);
	stream_stop(&trace->stream);
	ktrace_free(trace);
	return 0;
}

static const struct file_operations ktrace_fops = {
	.owner = THIS_MODULE,
	.read = stream_read,
	.poll = stream_poll,
	.release = ktrace_release,
	.llseek = noop_llseek,
};

long ktrace_open(const struct bsdproc_ktrace *args)
{
	struct host_ktrace *trace;
	int fd, error;

	if (!args->records || args->records > BSDPROC_STREAM_MAX || args->reserved)
		return -EINVAL;
	error = probes_connect_traces();
	if (error)
		return error;
	trace = kzalloc(sizeof(*trace), GFP_KERNEL_ACCOUNT);
	if (!trace)
		return -ENOMEM;
	trace->core = core_ktrace_new(trace);
	if (!trace->core) {
		kfree(trace);
		return -ENOMEM;
	}
	trace->pid_ns = get_pid_ns(task_active_pid_ns(current));
	trace->cred = get_current_cred();
	fd = stream_start(&trace->stream, &traces, false, sizeof(struct bsdproc_ktr), args->records,
			  "[bsdproc-ktrace]", &ktrace_fops);
	if (fd < 0)
		ktrace_free(trace);
	return fd;
}

static long set(struct host_ktrace *trace, s32 nr, unsigned facs)
{
	struct task_struct *leader;
	struct pid *pid;
	long error = -ESRCH;

	BUILD_BUG_ON(CORE_KTRFAC_SIG != BSDPROC_KTRFAC_SIG);
	BUILD_BUG_ON(CORE_KTRFAC_FORK != BSDPROC_KTRFAC_FORK);
	BUILD_BUG_ON(CORE_KTRFAC_EXEC != BSDPROC_KTRFAC_EXEC);
	BUILD_BUG_ON(CORE_KTRFAC_EXIT != BSDPROC_KTRFAC_EXIT);
	BUILD_BUG_ON(CORE_KTRFAC_WAIT != BSDPROC_KTRFAC_WAIT);
	BUILD_BUG_ON(CORE_KTRFAC_INHERIT != BSDPROC_KTRFAC_INHERIT);
	rcu_read_lock();
	pid = nr ? find_vpid(nr) : task_tgid(current);
	leader = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
	if (leader)
		error = core_ktrace_set(trace->core, leader, facs);
	rcu_read_unlock();
	return error;
}

long ktrace_set(const struct bsdproc_ktrset *args)
{
	struct file *file;
	long error = -EINVAL;

	if ((args->facs & ~(BSDPROC_KTRFAC_ALL | BSDPROC_KTRFAC_INHERIT)) || args->reserved)
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	if (file->f_op == &ktrace_fops) {
		core_settle();
		error = set(container_of(file->private_data, struct host_ktrace, stream), args->pid,
			    args->facs);
	}
	fput(file);
	return error;
}
