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

namespace bsd
{

static constinit spinlock limbo_lock{};
static constinit list<proc, limbo_tag> limbo{};
static constinit atomic<unsigned> limbo_count{};

void limbo_init()
{
	limbo_lock.init(HOST_LOCK_LIMBO);
	limbo.init();
}

static void insert(proc *p) REQUIRES(limbo_lock)
{
	if (p->p_inlimbo.load())
		return;
	p->p_inlimbo.store(true);
	if (p != &proc0)
		p->p_refs.add(1);
	limbo.push_back(p);
	limbo_count.add(1);
}

void limbo_add(proc *p)
{
	guard g(limbo_lock);
	insert(p);
}

static void take_out(proc *p) REQUIRES(limbo_lock)
{
	p->p_inlimbo.store(false);
	limbo.erase(p);
	limbo_count.add(-1u);
	if (p != &proc0)
		proc_drop(p);
}

void limbo_remove(proc *p)
{
	// Most procs never were there. Who comes later is taken out by settle().
	if (!p->p_inlimbo.load())
		return;
	guard g(limbo_lock);
	if (p->p_inlimbo.load())
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

static bool all_known(list<proc, sibling_tag> &siblings)
{
	for (proc *child = siblings.first(); child; child = siblings.after(child))
		if (!proc_linux_parent(child))
			return false;
	return true;
}

// All moving is done under limbo's lock: who is given a child while it leaves, and so may
// have given it away to Linux's mind already, is in limbo before anybody else looks.
static void reparent(proc *child, proc *from, proc *fallback) REQUIRES(limbo_lock)
{
	if (proc *leaving = proc_reparent(child, from, fallback))
		insert(leaving);
}

void limbo_reparent(proc *child, proc *from, proc *fallback)
{
	guard g(limbo_lock);
	reparent(child, from, fallback);
}

// False: the model cannot name the parent of some, for want of memory.
static bool settle_children(proc *p) REQUIRES(limbo_lock)
{
	while (proc *child = hold_astray(p)) {
		reparent(child, p, nullptr);
		proc_drop(child);
	}
	guard g(p->p_token);
	return all_known(p->p_children) && all_known(p->p_zombies);
}

// Whether a thread runs that has not entered do_exit: then Linux cannot have given
// children away. Lwps adopted inside do_exit that have come out of it are done.
bool find_alive(proc *p)
{
	bool alive = false;
	for (lwp *lp = p->p_lwp_tree.after(0); lp && (!alive || p->p_nstranded);
	     lp = p->p_lwp_tree.after(lp->lwp_tid)) {
		const unsigned bits = host_task_bits(lp->task);
		alive |= !(bits & HOST_TASK_EXITING);
		if ((lp->lwp_flag & LWP_STRANDED) && (bits & HOST_TASK_EXITED))
			lwp_exited(p, lp);
	}
	return alive;
}

// Linux has no such process any more, and the model never saw it end: it was adopted
// in its exit, or superseded. Its parent has it no more, though a task of it is yet
// to be freed.
static void settle_released(proc *p)
{
	parent_guard g(p);
	proc *pp = g.get();
	// Else who looks at the zombies releases it, and wakes who saw its claim.
	if (pp && !p->p_ended) {
		pp->p_token.held();
		proc_unlink(p, pp);
	}
}

// Whether another proc is its process's now: an exec by a thread that the model did
// not know, and the old leader, which it knew, is not freed yet.
static bool superseded(const proc *p)
{
	const proc *now = proc_by_pid(p->p_pid);
	return now && now != p;
}

// True: nothing more will change in silence.
static bool settle(proc *p) REQUIRES(limbo_lock)
{
	bool quiet, alive, released;
	task_struct *ended = nullptr;
	if (p->p_gone.load()) {
		// Another CPU is releasing it, but may not have come to the
		// children; who waits for them must not miss them meanwhile.
		settle_children(p);
		return true;
	}
	{
		guard g(p->p_token);
		task_struct *leader = host_pid_leader(p->p_pid);
		released = !leader || superseded(p);
		alive = find_alive(p);
		// Without a leader, its release is on the way, and takes it out.
		quiet = leader && !host_group_exiting(leader) && !p->p_nstranded;
		if (!released && !p->p_nthreads && p->p_stat != CORE_SZOMB) {
			const unsigned bits = host_task_bits(leader);
			if ((bits & HOST_TASK_EXITED) && (bits & HOST_TASK_ALONE))
				ended = leader;
			else
				quiet = false;
		}
	}
	if (ended)
		proc_zombie(p, ended);
	// After the look for quiet: what this finds then is the last of it.
	const bool all = alive || settle_children(p);
	if (released)
		settle_released(p);
	return all && quiet;
}

void limbo_settle()
{
	if (!limbo_count.load())
		return;
	rcu_guard rcu;
	guard g(limbo_lock);
	for (proc *p = limbo.first(), *next; p; p = next) {
		// proc0 is here with children whose parent the model could not name.
		const bool settled = p == &proc0 ? settle_children(p) : settle(p);
		next = limbo.after(p); // somebody may have come to the end
		if (settled)
			take_out(p);
	}
}

} // namespace bsd
