// SPDX-License-Identifier: GPL-2.0-only
/*
 * NOTE_EXIT: a descriptor that becomes readable when a process can be reaped.
 *
 * The note sleeps where pidfds do, on the wait_pidfd of the struct pid, which Linux wakes
 * under its tasklist_lock once the last thread is a zombie, and before anybody can reap it:
 * the place and the moment at which status and process are both there. So an exit that
 * nobody has a note on costs nothing, and one that is noted is never lost.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "linux.h"

/* Owned by its file. */
struct note {
	struct pid *pid; /* referenced */
	s32 ident;       /* the number by which it was asked for */
	wait_queue_head_t readers;
	/* On pid->wait_pidfd; what follows is guarded by that queue's lock. */
	struct wait_queue_entry entry;
	bool fired, taken;
	s32 xstat;
};

/*
 * Whether its parent could wait for it now; under tasklist_lock. Without that it may say
 * yes by the length of one critical section too early, which who waits next sits out.
 */
static bool can_be_reaped(struct task_struct *leader)
{
	const struct task_struct *parent, *tracer;

	if (!READ_ONCE(leader->exit_state) || !thread_group_empty(leader))
		return false;
	/* A tracer that is not the parent comes first. */
	parent = rcu_dereference(leader->real_parent);
	tracer = rcu_dereference(leader->parent);
	return same_thread_group((struct task_struct *)parent, (struct task_struct *)tracer);
}

/* Under the queue's lock. False: there is no such process any more. */
static bool look(struct note *note)
{
	struct task_struct *leader;

	rcu_read_lock();
	leader = pid_task(note->pid, PIDTYPE_TGID);
	if (leader && !note->fired && can_be_reaped(leader)) {
		note->xstat = host_task_xstat(leader);
		WRITE_ONCE(note->fired, true);
	}
	rcu_read_unlock();
	return leader;
}

static int note_wake(struct wait_queue_entry *entry, unsigned mode, int flags, void *key)
{
	struct note *note = container_of(entry, struct note, entry);

	if (!note->fired) {
		look(note);
		if (note->fired)
			wake_up_poll(&note->readers, EPOLLIN | EPOLLRDNORM);
	}
	return 0; /* woke nobody of those who are counted */
}

/* What there is to read is taken by one reader. */
static bool take(struct note *note)
{
	bool is_ours;

	spin_lock_irq(&note->pid->wait_pidfd.lock);
	is_ours = note->fired && !note->taken;
	if (is_ours)
		WRITE_ONCE(note->taken, true);
	spin_unlock_irq(&note->pid->wait_pidfd.lock);
	return is_ours;
}

static void put_back(struct note *note)
{
	spin_lock_irq(&note->pid->wait_pidfd.lock);
	WRITE_ONCE(note->taken, false);
	spin_unlock_irq(&note->pid->wait_pidfd.lock);
	wake_up_poll(&note->readers, EPOLLIN | EPOLLRDNORM);
}

static ssize_t note_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct note *note = file->private_data;
	struct bsdproc_note record = {.ident = note->ident, .fflags = BSDPROC_NOTE_EXIT};

	if (size < sizeof(record))
		return -EINVAL;
	if (!READ_ONCE(note->fired)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(note->readers, READ_ONCE(note->fired)))
			return -ERESTARTSYS;
	}
	if (!take(note))
		return 0; /* one shot, and it was read */
	record.data = note->xstat;
	if (copy_to_user(buf, &record, sizeof(record))) {
		put_back(note);
		return -EFAULT;
	}
	wake_up_poll(&note->readers, EPOLLHUP);
	return sizeof(record);
}

static __poll_t note_poll(struct file *file, poll_table *table)
{
	struct note *note = file->private_data;

	poll_wait(file, &note->readers, table);
	if (READ_ONCE(note->taken))
		return EPOLLHUP;
	return READ_ONCE(note->fired) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void note_free(struct note *note)
{
	remove_wait_queue(&note->pid->wait_pidfd, &note->entry);
	put_pid(note->pid);
	kfree(note);
}

static int note_release(struct inode *inode, struct file *file)
{
	note_free(file->private_data);
	return 0;
}

static const struct file_operations note_fops = {
	.owner = THIS_MODULE,
	.read = note_read,
	.poll = note_poll,
	.release = note_release,
	.llseek = noop_llseek,
};

/* What its end is told to in any case. */
static bool is_child(struct task_struct *leader)
{
	return same_thread_group(rcu_dereference(leader->real_parent), current);
}

/* 0, -ESRCH, -EPERM. */
static int may_note(struct pid *pid)
{
	struct task_struct *leader;
	int error = -ESRCH;

	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader)
		error = may_inspect(leader) || is_child(leader) ? 0 : -EPERM;
	rcu_read_unlock();
	return error;
}

/* It may have ended before its end was listened for. 0, -ESRCH: it was reaped, too. */
static int look_once(struct note *note)
{
	bool there;

	spin_lock_irq(&note->pid->wait_pidfd.lock);
	there = look(note) || note->fired;
	spin_unlock_irq(&note->pid->wait_pidfd.lock);
	return there ? 0 : -ESRCH;
}

long note_open(const struct bsdproc_knote *args)
{
	struct note *note;
	int error;

	if (args->fflags != BSDPROC_NOTE_EXIT || args->reserved)
		return -EINVAL;
	note = kzalloc(sizeof(*note), GFP_KERNEL_ACCOUNT);
	if (!note)
		return -ENOMEM;
	note->ident = args->pid;
	note->pid = find_get_pid(args->pid);
	if (!note->pid) {
		kfree(note);
		return -ESRCH;
	}
	init_waitqueue_head(&note->readers);
	init_waitqueue_func_entry(&note->entry, note_wake);
	add_wait_queue(&note->pid->wait_pidfd, &note->entry);
	error = may_note(note->pid) ?: look_once(note);
	if (!error)
		error = anon_inode_getfd("[bsdproc-note]", &note_fops, note, O_RDONLY | O_CLOEXEC);
	if (error < 0)
		note_free(note);
	return error;
}
