// SPDX-License-Identifier: GPL-2.0-only
// kern_wait: the parent's side of an exit, and of what else children report.
//
// The core finds and claims a zombie; the library reaps it natively. So Linux's
// once-only reaping decides between native and BSD waits, and the claim between
// BSD waits. Stops and continues need no claim: who is late finds the mark gone.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

enum class found { nobody, somebody, something };

// By Linux's word: it makes a child plain in exec before it tells of the exec, and
// when the exec then fails.
static bool is_clone(const proc *child)
{
	if (child->p_sigparent == SIGCHLD)
		return false;
	const task_struct *leader = host_pid_leader(child->p_pid);
	return !leader || host_task_exit_signal(leader) != SIGCHLD;
}

static bool right_id(const core_wait_args *w, const task_struct *task, const pid *id)
{
	switch (w->idtype) {
	case CORE_P_ALL:
		break;
	case CORE_P_PID:
		return id == w->id;
	case CORE_P_PGID:
		return host_task_pgid(task) == w->id;
	case CORE_P_SID:
		return host_task_sid(task) == w->id;
	case CORE_P_UID:
		return host_task_euid(task) == w->user;
	case CORE_P_GID:
		return host_task_egid(task) == w->user;
	}
	return true;
}

// Whether children of its kind are waited for: plain ones, or clones. Linux, too, asks that
// of nobody whom the caller traces.
static bool right_kind(const core_wait_args *w, const proc *child)
{
	if ((w->options & CORE_WALL) || is_clone(child) == !!(w->options & CORE_WLINUXCLONE))
		return true;
	int code;
	const task_struct *leader = host_pid_leader(child->p_pid);
	return leader && (host_task_marks(leader, &code) & HOST_MARK_MINE);
}

bool wait_wants(const core_wait_args *w, const proc *child)
{
	if (!right_kind(w, child))
		return false;
	if (w->idtype == CORE_P_ALL)
		return true;
	const task_struct *leader = host_pid_leader(child->p_pid);
	return leader && right_id(w, leader, child->p_pid);
}

bool wait_wants(const core_wait_args *w, const task_struct *tracee)
{
	return right_id(w, tracee, host_task_pid(tracee));
}

namespace
{

struct member_search {
	const core_wait_args *w;
	const proc *q;
};

} // namespace

static int is_living_child(task_struct *leader, void *arg)
{
	const auto *s = static_cast<member_search *>(arg);
	const proc *child = proc_of(leader);
	return child && child->p_pptr.load() == s->q && !child->p_ended && wait_wants(s->w, child);
}

// One that has ended and is not asked for is nobody to wait for, nor is one that somebody is
// collecting.
bool tracee_may_report(const core_wait_args *w, const task_struct *task)
{
	int code;
	const unsigned marks = host_task_marks(task, &code);
	return (marks & HOST_MARK_MINE) &&
	       (!(marks & HOST_MARK_ENDED) || (w->options & CORE_WEXITED));
}

static int is_wanted_tracee(task_struct *task, void *arg)
{
	const core_wait_args *w = static_cast<member_search *>(arg)->w;
	return tracee_may_report(w, task) && wait_wants(w, task);
}

// Among the members of the group or session that is waited for, rather than among the children,
// of whom there may be more.
static bool living_in_group(const core_wait_args *w, const proc *q) REQUIRES(q->p_token)
{
	member_search s{.w = w, .q = q};
	switch (w->idtype) {
	case CORE_P_PGID:
		return host_members_find(w->id, HOST_GROUP_PGRP, q->p_nchildren, is_living_child,
					 &s);
	case CORE_P_SID:
		return host_members_find(w->id, HOST_GROUP_SESSION, q->p_nchildren, is_living_child,
					 &s);
	default:
		return false;
	}
}

static bool living_child(const core_wait_args *w, proc *q) REQUIRES(q->p_token)
{
	if (!q->p_nchildren)
		return false;
	if (w->idtype == CORE_P_ALL) {
		const bool clones = w->options & CORE_WLINUXCLONE;
		if ((w->options & CORE_WALL) || (!clones && q->p_nchildren > q->p_nclone))
			return true;
		if (clones && !q->p_nclone)
			return false;
	}
	if (living_in_group(w, q))
		return true;
	for (proc *child = q->p_children.first(); child; child = q->p_children.after(child))
		if (wait_wants(w, child))
			return true;
	return false;
}

// Whether somebody may yet become what is waited for; traces: q does.
static bool living_wanted(const core_wait_args *w, proc *q, bool traces) REQUIRES(q->p_token)
{
	if (living_child(w, q))
		return true;
	if (!traces)
		return false;
	member_search s{.w = w, .q = q};
	return host_tracees_find_soon(is_wanted_tracee, &s) ||
	       host_tracees_find(is_wanted_tracee, &s);
}

