// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups, sessions and users: counted when somebody asks, as no tracepoint tells of setpgid(),
 * setsid() or setuid().
 *
 * Linux changes groups and sessions under tasklist_lock, which modules cannot take. So each
 * walk goes over the list of all processes, which is safe under RCU, and not over a group's
 * own, from which a process that changes over would lead it astray. Who is born meanwhile
 * is found at that list's end; who is reaped is missed or not; who changes over is counted by
 * what is read of it when the walk comes by.
 */
#include <linux/cred.h>
#include <linux/kdev_t.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/tty.h>

#include "linux.h"

static struct pid *pgrp_of(struct task_struct *leader)
{
	return data_race(task_pgrp(leader));
}

static struct pid *session_of(struct task_struct *leader)
{
	return data_race(task_session(leader));
}

static bool is_in_sight(struct task_struct *leader)
{
	return !(READ_ONCE(leader->flags) & PF_KTHREAD) && task_tgid_vnr(leader);
}

/* The number's struct pid, or the caller's own for 0; with a reference, null: none. */
static struct pid *pid_of(int nr, enum pid_type type)
{
	return nr ? find_get_pid(nr) : get_task_pid(current, type);
}

/* Whether its parent may see to it when it stops: by Linux's own rule. */
static bool is_seen_to(struct task_struct *leader)
{
	struct task_struct *parent = rcu_dereference(leader->real_parent);

	if (READ_ONCE(leader->exit_state) && thread_group_empty(leader))
		return false;
	return !is_global_init(parent) && pgrp_of(parent) != pgrp_of(leader) &&
	       session_of(parent) == session_of(leader);
}

long pgrp_get(struct bsdproc_getpgrp *get)
{
	struct bsdproc_getpgrp out = {.pgid = get->pgid};
	struct task_struct *leader;
	struct pid *pgrp, *session;

	if (get->reserved)
		return -EINVAL;
	pgrp = pid_of(get->pgid, PIDTYPE_PGID);
	if (!pgrp)
		return -ESRCH;
	rcu_read_lock();
	for_each_process(leader) {
		if (pgrp_of(leader) != pgrp)
			continue;
		out.jobc += is_seen_to(leader);
		if (!is_in_sight(leader))
			continue;
		out.members++;
		session = session_of(leader);
		/* None when it is being reaped; and setsid() changes the session first. */
		if (session && (session != task_tgid(leader) || session == pgrp))
			out.sid = pid_vnr(session);
	}
	rcu_read_unlock();
	put_pid(pgrp);
	if (!out.members)
		return -ESRCH;
	out.orphaned = !out.jobc;
	*get = out;
	return 0;
}

/* The groups of those in the session whom the caller sees; returns how many processes. */
static unsigned collect_groups(struct pid *session, unsigned long *groups, unsigned room)
{
	struct task_struct *leader;
	unsigned n = 0;

	rcu_read_lock();
	for_each_process(leader) {
		const struct pid *pgrp = pgrp_of(leader);

		/* None when it is being reaped. */
		if (!pgrp || session_of(leader) != session || !is_in_sight(leader))
			continue;
		if (n < room)
			groups[n] = (unsigned long)pgrp;
		n++;
	}
	rcu_read_unlock();
	return n;
}

static int by_address(const void *a, const void *b)
{
	const unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static unsigned count_different(unsigned long *values, unsigned n)
{
	unsigned i, different = 0;

	sort(values, n, sizeof(*values), by_address, NULL);
	for (i = 0; i < n; i++)
		different += !i || values[i] != values[i - 1];
	return different;
}

static long count_session(struct pid *session, struct bsdproc_getsession *out)
{
	unsigned room = 0;

	do {
		unsigned long *groups;

		room += room / 8 + 64;
		groups = kvcalloc(room, sizeof(*groups), GFP_KERNEL_ACCOUNT);
		if (!groups)
			return -ENOMEM;
		out->processes = collect_groups(session, groups, room);
		if (out->processes <= room)
			out->groups = count_different(groups, out->processes);
		kvfree(groups);
		if (out->processes <= room)
			return 0;
		room = out->processes;
	} while (true);
}

/* The terminal is the leader's as long as there is one: Linux takes it from all with him. */
static void read_leader(struct pid *session, struct bsdproc_getsession *out)
{
	struct task_struct *leader;
	struct sighand_struct *sighand;
	struct pid *foreground = NULL;

	rcu_read_lock();
	leader = pid_task(session, PIDTYPE_TGID);
	if (!leader || !atomic_read(&leader->signal->live))
		goto out;
	out->leader = pid_vnr(session);
	sighand = rcu_dereference(leader->sighand);
	if (!sighand)
		goto out;
	/* Its memory is a sighand's always, and it is the leader's if it is under the lock. */
	spin_lock_irq(&sighand->siglock);
	if (rcu_access_pointer(leader->sighand) == sighand && leader->signal->tty) {
		out->tty = new_encode_dev(tty_devnum(leader->signal->tty));
		foreground = tty_get_pgrp(leader->signal->tty);
	}
	spin_unlock_irq(&sighand->siglock);
	out->foreground = pid_vnr(foreground);
	put_pid(foreground);
out:
	rcu_read_unlock();
}

long session_get(struct bsdproc_getsession *get)
{
	struct bsdproc_getsession out = {.sid = get->sid};
	struct pid *session = pid_of(get->sid, PIDTYPE_SID);
	long error;

	if (!session)
		return -ESRCH;
	error = count_session(session, &out);
	if (!error && !out.processes)
		error = -ESRCH;
	if (!error) {
		read_leader(session, &out);
		*get = out;
	}
	put_pid(session);
	return error;
}

long user_get(struct bsdproc_getuser *get)
{
	const kuid_t uid =
		get->uid == (u32)-1 ? current_uid() : make_kuid(current_user_ns(), get->uid);
	struct bsdproc_getuser out = {.uid = get->uid};
	struct task_struct *leader;

	if (get->reserved || !uid_valid(uid))
		return -EINVAL;
	rcu_read_lock();
	for_each_process(leader)
		if (is_in_sight(leader) && uid_eq(task_uid(leader), uid)) {
			out.processes++;
			out.threads += data_race(get_nr_threads(leader));
		}
	rcu_read_unlock();
	*get = out;
	return 0;
}
