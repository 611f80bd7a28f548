// SPDX-License-Identifier: GPL-2.0-only
/* BSDPROC_ACCT: what each process has used, to whoever reads the ends of all. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/kdev_t.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/tty.h>
#include <linux/user_namespace.h>

#include "linux.h"
#include "stream.h"

/* Owned by its file. Whose numbers it is told: never change. */
struct acct {
	struct stream stream;
	struct pid_namespace *pid_ns; /* referenced */
	struct user_namespace *user_ns;
	unsigned payer;
};

static struct streams readers = STREAMS_INIT(readers);

int host_acct_wanted(void)
{
	return streams_any(&readers);
}

unsigned host_tty(void)
{
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, 1);
	unsigned long flags;
	unsigned tty = 0;

	spin_lock_irqsave(&sighand->siglock, flags);
	if (current->signal->tty)
		tty = new_encode_dev(tty_devnum(current->signal->tty));
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return tty;
}

/* What is the same to all readers. */
static void fill(struct bsdproc_acct *record, struct task_struct *leader,
		 const struct host_acct_end *end)
{
	struct bsdproc_rusage children;

	BUILD_BUG_ON(HOST_AFORK != BSDPROC_AFORK || HOST_ASU != BSDPROC_ASU);
	BUILD_BUG_ON(HOST_ACORE != BSDPROC_ACORE || HOST_AXSIG != BSDPROC_AXSIG);
	*record = (struct bsdproc_acct){
		.tty = end->tty,
		.xstat = end->xstat,
		.flags = end->flags,
		.boot = leader->start_boottime,
		.elapsed = ktime_get_boottime_ns() - leader->start_boottime,
	};
	record->start = ktime_get_real_ns() - record->elapsed;
	usage_read(leader, &record->ru, &children);
	get_task_comm(record->comm, leader);
}

void host_acct(struct task_struct *task, const struct host_acct_end *end)
{
	struct task_struct *parent;
	const struct cred *cred;
	struct bsdproc_acct record;
	struct acct *reader;
	bool filled = false;

	rcu_read_lock();
	parent = rcu_dereference(task->real_parent);
	cred = __task_cred(task);
	for_each_stream(reader, &readers) {
		const pid_t pid = task_tgid_nr_ns(task, reader->pid_ns);

		/* Nor does it see who came into its pid namespace with an outer one's rights. */
		if (!pid || !current_in_userns(reader->pid_ns->user_ns))
			continue;
		if (!filled)
			fill(&record, task->group_leader, end);
		filled = true;
		record.pid = pid;
		record.ppid = task_tgid_nr_ns(parent, reader->pid_ns);
		record.uid = from_kuid_munged(reader->user_ns, cred->uid);
		record.gid = from_kgid_munged(reader->user_ns, cred->gid);
		stream_put(&reader->stream, &record);
	}
	rcu_read_unlock();
}

static void acct_free(struct acct *reader)
{
	put_pid_ns(reader->pid_ns);
	put_user_ns(reader->user_ns);
	kfree(reader);
}

static int acct_release(struct inode *inode, struct file *file)
{
	struct acct *reader = container_of(file->private_data, struct acct, stream);

	stream_stop(&reader->stream);
	acct_free(reader);
	return 0;
}

static const struct file_operations acct_fops = {
	.owner = THIS_MODULE,
	.read = stream_read,
	.poll = stream_poll,
	.release = acct_release,
	.llseek = noop_llseek,
};

/* Each exit pays for each reader, so users who rule their own namespaces have but a few. */
static DEFINE_MUTEX(opening);

static bool too_many(unsigned payer)
{
	const struct acct *reader;
	unsigned count = 0;

	if (capable(CAP_SYS_ADMIN))
		return false;
	mutex_lock(&readers.lock);
	list_for_each_entry(reader, &readers.list, stream.link)
		count += reader->payer == payer;
	mutex_unlock(&readers.lock);
	return count >= BSDPROC_ACCT_MAX;
}

/* With `opening` held. A descriptor; -ENOSPC, or what stream_start() says. */
static int start(struct acct *reader, unsigned records)
{
	if (too_many(reader->payer))
		return -ENOSPC;
	return stream_start(&reader->stream, &readers, true, sizeof(struct bsdproc_acct), records,
			    "[bsdproc-acct]", &acct_fops);
}

long acct_open(const struct bsdproc_acct_open *args)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct acct *reader;
	int fd;

	if (!args->records || args->records > BSDPROC_STREAM_MAX || args->reserved)
		return -EINVAL;
	if (!ns_capable(ns->user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);
	if (!reader)
		return -ENOMEM;
	reader->pid_ns = get_pid_ns(ns);
	reader->user_ns = get_user_ns(current_user_ns());
	reader->payer = host_payer();
	mutex_lock(&opening);
	fd = start(reader, args->records);
	mutex_unlock(&opening);
	if (fd < 0)
		acct_free(reader);
	return fd;
}
