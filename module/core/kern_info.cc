// SPDX-License-Identifier: GPL-2.0-only
// The model as an observer sees it, and its end.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

static unsigned lwp_stat(unsigned bits)
{
	if (bits & HOST_TASK_EXITED)
		return CORE_LSZOMB;
	if (bits & HOST_TASK_STOPPED)
		return CORE_LSSTOP;
	return bits & HOST_TASK_ASLEEP ? CORE_LSSLEEP : CORE_LSRUN;
}

static unsigned lwp_flags(const proc *p, const lwp *lp) REQUIRES(p->p_token)
{
	unsigned flags = 0;
	if (lp->lwp_flag & LWP_WEXIT)
		flags |= CORE_LWP_WEXIT;
	if (lp == p->p_mainlwp)
		flags |= CORE_LWP_MAIN;
	return flags;
}

// What the lwps tell: which there are, and the process's state by theirs.
static void read_lwps(proc *p, core_kproc *kp, core_klwp *lwps, unsigned room) REQUIRES(p->p_token)
{
	bool running = false, stopped = false;

	for (lwp *lp = p->p_lwp_tree.after(0); lp; lp = p->p_lwp_tree.after(lp->lwp_tid)) {
		// Not freed before it is unlisted, so its task is there. Linux may
		// have released it since: a leader that was reaped, or went in an exec.
		const int tid = host_task_nr(lp->task);
		if (!tid)
			continue;
		const unsigned bits = host_task_bits(lp->task);
		const unsigned stat = lwp_stat(bits);
		running |= stat == CORE_LSRUN || stat == CORE_LSSLEEP;
		stopped |= stat == CORE_LSSTOP;
		if (bits & HOST_TASK_TRACED)
			kp->flags |= CORE_P_TRACED;
		if (bits & HOST_TASK_VFORK)
			kp->flags |= CORE_P_PPWAIT;
		if (kp->nlwps++ < room)
			*lwps++ = {
				.lwpid = lp->lwp_tid,
				.tid = tid,
				.stat = stat,
				.flags = lwp_flags(p, lp),
			};
	}
	kp->stat = p->p_stat;
	if (kp->stat == CORE_SACTIVE && stopped && !running)
		kp->stat = CORE_SSTOP;
}

struct listing {
	int *pids;
	unsigned room, count;
};

// By Linux's numbers and not by the map: in an exec another lwp comes to stand for the proc,
// which may lie where a walk through the map has been, and the old one where it is yet to come.
static void list_one(pid *pid, int nr, void *arg)
{
	auto *l = static_cast<listing *>(arg);
	if (proc_by_pid(pid) && l->count++ < l->room)
		l->pids[l->count - 1] = nr;
}

// At the module's end: what the map knows goes, lwp by lwp.
static void forget(host_link *link)
{
	lwp *lp = static_cast<lwp *>(link);
	proc *p = lp->lwp_proc;
	bool first;
	{
		guard g(p->p_token);
		first = !p->p_gone.load();
		p->p_gone.store(true);
	}
	if (lp->lwp_setint)
		host_setint_drop(lp->lwp_setint);
	if (lp != &p->p_firstlwp)
		host_reclaim_later(HOST_POOL_LWP, lp);
	if (first) {
		rcu_guard rcu;
		peers_leave(p); // else it would keep its leader
		proc_drop(p);
	}
	proc_drop(p);
}

} // namespace bsd

using namespace bsd;

const unsigned core_proc_size = sizeof(proc);
const unsigned core_lwp_size = sizeof(lwp);

int core_getproc(pid *pid, core_kproc *kproc, core_klwp *lwps, unsigned room)
{
	*kproc = {};
	proc *p = proc_by_pid(pid);
	if (!p)
		return err::srch;
	release_reaped(p);
	{
		guard g(p->p_token);
		if (p->p_gone.load())
			return err::srch;
		kproc->flags = p->p_flag & (CORE_P_WEXIT | CORE_P_EXEC | CORE_P_ADOPTED);
		read_lwps(p, kproc, lwps, room);
		const task_struct *task = host_pid_leader(pid);
		if (!task)
			return err::srch; // reaped just now
		kproc->nthreads = p->p_nthreads;
		kproc->nchildren = p->p_nchildren + p->p_nzombies;
		kproc->nzombies = p->p_nzombies;
		kproc->stype = p->p_stype.load();
		kproc->xstat = kproc->stype ? host_task_xstat(task) : proc_xstat(p);
		const proc *leader = p->p_leader.load();
		kproc->leader = leader ? leader->p_pid : p->p_pid;
		kproc->npeers = p->p_npeers.load();
		kproc->flags |= p->p_tracekill.load() ? CORE_P_TRACEKILL : 0;
		kproc->flags |= p->p_vmlast.load() ? CORE_P_VMLAST : 0;
		kproc->vmsharers = vmspace_sharers(p);
		// Besides the model's, the lwps' and the peers'.
		kproc->holds = p->p_refs.load() - 1 - p->p_nthreads - p->p_nleaving - kproc->npeers;
	}
	parent_guard g(p);
	if (proc *pp = g.get()) {
		kproc->ppid = pp->p_pid;
		kproc->sigparent = p->p_sigparent;
		kproc->flags |= p->p_claimant ? CORE_P_CLAIMED : 0;
	}
	return 0;
}

unsigned core_list(int *pids, unsigned room)
{
	listing l{pids, room, 0};
	host_pid_walk(list_one, &l);
	return l.count;
}

int core_lwp_tid(void)
{
	lwp *lp = lwp_of_current();
	if (!lp)
		return err::nomem;
	guard g(lp->lwp_proc->p_token);
	return lp->lwp_tid;
}

void core_fini(void)
{
	limbo_drain();
	acct_fini();
	host_map_drain(forget);
	varsym_fini();
}
