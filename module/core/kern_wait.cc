// SPDX-License-Identifier: GPL-2.0-only
// kern_wait: the parent's side of an exit.
//
// The core finds and claims a zombie; the library reaps it natively. So Linux's
// once-only reaping decides between native and BSD waits, and the claim between
// BSD waits.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

enum class found { nobody, somebody, zombie };

static bool in_group(const proc *child, const pid *group)
{
	const task_struct *leader = host_pid_leader(child->p_pid);
	return leader && host_task_pgid(leader) == group;
}

// By Linux's word: it makes a child plain in exec before it tells of the exec, and
// when the exec then fails.
static bool is_clone(const proc *child)
{
	if (child->p_sigparent == SIGCHLD)
		return false;
	const task_struct *leader = host_pid_leader(child->p_pid);
	return !leader || host_task_exit_signal(leader) != SIGCHLD;
}

static bool wanted(const core_wait_args *w, const proc *child)
{
	if (is_clone(child) != !!w->linuxclone)
		return false;
	switch (w->idtype) {
	case CORE_P_PID:
		return child->p_pid == w->id;
	case CORE_P_PGID:
		return in_group(child, w->id);
	case CORE_P_ALL:
		break;
	}
	return true;
}

// Whether a living child of q may yet become what is waited for.
static bool living_wanted(const core_wait_args *w, proc *q) REQUIRES(q->p_token)
{
	if (w->idtype == CORE_P_ALL && !w->linuxclone && q->p_nchildren > q->p_nclone)
		return true;
	if (w->idtype == CORE_P_ALL && !q->p_nclone)
		return false;
	for (proc *child = q->p_children.first(); child; child = q->p_children.after(child))
		if (wanted(w, child))
			return true;
	return false;
}

// What a look has found so far, and what is to be done about it.
struct sight {
	found result = found::nobody;
	proc *released = nullptr; // Linux no longer has it; with a reference
};

// A zombie that is waited for; true: the look is over.
static bool look_at(proc *q, lwp *lp, core_wait_args *w, proc *child, sight *s) REQUIRES(q->p_token)
{
	if (child->p_gone.load())
		return false; // somebody is releasing it
	switch (host_pid_reap(child->p_pid)) {
	case HOST_REAP_GONE:
		child->p_refs.add(1);
		s->released = child;
		return true;
	case HOST_REAP_NOT_YET:
		s->result = found::somebody;
		return false;
	case HOST_REAP_READY:
		break;
	}
	s->result = found::somebody;
	if (child->p_claimant)
		return false;
	child->p_claimant = lp;
	lp->lwp_claim = child;
	host_pid_get(child->p_pid);
	w->pid = child->p_pid;
	w->xstat = proc_xstat(child);
	w->shared = q->p_nthreads > 1;
	s->result = found::zombie;
	return true;
}

// One look at the caller's children.
static sight look(lwp *lp, core_wait_args *w)
{
	proc *q = lp->lwp_proc;
	sight s;

	guard g(q->p_token);
	if (w->idtype == CORE_P_PID) {
		proc *child = proc_by_pid(w->id);
		if (!child || child->p_pptr.load() != q || !wanted(w, child))
			return s;
		if (child->p_ended)
			look_at(q, lp, w, child, &s);
		else
			s.result = found::somebody;
		return s;
	}
	for (proc *child = q->p_zombies.first(); child; child = q->p_zombies.after(child))
		if (wanted(w, child) && look_at(q, lp, w, child, &s))
			return s;
	if (living_wanted(w, q))
		s.result = found::somebody;
	return s;
}

static found scan(lwp *lp, core_wait_args *w)
{
	rcu_guard rcu;
	for (;;) {
		const sight s = look(lp, w);
		if (!s.released)
			return s.result;
		proc_release(s.released);
		proc_drop(s.released);
	}
}

// Asleep from here on: what ends after prepare() wakes us, so a look that finds
// nothing is still true when we sleep.
static int wait_asleep(lwp *lp, core_wait_args *w)
{
	for (;;) {
		core_settle();
		host_wait_prepare(w->waiter);
		limbo_settle();
		const found result = scan(lp, w);
		const bool interrupted = result == found::somebody && host_wait_sleep(w->waiter);
		host_wait_finish(w->waiter);

		if (result == found::zombie)
			return 0;
		if (result == found::nobody)
			return err::child;
		if (interrupted)
			return err::restartsys;
	}
}

} // namespace bsd

using namespace bsd;

int core_wait(core_wait_args *args)
{
	lwp *lp = lwp_of_current();
	if (!lp)
		return err::nomem;

	{
		rcu_guard rcu;
		ktrwait(lp->lwp_proc, args->id);
	}
	// The last claim is done with: reaped here, or by a native wait elsewhere.
	core_wait_end();

	args->pid = nullptr;
	found result = scan(lp, args);
	if (result == found::zombie)
		return 0;
	if (args->nohang || result == found::nobody) {
		core_settle();
		result = scan(lp, args);
		if (result == found::nobody)
			return err::child;
		if (result == found::zombie || args->nohang)
			return 0;
	}
	return wait_asleep(lp, args);
}

void core_wait_end(void)
{
	rcu_guard rcu;
	lwp *lp = lwp_find(host_current());
	if (!lp)
		return;
	proc *p = lp->lwp_proc, *reaped = nullptr;
	bool wake;
	{
		guard g(p->p_token);
		proc *child = lp->lwp_claim;
		if (child && host_pid_reap(child->p_pid) == HOST_REAP_GONE) {
			reaped = child;
			reaped->p_refs.add(1);
		}
		wake = claim_drop(p, lp);
	}
	if (reaped) {
		proc_release(reaped);
		proc_drop(reaped);
	}
	if (wake)
		wake_waiters(p);
}