// What a look has found so far, and what is to be done about it.
struct sight {
	found result = found::nobody;
	proc *released = nullptr; // Linux no longer has it; with a reference
	unsigned crowd = 0;       // see watch_find()
};

static void report(core_wait_args *w, pid *id, unsigned what, int xstat, sight *s)
{
	w->pid = id;
	w->what = what;
	w->xstat = xstat;
	s->result = found::something;
}

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
	// Not asked for, it is nobody to wait for either.
	if (!(w->options & CORE_WEXITED))
		return false;
	s->result = found::somebody;
	if (child->p_claimant)
		return false;
	if (!(w->options & CORE_WNOWAIT)) {
		KKASSERT(child->p_ended && !lp->lwp_claim);
		child->p_claimant = lp;
		lp->lwp_claim = child;
		w->shared = q->p_nthreads > 1;
	}
	host_pid_get(child->p_pid);
	report(w, child->p_pid, CORE_WEXITED, proc_xstat(child), s);
	return true;
}

// One look at the child or tracee that w->id names.
static void look_at_one(proc *q, lwp *lp, core_wait_args *w, sight *s) REQUIRES(q->p_token)
{
	proc *child = proc_by_pid(w->id);
	if (child && child->p_pptr.load() == q && wait_wants(w, child)) {
		if (!child->p_ended)
			s->result = found::somebody;
		else if (look_at(q, lp, w, child, s))
			return;
	} else {
		child = nullptr;
	}
	bool traced;
	const change c = change_find(q, w, &traced);
	if (!child && traced)
		s->result = found::somebody;
	if (c.id)
		report(w, c.id, c.what, c.xstat, s);
}

static bool asks_for_stops(const core_wait_args *w, bool traces)
{
	return traces || (w->options & (CORE_WUNTRACED | CORE_WCONTINUED));
}

// One look at the caller's children.
static sight look(lwp *lp, core_wait_args *w, bool traces)
{
	proc *q = lp->lwp_proc;
	sight s;

	guard g(q->p_token);
	if (w->idtype == CORE_P_PID) {
		look_at_one(q, lp, w, &s);
		return s;
	}
	for (proc *child = q->p_zombies.first(); child; child = q->p_zombies.after(child))
		if (wait_wants(w, child) && look_at(q, lp, w, child, &s))
			return s;
	if (asks_for_stops(w, traces)) {
		const change c = watch_find(q, w, traces, &s.crowd);
		if (c.id) {
			report(w, c.id, c.what, c.xstat, &s);
			return s;
		}
	}
	if (s.result == found::nobody && living_wanted(w, q, traces))
		s.result = found::somebody;
	return s;
}

static sight scan(lwp *lp, core_wait_args *w)
{
	rcu_guard rcu;
	const bool traces = host_process_traces();
	for (;;) {
		const sight s = look(lp, w, traces);
		if (!s.released)
			return s;
		proc_release(s.released);
		proc_drop(s.released);
	}
}

// There should be a watch before, and room in it after, a look. May sleep.
static void watch_prepare(proc *q, const core_wait_args *w)
{
	if (w->idtype == CORE_P_PID)
		return;
	bool asks;
	{
		rcu_guard rcu;
		asks = asks_for_stops(w, host_process_traces());
	}
	if (asks)
		watch_open(q);
}

static void watch_grow(proc *q, const sight &s)
{
	host_watch *watch = q->p_watch.load();
	if (watch && s.crowd)
		host_watch_grow(watch, 2 * s.crowd);
}

static found scan_and_grow(lwp *lp, core_wait_args *w)
{
	const sight s = scan(lp, w);
	watch_grow(lp->lwp_proc, s);
	return s.result;
}

// Asleep from here on: what ends after prepare() wakes us, so a look that finds
// nothing is still true when we sleep.
static int wait_asleep(lwp *lp, core_wait_args *w)
{
	for (;;) {
		core_settle();
		host_wait_prepare(w->waiter);
		limbo_settle();
		const sight s = scan(lp, w);
		const found result = s.result;
		const bool interrupted = result == found::somebody && host_wait_sleep(w->waiter);
		host_wait_finish(w->waiter);
		watch_grow(lp->lwp_proc, s);

		if (result == found::something)
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

	const bool nohang = args->options & CORE_WNOHANG;
	args->pid = nullptr;
	args->what = 0;
	args->shared = false;
	watch_prepare(lp->lwp_proc, args);
	found result = scan_and_grow(lp, args);
	if (result == found::something)
		return 0;
	if (nohang || result == found::nobody) {
		core_settle();
		result = scan_and_grow(lp, args);
		if (result == found::nobody)
			return err::child;
		if (result == found::something || nohang)
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
