// SPDX-License-Identifier: GPL-2.0-only
// Limbo: procs of which Linux may change something without telling.
//
// No event marks the moment when Linux gives the children of an ending process
// to another one, nor the end of a task whose exit had begun before the module
// knew it. A proc for which such a moment may be near is put here by whoever
// notices (an lwp that exits while the proc has children, a child linked while
// an lwp leaves, an lwp adopted inside do_exit), and stays until it is past.
// Who is about to say what the model says, or that something is not there,
// settles limbo first: it asks Linux and moves what Linux has moved. Nothing
// polls: while nobody looks, nobody can tell. Most of the time limbo is empty,
// and settling is one load.
#include "proc.hh"

namespace bsd {

static constinit spinlock limbo_lock{};
static constinit list<proc, limbo_tag> limbo{};
static constinit atomic<unsigned> limbo_count{};

void limbo_init()
{
	limbo_lock.init(HOST_LOCK_LIMBO);
	limbo.init();
}

void limbo_add(proc *p)
{
	guard g(limbo_lock);
	if (p->p_inlimbo)
		return;
	p->p_inlimbo = true;
	if (p != &proc0)
		p->p_refs.add(1);
	limbo.push_back(p);
	limbo_count.add(1);
}

static void take_out(proc *p) REQUIRES(limbo_lock)
{
	p->p_inlimbo = false;
	limbo.erase(p);
	limbo_count.add(-1u);
	if (p != &proc0)
		proc_drop(p);
}

void limbo_remove(proc *p)
{
	guard g(limbo_lock);
	if (p->p_inlimbo)
		take_out(p);
}

void limbo_drain()
{
	guard g(limbo_lock);
	while (proc *p = limbo.first())
		take_out(p);
}

// A child of p in `siblings` that Linux has given to another proc.
static proc *find_astray(proc *p, list<proc, sibling_tag> &siblings)
{
	for (proc *child = siblings.first(); child; child = siblings.after(child)) {
		const proc *to = proc_linux_parent(child);
		if (to && to != p)
			return child;
	}
	return nullptr;
}

// The same in all of p's, with a reference.
static proc *hold_astray(proc *p)
{
	guard g(p->p_token);
	proc *child = find_astray(p, p->p_children);
	if (!child)
		child = find_astray(p, p->p_zombies);
	if (child)
		child->p_refs.add(1);
	return child;
}

static void settle_children(proc *p)
{
	while (proc *child = hold_astray(p)) {
		proc_reparent(child, nullptr);
		proc_drop(child);
	}
}

// proc0 is here with children whose parent the model could not name.
static bool settle_root()
{
	settle_children(&proc0);
	guard g(proc0.p_token);
	for (proc *child = proc0.p_children.first(); child; child = proc0.p_children.after(child))
		if (!proc_linux_parent(child))
			return false;
	return true;
}

// Lwps adopted inside do_exit that have come out of it.
static bool settle_stranded(proc *p) REQUIRES(p->p_token)
{
	bool all = true;
	for (lwp *lp = p->p_lwp_tree.after(0); lp; lp = p->p_lwp_tree.after(lp->lwp_tid)) {
		if (!(lp->lwp_flag & LWP_STRANDED) || (lp->lwp_flag & LWP_EXITED))
			continue;
		if (host_task_bits(lp->task) & HOST_TASK_EXITED)
			lwp_exited(p, lp);
		else
			all = false;
	}
	return all;
}

// p itself; true: nothing more will change in silence.
static bool settle_self(proc *p)
{
	bool quiet, ended = false;
	int xstat = 0;
	{
		guard g(p->p_token);
		const task_struct *leader = host_pid_leader(p->p_pid);
		if (!leader)
			return false; // its release is on the way, and takes it out

		quiet = settle_stranded(p);
		const unsigned bits = host_task_bits(leader);
		if (!p->p_nthreads && p->p_stat != CORE_SZOMB) {
			ended = (bits & HOST_TASK_EXITED) && (bits & HOST_TASK_ALONE);
			xstat = host_task_xstat(leader);
			quiet = quiet && ended;
		}
		// Every lwp that left has told Linux so: all but an ended leader
		// are freed by then.
		const lwp *lp = p->p_mainlwp;
		const bool lingers = lp && (lp->lwp_flag & LWP_EXITED);
		if (p->p_nleaving != lingers || (lingers && !(bits & HOST_TASK_EXITED)))
			quiet = false;
	}
	if (ended)
		proc_zombie(p, xstat);
	return quiet;
}

static bool settle(proc *p)
{
	// Quiet first: then what the children's look finds is the last of it.
	const bool quiet = settle_self(p);
	settle_children(p);
	return quiet;
}

void limbo_settle()
{
	if (!limbo_count.load())
		return;
	rcu_guard rcu;
	guard g(limbo_lock);
	for (proc *p = limbo.first(), *next; p; p = next) {
		next = limbo.after(p);
		if (p == &proc0 ? settle_root() : settle(p))
			take_out(p);
	}
}

} // namespace bsd
