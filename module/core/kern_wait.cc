// SPDX-License-Identifier: GPL-2.0-only
// kern_wait: the parent's side of an exit.
//
// The core finds and claims a zombie; the library reaps it natively. So Linux's
// once-only reaping decides between native and BSD waits, and the claim between
// BSD waits.
#include "errno.hh"
#include "proc.hh"

namespace bsd {

enum class found { nobody, somebody, zombie };

static bool in_group(const proc *child, const pid *group)
{
	const task_struct *leader = host_pid_leader(child->p_pid);
	return leader && host_task_pgid(leader) == group;
}

static bool wanted(const core_wait_args *w, const proc *child)
{
	if ((child->p_sigparent != SIGCHLD) != !!w->linuxclone)
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
	switch (w->idtype) {
	case CORE_P_PID: {
		const proc *child = proc_by_pid(w->id);
		return child && child->p_pptr.load() == q && !child->p_ended && wanted(w, child);
	}
	case CORE_P_PGID:
		for (proc *child = q->p_children.first(); child; child = q->p_children.after(child))
			if (wanted(w, child))
				return true;
		return false;
	case CORE_P_ALL:
		break;
	}
	return w->linuxclone ? q->p_nclone : q->p_nchildren - q->p_nclone;
}

// One look at q's children. `released`: a zombie that Linux no longer has, with
// a reference; the caller releases it and looks again.
static found look(lwp *lp, core_wait_args *w, proc **released)
{
	proc *q = lp->lwp_proc;
	found result = found::nobody;

	guard g(q->p_token);
	for (proc *child = q->p_zombies.first(); child; child = q->p_zombies.after(child)) {
		if (!wanted(w, child))
			continue;
		switch (host_pid_reap(child->p_pid)) {
		case HOST_REAP_GONE:
			child->p_refs.add(1);
			*released = child;
			return found::nobody;
		case HOST_REAP_NOT_YET:
			result = found::somebody;
			break;
		case HOST_REAP_READY:
			result = found::somebody;
			if (child->p_claimant)
				break;
			child->p_claimant = lp;
			lp->lwp_claim = child;
			host_pid_get(child->p_pid);
			w->pid = child->p_pid;
			w->xstat = child->p_xstat;
			w->shared = q->p_nthreads > 1;
			return found::zombie;
		}
	}
	if (living_wanted(w, q))
		result = found::somebody;
	return result;
}

static found scan(lwp *lp, core_wait_args *w)
{
	rcu_guard rcu;
	for (;;) {
		proc *released = nullptr;
		const found result = look(lp, w, &released);
		if (!released)
			return result;
		proc_release(released);
		proc_drop(released);
	}
}

// Asleep from here on: what ends after prepare() wakes us, so a look that finds
// nothing is still true when we sleep.
static int wait_asleep(lwp *lp, core_wait_args *w)
{
	for (;;) {
		core_settle();
		host_wait_prepare(w->waiter);
		found result = scan(lp, w);
		if (result != found::zombie) {
			limbo_settle();
			result = scan(lp, w);
		}
		const int interrupted = result == found::somebody && host_wait_sleep(w->waiter);
		host_wait_finish(w->waiter);

		if (result == found::zombie)
			return 0;
		if (result == found::nobody)
			return err::child;
		if (interrupted)
			return err::restartsys;
	}
}

static void count_waiter(proc *q, int change)
{
	guard g(q->p_token);
	q->p_nwaiters += change;
}

} // namespace bsd

using namespace bsd;

int core_wait(core_wait_args *w)
{
	lwp *lp;
	{
		rcu_guard rcu;
		lp = lwp_find_or_adopt(host_current());
	}
	if (!lp)
		return err::nomem;

	// The last claim is done with: reaped here, or by a native wait elsewhere.
	core_wait_end();

	w->pid = nullptr;
	found result = scan(lp, w);
	if (result == found::zombie)
		return 0;
	if (w->nohang || result == found::nobody) {
		core_settle();
		result = scan(lp, w);
		if (result == found::nobody)
			return err::child;
		if (result == found::zombie || w->nohang)
			return 0;
	}
	count_waiter(lp->lwp_proc, 1);
	const int error = wait_asleep(lp, w);
	count_waiter(lp->lwp_proc, -1);
	return error;
}

void core_wait_end(void)
{
	rcu_guard rcu;
	lwp *lp = lwp_find(host_current());
	if (!lp)
		return;
	proc *p = lp->lwp_proc, *reaped = nullptr;
	bool wake = false;
	{
		guard g(p->p_token);
		proc *child = lp->lwp_claim;
		if (child && host_pid_reap(child->p_pid) == HOST_REAP_GONE) {
			reaped = child;
			reaped->p_refs.add(1);
		} else {
			wake = claim_drop(p, lp);
		}
	}
	if (wake)
		wake_waiters(p);
	if (reaped) {
		proc_release(reaped);
		proc_drop(reaped);
	}
}
