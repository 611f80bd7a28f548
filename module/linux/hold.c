// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stops for userland: a descriptor whose owner holds processes at their exit, reads which
 * ones it holds, and lets them go. Its last close lets all of them go; what a process has
 * open is closed before it comes to its own stop (see probes.c), so nobody holds himself.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "linux.h"

/* Owned by its file, and then by RCU: who has just stopped may be about to wake a reader. */
struct host_tracer {
	struct core_tracer *core;
	wait_queue_head_t readers;
	const struct cred *cred; /* of who opened it */
	struct rcu_head rcu;
};

/* What may_inspect() says of the current task, for the one who opened the descriptor. */
int host_tracer_may(struct host_tracer *tracer)
{
	const struct cred *old = override_creds(tracer->cred);
	const bool may = creds_may_inspect(current_real_cred());

	revert_creds(old);
	return may;
}

void host_tracer_wake(struct host_tracer *tracer)
{
	wake_up_poll(&tracer->readers, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

static int state(struct host_tracer *tracer)
{
	int error;

	rcu_read_lock();
	error = core_tracer_state(tracer->core);
	rcu_read_unlock();
	return error;
}

/* 0, -EAGAIN, -ECHILD. */
static int next(struct host_tracer *tracer, struct core_stopped *stopped)
{
	int error;

	rcu_read_lock();
	error = core_tracer_next(tracer->core, stopped);
	rcu_read_unlock();
	return error;
}

static ssize_t tell(struct host_tracer *tracer, char __user *buf,
		    const struct core_stopped *stopped)
{
	const struct bsdproc_stop record = {
		.pid = pid_vnr(stopped->pid),
		.event = stopped->event,
		.xstat = stopped->xstat,
	};
	ssize_t size = sizeof(record);

	if (copy_to_user(buf, &record, sizeof(record))) {
		rcu_read_lock();
		core_tracer_again(tracer->core, stopped->pid);
		rcu_read_unlock();
		host_tracer_wake(tracer);
		size = -EFAULT;
	}
	put_pid(stopped->pid);
	return size;
}

static ssize_t hold_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct host_tracer *tracer = file->private_data;
	struct core_stopped stopped;
	int error;

	if (size < sizeof(struct bsdproc_stop))
		return -EINVAL;
	while ((error = next(tracer, &stopped)) == -EAGAIN) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(tracer->readers, state(tracer) != -EAGAIN))
			return -ERESTARTSYS;
	}
	return error ? 0 : tell(tracer, buf, &stopped);
}

static __poll_t hold_poll(struct file *file, poll_table *table)
{
	struct host_tracer *tracer = file->private_data;

	poll_wait(file, &tracer->readers, table);
	switch (state(tracer)) {
	case 0:
		return EPOLLIN | EPOLLRDNORM;
	case -EAGAIN:
		return 0;
	default:
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP; /* the end of the file */
	}
}

static void hold_free_rcu(struct rcu_head *head)
{
	struct host_tracer *tracer = container_of(head, struct host_tracer, rcu);

	put_cred(tracer->cred);
	kfree(tracer);
}

static int hold_release(struct inode *inode, struct file *file)
{
	struct host_tracer *tracer = file->private_data;

	core_tracer_free(tracer->core);
	call_rcu(&tracer->rcu, hold_free_rcu);
	return 0;
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.read = hold_read,
	.poll = hold_poll,
	.release = hold_release,
	.llseek = noop_llseek,
};

long hold_open(void)
{
	struct host_tracer *tracer = kzalloc(sizeof(*tracer), GFP_KERNEL_ACCOUNT);
	int fd;

	if (!tracer)
		return -ENOMEM;
	init_waitqueue_head(&tracer->readers);
	tracer->core = core_tracer_new(tracer);
	if (!tracer->core) {
		kfree(tracer);
		return -ENOMEM;
	}
	tracer->cred = get_current_cred();
	fd = anon_inode_getfd("[bsdproc-hold]", &hold_fops, tracer, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		core_tracer_free(tracer->core);
		put_cred(tracer->cred);
		kfree(tracer);
	}
	return fd;
}

/* The file of a descriptor that hold_open() gave, with a reference; ERR_PTR. */
static struct file *hold_file(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op != &hold_fops) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file;
}

static long ask(struct host_tracer *tracer, s32 nr, unsigned events)
{
	struct task_struct *leader;
	struct pid *pid;
	long error = -ESRCH;

	BUILD_BUG_ON(CORE_S_EXIT != BSDPROC_S_EXIT || CORE_S_FORK != BSDPROC_S_FORK);
	rcu_read_lock();
	pid = nr ? find_vpid(nr) : task_tgid(current);
	leader = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
	if (leader)
		error = may_inspect(leader) ? core_tracer_stops(tracer->core, leader, events)
					    : -EPERM;
	rcu_read_unlock();
	if (!error && !events)
		host_tracer_wake(tracer); /* it may have been the last */
	return error;
}

long hold_stops(const struct bsdproc_stops *args)
{
	struct file *file;
	long error;

	if ((args->events & ~(BSDPROC_S_EXIT | BSDPROC_S_FORK)) || args->reserved)
		return -EINVAL;
	file = hold_file(args->fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	core_settle();
	error = ask(file->private_data, args->pid, args->events);
	fput(file);
	return error;
}

long hold_cont(const struct bsdproc_cont *args)
{
	struct file *file = hold_file(args->fd);
	struct host_tracer *tracer;
	struct pid *pid;
	long error = -ESRCH;

	if (IS_ERR(file))
		return PTR_ERR(file);
	tracer = file->private_data;
	rcu_read_lock();
	pid = find_vpid(args->pid);
	if (pid)
		error = core_tracer_cont(tracer->core, pid);
	rcu_read_unlock();
	if (!error)
		host_tracer_wake(tracer); /* it may have been the last */
	fput(file);
	return error;
}
