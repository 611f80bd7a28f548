// SPDX-License-Identifier: GPL-2.0-only
// STOPEVENT: a process stays where it is in its exit until its tracer lets it go.
//
// What procfs is to the seed is a handle here: who opened it asks for stops, reads which
// processes have stopped, and continues them. One lock for all of it, as only who is traced
// comes here; others pay one load at birth and one at exit.
#include "errno.hh"
#include "proc.hh"

using namespace bsd;

// A handle. It has procs, of which some are stopped; all of it under stop_lock.
struct core_tracer {
	host_tracer *host;
	list<proc, traced_tag> traced;  // asked for, or stopped and told
	list<proc, traced_tag> stopped; // to be told, in the order of stopping
	unsigned count;
};

namespace bsd
{

static constinit spinlock stop_lock{};

static void attach(core_tracer *t, proc *p, unsigned events) REQUIRES(stop_lock)
{
	p->p_tracer.store(t);
	p->p_stops = events;
	t->traced.push_back(p);
	t->count++;
}

// Lets p go, if it has stopped.
static void detach(proc *p) REQUIRES(stop_lock)
{
	core_tracer *t = p->p_tracer.load();
	list<proc, traced_tag>::erase(p);
	t->count--;
	p->p_stops = 0;
	p->p_stype.store(0);
	p->p_tracer.store(nullptr);
	host_wakeup(&p->p_stype);
}

// The tracer of p if that asked for the event; its host is there as long as RCU is held.
static host_tracer *tracer_for(proc *p, unsigned event)
{
	guard g(stop_lock);
	core_tracer *t = p->p_tracer.load();
	return t && (p->p_stops & event) ? t->host : nullptr;
}

// Whether p has to stop; then it has been put where its tracer finds it.
static bool stop(proc *p, unsigned event)
{
	rcu_guard rcu;
	host_tracer *host = tracer_for(p, event);
	if (!host)
		return false;
	if (!host_tracer_may(host)) {
		stops_end(p);
		return false;
	}
	{
		guard g(stop_lock);
		// The handle may be closed by now; if there is another, that has just been
		// found to have the right.
		core_tracer *t = p->p_tracer.load();
		if (!t || !(p->p_stops & event))
			return false;
		list<proc, traced_tag>::erase(p);
		t->stopped.push_back(p);
		p->p_stype.store(event);
		host = t->host;
	}
	host_tracer_wake(host);
	return true;
}

static int may_go(void *p)
{
	return !static_cast<proc *>(p)->p_stype.load();
}

RARE static void stop_if_asked(proc *p, unsigned event)
{
	// Whom it traces by ptrace may be its tracer here, and stop for it on the way out.
	if (!host_traces() && stop(p, event))
		host_sleep(&p->p_stype, may_go, p);
	stops_end(p);
}

void stopevent(proc *p, unsigned event)
{
	if (p->p_tracer.load())
		stop_if_asked(p, event);
}

RARE static void inherit(proc *child, proc *maker)
{
	guard g(child->p_token);
	// One whose birth was missed may be past its stop, or released.
	if (child->p_gone.load() || proc_exiting(child))
		return;
	guard s(stop_lock);
	core_tracer *t = maker->p_tracer.load();
	// Somebody else may have found the child, and asked for a stop.
	if (t && (maker->p_stops & CORE_S_FORK) && !child->p_tracer.load())
		attach(t, child, maker->p_stops);
}

void stops_fork(proc *child, proc *maker)
{
	if (maker->p_tracer.load())
		inherit(child, maker);
}

RARE static void end(proc *p)
{
	rcu_guard rcu;
	host_tracer *host = nullptr;
	{
		guard g(stop_lock);
		if (core_tracer *t = p->p_tracer.load()) {
			detach(p);
			if (!t->count)
				host = t->host;
		}
	}
	if (host)
		host_tracer_wake(host);
}

void stops_end(proc *p)
{
	if (p->p_tracer.load())
		end(p);
}

void stops_init()
{
	stop_lock.init(HOST_LOCK_STOP);
}

// Asks for the events on p; none: not any more, and p may go.
static int ask(core_tracer *t, proc *p, unsigned events)
{
	guard g(p->p_token);
	// Who has begun to exit may be past the place where it would stop.
	const bool late = p->p_gone.load() || proc_exiting(p);
	guard s(stop_lock);
	const core_tracer *now = p->p_tracer.load();
	if (now && now != t)
		return err::busy;
	if (now && !events)
		detach(p);
	else if (now)
		p->p_stops = events;
	else if (!events || late)
		return err::srch;
	else
		attach(t, p, events);
	return 0;
}

} // namespace bsd

core_tracer *core_tracer_new(host_tracer *host)
{
	auto *t = static_cast<core_tracer *>(host_malloc(sizeof(core_tracer)));
	if (!t)
		return nullptr;
	t->host = host;
	t->traced.init();
	t->stopped.init();
	return t;
}

void core_tracer_free(core_tracer *t)
{
	{
		guard g(stop_lock);
		while (proc *p = t->stopped.first() ?: t->traced.first())
			detach(p);
	}
	host_mfree(t);
}

int core_tracer_stops(core_tracer *t, task_struct *leader, unsigned events)
{
	if (host_task_kthread(leader) || (host_task_bits(leader) & HOST_TASK_RELEASED))
		return err::srch;
	lwp *lp = lwp_find_or_adopt(leader);
	if (!lp)
		return err::nomem;
	return ask(t, lp->lwp_proc, events);
}

int core_tracer_next(core_tracer *t, core_stopped *stopped)
{
	guard g(stop_lock);
	proc *p = t->stopped.first();
	if (!p)
		return t->count ? err::again : err::child;
	list<proc, traced_tag>::erase(p);
	t->traced.push_back(p);
	host_pid_get(p->p_pid);
	stopped->pid = p->p_pid;
	stopped->event = p->p_stype.load();
	stopped->xstat = 0;
	if (const task_struct *leader = host_pid_leader(p->p_pid))
		stopped->xstat = host_task_xstat(leader);
	return 0;
}

void core_tracer_again(core_tracer *t, pid *pid)
{
	proc *p = proc_by_pid(pid);
	guard g(stop_lock);
	if (!p || p->p_tracer.load() != t || !p->p_stype.load())
		return;
	list<proc, traced_tag>::erase(p);
	t->stopped.insert_before(t->stopped.first(), p);
}

int core_tracer_state(core_tracer *t)
{
	guard g(stop_lock);
	if (!t->stopped.empty())
		return 0;
	return t->count ? err::again : err::child;
}

int core_tracer_cont(core_tracer *t, pid *pid)
{
	proc *p = proc_by_pid(pid);
	guard g(stop_lock);
	if (!p || p->p_tracer.load() != t || !p->p_stype.load())
		return err::srch;
	detach(p);
	return 0;
}
