// SPDX-License-Identifier: GPL-2.0-only
// Accounting: one record for each process that ends while somebody reads them; nobody does:
// one load in each exit.
//
// It is written in exit1. A process that does not come there has one all the same: its last
// threads are unknown for want of memory, or were met by the model inside do_exit. As then
// several threads may take themselves for the last (Linux counts its live ones before it
// tells of their exits), the first of them writes. The others learn of that from the proc; a
// thread that is unknown too, and may come when no thread that is known is left to find the
// proc by, from a list of such processes.
#include "proc.hh"

namespace bsd
{

// p_acflag, beside HOST_A*: its record is written.
static constexpr unsigned P_ACCOUNTED = 1u << 31;

// Processes written of, with threads in their exits that the model does not know. There are
// no more of them at a time than threads without memory in the same few lines of their exits;
// should there be, the oldest is forgotten, and may be written of twice.
static constinit pid *accounted[16] GUARDED_BY(adopt_lock) = {};
static constinit atomic<unsigned> naccounted{};

// Another thread that may come to acct_exiting() yet without an lwp.
static int comes_unknown(task_struct *task)
{
	return task != host_current() && !is_known(task) &&
	       !(host_task_bits(task) & HOST_TASK_EXITED);
}

static void forget(pid *&entry) REQUIRES(adopt_lock)
{
	host_pid_put(entry);
	entry = nullptr;
	naccounted.add(-1u);
}

static bool is_listed(const pid *pid) REQUIRES(adopt_lock)
{
	for (const auto *entry : accounted)
		if (entry == pid)
			return true;
	return false;
}

// Forgets those whose threads have all come; how many are left, at the list's beginning. RCU.
static unsigned prune() REQUIRES(adopt_lock)
{
	unsigned n = 0;
	for (auto *&entry : accounted) {
		task_struct *leader = entry ? host_pid_leader(entry) : nullptr;
		if (entry && !(leader && host_group_exiting(leader)))
			forget(entry);
		if (entry) {
			auto *kept = entry;
			entry = nullptr;
			accounted[n++] = kept;
		}
	}
	return n;
}

static void list_accounted(pid *pid) REQUIRES(adopt_lock)
{
	static constexpr unsigned last = sizeof(accounted) / sizeof(accounted[0]) - 1;
	unsigned n = prune();
	if (n > last) {
		forget(accounted[0]);
		for (n = 0; n < last; n++)
			accounted[n] = accounted[n + 1];
	}
	host_pid_get(pid);
	accounted[n] = pid;
	naccounted.add(1);
}

static bool mark(proc *p)
{
	guard g(p->p_token);
	const bool first = !(p->p_acflag & P_ACCOUNTED);
	p->p_acflag |= P_ACCOUNTED;
	return first;
}

// Whether the process's record is the current thread's to write; p is null if it is not
// known to that thread; RCU.
static bool is_first(proc *p, task_struct *task)
{
	if (p && !naccounted.load() && !host_group_find(task, comes_unknown))
		return mark(p);
	// Who is unknown now stays so as long as the lock is held.
	guard g(adopt_lock);
	pid *pid = host_task_tgid(task);
	prune();
	if (is_listed(pid))
		return false;
	if (!p)
		p = proc_of_group(task);
	if (p && !mark(p))
		return false;
	if (host_group_find(task, comes_unknown))
		list_accounted(pid);
	return true;
}

static unsigned end_flags(int xstat)
{
	return (xstat & 0x7f ? HOST_AXSIG : 0) | (xstat & 0x80 ? HOST_ACORE : 0);
}

static unsigned fork_flag(unsigned p_flag, const task_struct *leader)
{
	// What was there before the model may have called exec before.
	if (p_flag & CORE_P_ADOPTED)
		return leader && (host_task_bits(leader) & HOST_TASK_FORKED) ? HOST_AFORK : 0;
	return p_flag & CORE_P_EXEC ? 0 : HOST_AFORK;
}

void acct_collect(proc *p, const lwp *lp)
{
	if (host_task_privileged(lp->task))
		p->p_acflag |= HOST_ASU;
}

RARE static void account(proc *p, task_struct *task)
{
	if (!is_first(p, task))
		return;
	host_acct_end end{};
	end.xstat = host_task_xstat(task);
	end.tty = p->p_ttydev.load();
	end.flags = end_flags(end.xstat);
	const task_struct *leader = host_pid_leader(p->p_pid);
	{
		guard g(p->p_token);
		end.flags |= (p->p_acflag & HOST_ASU) | fork_flag(p->p_flag, leader);
	}
	host_acct(task, &end);
}

void acct_process(proc *p, task_struct *task)
{
	if (host_acct_wanted())
		account(p, task);
}

RARE static void note_exiting(lwp *lp, task_struct *task)
{
	if (!host_task_last(task))
		return;
	// Before Linux takes it away from a session that loses its leader.
	const unsigned tty = host_tty();
	if (lp) {
		if (tty)
			lp->lwp_proc->p_ttydev.store(tty);
		return;
	}
	if (!is_first(nullptr, task))
		return;
	host_acct_end end{};
	end.xstat = host_task_xstat(task);
	end.tty = tty;
	end.flags = end_flags(end.xstat) | (host_task_privileged(task) ? HOST_ASU : 0) |
		    fork_flag(CORE_P_ADOPTED, host_pid_leader(host_task_tgid(task)));
	host_acct(task, &end);
}

void acct_exiting(lwp *lp, task_struct *task)
{
	if (host_acct_wanted())
		note_exiting(lp, task);
}

void acct_fini()
{
	guard g(adopt_lock);
	for (auto *&entry : accounted)
		if (entry)
			forget(entry);
}

} // namespace bsd
