// SPDX-License-Identifier: GPL-2.0-only
// Task leaders and their peers, which rfork_thread() makes: the leader's end kills its
// peers, and waits until they have left.
//
// A leader is never younger than its peers, so nobody waits for itself, over any number of
// leaders. Who joins has checked that the leader is not exiting under its p_token, where
// that begins; so after begin_exit() the peers are all there.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

static constexpr int sigkill = 9;

// Makes p a peer of that leader. 0, -ESRCH: that is exiting, -EALREADY: p is a peer.
static int join(proc *p, proc *leader)
{
	guard g(leader->p_token);
	if (leader->p_gone.load() || proc_exiting(leader))
		return err::srch;
	leader->p_refs.add(1);
	if (!p->p_leader.replace(nullptr, leader)) {
		leader->p_refs.add(-1); // not the last: it is in the model
		return err::already;
	}
	p->p_peerkilled = false;
	leader->p_peers.push_back(p);
	leader->p_npeers.add(1);
	return 0;
}

// The leader of that process, as long as the current thread is its child; RCU.
static int find_leader(const task_struct *task, int parent, proc *&leader)
{
	task_struct *elder = host_task_real_parent(task);
	pid *pid = host_task_tgid(elder);
	if (!pid || host_pid_nr(pid) != parent || host_task_kthread(elder))
		return err::srch;
	lwp *lp = lwp_find_or_adopt(elder);
	if (!lp)
		return err::nomem;
	leader = lp->lwp_proc->p_leader.load();
	if (!leader)
		leader = lp->lwp_proc;
	return 0;
}

RARE static void leave(proc *p)
{
	rcu_guard rcu;
	proc *leader = p->p_leader.load();
	if (!leader)
		return;
	{
		guard g(leader->p_token);
		if (p->p_leader.load() != leader)
			return; // somebody else was quicker
		list<proc, peer_tag>::erase(p);
		p->p_leader.store(nullptr); // from here on it may join another
		if (leader->p_npeers.add(-1u) == 0)
			host_wakeup(&leader->p_npeers);
	}
	proc_drop(leader);
}

void peers_leave(proc *p)
{
	if (p->p_leader.load())
		leave(p);
}

// A peer that has not been killed yet, with a reference; null: all are.
static proc *next_to_kill(proc *leader)
{
	guard g(leader->p_token);
	proc *p = leader->p_peers.first();
	if (!p || p->p_peerkilled)
		return nullptr;
	p->p_peerkilled = true;
	list<proc, peer_tag>::erase(p);
	leader->p_peers.push_back(p);
	p->p_refs.add(1);
	return p;
}

RARE static void kill_all(proc *leader)
{
	rcu_guard rcu;
	while (proc *p = next_to_kill(leader)) {
		// One that has become another user's is not the leader's to kill, nor
		// will the leader wait for it.
		if (host_kill(p->p_pid, sigkill) < 0)
			peers_leave(p);
		proc_drop(p);
	}
}

void peers_kill(proc *leader)
{
	if (leader->p_npeers.load())
		kill_all(leader);
}

static int have_left(void *leader)
{
	return !static_cast<proc *>(leader)->p_npeers.load() || model_stops();
}

void peers_await(proc *leader)
{
	// Whom it traces may wait for it, and a peer for that one.
	if (leader->p_npeers.load() && !host_traces())
		host_sleep(&leader->p_npeers, have_left, leader);
}

void peers_stop(proc *leader)
{
	if (leader->p_npeers.load())
		host_wakeup(&leader->p_npeers);
}

} // namespace bsd

using namespace bsd;

int core_join(int parent)
{
	lwp *lp = lwp_of_current();
	if (!lp)
		return err::nomem;
	rcu_guard rcu;
	proc *p = lp->lwp_proc, *leader;
	int error = find_leader(lp->task, parent, leader);
	if (!error)
		error = join(p, leader);
	if (error == err::srch)
		host_kill(p->p_pid, sigkill);
	return error;
}
