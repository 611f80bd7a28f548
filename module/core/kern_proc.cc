// SPDX-License-Identifier: GPL-2.0-only
// Procs: finding, linking, reparenting, releasing.
#include "proc.hh"

namespace bsd
{

constinit proc proc0{};

lwp *lwp_find(const task_struct *task)
{
	return static_cast<lwp *>(host_map_find(task));
}

proc *proc_of(const task_struct *task)
{
	lwp *lp = lwp_find(task);
	return lp ? lp->lwp_proc : nullptr;
}

proc *proc_by_pid(pid *pid)
{
	task_struct *leader = host_pid_leader(pid);
	return leader ? proc_of(leader) : nullptr;
}

void proc_init(proc *p) NO_THREAD_SAFETY_ANALYSIS
{
	p->p_token.init(HOST_LOCK_PROC);
	p->p_children.init();
	p->p_zombies.init();
	p->p_peers.init();
	p->p_stat = CORE_SACTIVE;
}

proc *proc_alloc(task_struct *task, pid *pid, unsigned flag) NO_THREAD_SAFETY_ANALYSIS
{
	auto *p = alloc<proc>(HOST_POOL_PROC);
	if (!p)
		return nullptr;
	proc_init(p);
	host_pid_get(pid);
	p->p_pid = pid;
	p->p_flag = flag;
	p->p_refs.store(2); // the model's, and the first lwp's
	p->p_firstlwp.task = task;
	p->p_firstlwp.lwp_proc = p;
	return p;
}

// Nobody has it, and it has nobody. Readers may still come by, and change nothing.
static void assert_released(proc *p) NO_THREAD_SAFETY_ANALYSIS
{
	KKASSERT(p->p_gone.load() && !p->p_pptr.load() && !p->p_claimant);
	KKASSERT(!p->p_nthreads && !p->p_nrunning && !p->p_nstranded && !p->p_nleaving);
	KKASSERT(!p->p_nhooked.load() && !p->p_lwp_tree.after(0));
	KKASSERT(!p->p_nchildren && !p->p_nzombies && !p->p_nclone);
	KKASSERT(!p->p_leader.load() && !p->p_npeers.load());
	KKASSERT(!p->p_tracer.load() && !p->p_watch.load() && !p->p_inlimbo.load());
}

void proc_drop(proc *p)
{
	const int left = p->p_refs.add(-1);
	KKASSERT(left >= 0);
	if (left)
		return;
	// At the module's end all go as they are.
	if (invariants && !model_stops())
		assert_released(p);
	// The first lwp is long out of the map, and its work done.
	host_reclaim_later(HOST_POOL_PROC, &p->p_firstlwp);
}

parent_guard::parent_guard(proc *child)
{
	while ((pp_ = child->p_pptr.load())) {
		pp_->p_token.lock();
		if (child->p_pptr.load() == pp_)
			return;
		pp_->p_token.unlock();
	}
}

parent_guard::~parent_guard()
{
	if (pp_)
		pp_->p_token.unlock();
}

void proc_link(proc *child, proc *parent)
{
	// One that is released gets no more children; what it still has may end.
	KKASSERT(!parent->p_gone.load() || child->p_pptr.load() == parent);
	if (child->p_ended) {
		parent->p_zombies.push_back(child);
		parent->p_nzombies++;
	} else {
		parent->p_children.push_back(child);
		parent->p_nchildren++;
		parent->p_nclone += child->p_sigparent != SIGCHLD;
	}
	child->p_pptr.store(parent);
}

// Its p_pptr stays as it is.
OFTEN static void take_off(proc *child, proc *parent) REQUIRES(parent->p_token)
{
	KKASSERT(child->p_pptr.load() == parent);
	if (child->p_claimant) {
		child->p_claimant->lwp_claim = nullptr;
		child->p_claimant = nullptr;
	}
	list<proc, sibling_tag>::erase(child);
	if (child->p_ended) {
		parent->p_nzombies--;
	} else {
		parent->p_nchildren--;
		parent->p_nclone -= child->p_sigparent != SIGCHLD;
	}
}

void proc_unlink(proc *child, proc *parent)
{
	take_off(child, parent);
	child->p_pptr.store(nullptr);
}

void proc_move(proc *child, proc *from, proc *to, bool ended, int sigparent)
{
	take_off(child, from);
	child->p_ended = ended;
	child->p_sigparent = sigparent;
	proc_link(child, to);
}

proc *proc_linux_parent(const proc *child)
{
	const task_struct *leader = host_pid_leader(child->p_pid);
	if (!leader)
		return nullptr;
	const task_struct *parent = host_task_real_parent(leader);
	if (host_task_kthread(parent))
		return &proc0;
	return proc_of(parent);
}

proc *proc_reparent(proc *child, proc *from, proc *fallback) NO_THREAD_SAFETY_ANALYSIS
{
	while (child->p_pptr.load() == from) {
		proc *to = proc_linux_parent(child);
		if (!to || (to == from && fallback))
			to = fallback;
		if (!to || to == from)
			return nullptr;

		// Two procs are locked only here, the lower address first.
		proc *first = from < to ? from : to, *second = from < to ? to : from;
		first->p_token.lock();
		second->p_token.lock_second();
		// Linux never gives a child to a process that it has released: if
		// it looks so, it has given the child to yet another one by now.
		const bool moved = child->p_pptr.load() == from && !to->p_gone.load();
		if (moved) {
			const task_struct *leader = host_pid_leader(child->p_pid);
			proc_move(child, from, to, child->p_ended,
				  leader ? host_task_exit_signal(leader) : SIGCHLD);
			watch_newcomer(to, child);
		}
		const bool leaving = moved && to != &proc0 && proc_leaving(to);
		second->p_token.unlock();
		first->p_token.unlock();
		if (moved)
			return leaving ? to : nullptr;
	}
	return nullptr;
}

bool proc_leaving(const proc *p)
{
	return p->p_nleaving || !p->p_nrunning;
}

// Linux has given the children away when a process's last thread ended.
static void release_children(proc *p)
{
	for (;;) {
		proc *child;
		{
			guard g(p->p_token);
			child = p->p_children.first() ?: p->p_zombies.first();
			if (!child)
				return;
			child->p_refs.add(1);
		}
		limbo_reparent(child, p, &proc0);
		if (child->p_pptr.load() == &proc0)
			limbo_add(&proc0); // to look again, should Linux know better
		proc_drop(child);
	}
}

releasing proc_begin_release(proc *p)
{
	const releasing r{.first = !p->p_gone.load(), .children = has_children(p)};
	p->p_gone.store(true);
	return r;
}

void proc_release(proc *p)
{
	releasing r;
	{
		guard g(p->p_token);
		r = proc_begin_release(p);
	}
	proc_end_release(p, r);
}

void proc_end_release(proc *p, releasing r)
{
	if (!r.first)
		return;
	if (r.children)
		release_children(p);
	limbo_remove(p);
	peers_leave(p);
	stops_end(p);
	ktrexit(p, nullptr);
	vmspace_leave(p);

	const proc *claimed_by = nullptr, *reaped_by = nullptr;
	{
		parent_guard g(p);
		if (proc *pp = g.get()) {
			pp->p_token.held();
			if (p->p_claimant)
				claimed_by = pp;
			if (p->p_ended)
				reaped_by = pp;
			proc_unlink(p, pp);
		}
	}
	if (reaped_by)
		ktrreap(reaped_by, p);
	// Who saw the claim may sleep for its outcome.
	if (claimed_by)
		wake_waiters(claimed_by);
	proc_drop(p);
}

void release_reaped(proc *p, unsigned looks)
{
	for (;;) {
		proc *reaped = nullptr;
		{
			guard g(p->p_token);
			for (proc *child = p->p_zombies.first(); child && !reaped && looks;
			     child = p->p_zombies.after(child), looks--)
				// Unless somebody is at it already.
				if (!child->p_gone.load() &&
				    host_pid_reap(child->p_pid) == HOST_REAP_GONE)
					reaped = child;
			if (!reaped)
				return;
			reaped->p_refs.add(1);
		}
		proc_release(reaped);
		proc_drop(reaped);
	}
}

bool claim_drop(proc *, lwp *lp)
{
	proc *child = lp->lwp_claim;
	if (!child)
		return false;
	child->p_claimant = nullptr;
	lp->lwp_claim = nullptr;
	return true;
}

void wake_waiters(const proc *p)
{
	task_struct *leader = host_pid_leader(p->p_pid);
	if (leader)
		host_wake_waiters(leader);
}

} // namespace bsd

using namespace bsd;

void core_reclaim(host_pool pool, host_work *work)
{
	lwp *lp = static_cast<lwp *>(work);
	void *object = lp;
	if (pool == HOST_POOL_PROC) {
		// Of one that had no pipeline, or did not come to be.
		varsymset_clean(lp->lwp_proc);
		host_pid_put(lp->lwp_proc->p_pid);
		object = lp->lwp_proc;
	}
	host_free(pool, object);
}
