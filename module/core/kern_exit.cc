// SPDX-License-Identifier: GPL-2.0-only
// Ends of lwps and procs: extexit, killalllwps, exit1, lwp_exit.
//
// The seed's first exiting lwp kills the others, waits for them and goes on as
// the master. Linux's threads die side by side, and it is the last that tells
// the parent; so here the last lwp is the master, whoever began the exit.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

void lwp_mark_wexit(proc *p, lwp *lp)
{
	if (!(lp->lwp_flag & LWP_WEXIT)) {
		lp->lwp_flag |= LWP_WEXIT;
		p->p_nrunning -= !(lp->lwp_flag & LWP_WORKER);
	}
}

void lwp_list(proc *p, lwp *lp)
{
	KKASSERT(!(lp->lwp_flag & LWP_LISTED));
	lp->lwp_flag |= LWP_LISTED;
	p->p_lwp_tree.insert(lp);
}

void lwp_unlist(proc *p, lwp *lp)
{
	if (lp->lwp_flag & LWP_LISTED) {
		lp->lwp_flag &= ~LWP_LISTED;
		p->p_lwp_tree.erase(lp);
	}
}

// It was adopted inside do_exit, and yet its exit event came; or it needs none any more.
static void lwp_told(proc *p, lwp *lp) REQUIRES(p->p_token)
{
	if (lp->lwp_flag & LWP_STRANDED) {
		lp->lwp_flag &= ~LWP_STRANDED;
		p->p_nstranded--;
	}
}

void lwp_exited(proc *p, lwp *lp)
{
	lwp_mark_wexit(p, lp);
	lwp_told(p, lp);
	KKASSERT(!(lp->lwp_flag & LWP_EXITED));
	lp->lwp_flag |= LWP_EXITED;
	p->p_nthreads--;
	p->p_nleaving++;
	KKASSERT(p->p_nrunning >= 0 && p->p_nstranded >= 0);
	KKASSERT(p->p_nrunning + p->p_nstranded <= p->p_nthreads);
	// Linux keeps an ended leader until its process is waited for.
	if (lp != p->p_mainlwp)
		lwp_unlist(p, lp);
}

// Linux does the killing. Marks every lwp, so that who comes later knows that
// its status will not count.
OFTEN static void killlwps(proc *p) REQUIRES(p->p_token)
{
	for (lwp *tlp = p->p_lwp_tree.after(0); tlp; tlp = p->p_lwp_tree.after(tlp->lwp_tid))
		lwp_mark_wexit(p, tlp);
}

// Begins the exit of the whole process, or for exec that of all its other lwps, which
// core_task_exec() ends. False: somebody else has (EALREADY).
static bool killalllwps(proc *p, bool forexec) REQUIRES(p->p_token)
{
	if (p->p_flag & CORE_P_WEXIT)
		return false;
	p->p_flag |= CORE_P_WEXIT | (forexec ? P_FOREXEC : 0);
	killlwps(p);
	return true;
}

// What Linux has begun, as an lwp that ends by it finds.
static void heed_linux(proc *p, const task_struct *task) REQUIRES(p->p_token)
{
	if (host_task_group_exit(task)) {
		killalllwps(p, false);
		p->p_flag &= ~P_FOREXEC; // the exec was overtaken
	} else if (host_task_group_exec(task)) {
		killalllwps(p, true);
	}
}

// Whether another lwp is there to end the process later: not one that has its verdict,
// nor one in a native exit that the model may not have seen yet.
static bool others_run(proc *p, const lwp *lp) REQUIRES(p->p_token)
{
	if (p->p_nrunning == !(lp->lwp_flag & LWP_WEXIT))
		return false;
	for (lwp *tlp = p->p_lwp_tree.after(0); tlp; tlp = p->p_lwp_tree.after(tlp->lwp_tid))
		if (tlp != lp && !(tlp->lwp_flag & (LWP_WEXIT | LWP_WORKER)) &&
		    !(host_task_bits(tlp->task) & HOST_TASK_EXITING))
			return true;
	return false;
}

// proc_move_allproc_zombie, in two steps.
static void set_zombie(proc *p, const task_struct *task) REQUIRES(p->p_token)
{
	KKASSERT(p->p_stat == CORE_SACTIVE);
	p->p_flag = (p->p_flag | CORE_P_WEXIT) & ~P_FOREXEC;
	p->p_xstat.store(host_task_xstat(task));
	p->p_stat = CORE_SZOMB;
}

OFTEN static void move_to_zombies(proc *p, const task_struct *task)
{
	parent_guard g(p);
	if (proc *pp = g.get()) {
		pp->p_token.held();
		// An exec that came to nothing may have changed the signal.
		proc_move(p, pp, pp, true, host_task_exit_signal(task));
	}
}

void proc_zombie(proc *p, const task_struct *task)
{
	vmspace_exit(p); // it had no pipeline
	{
		guard g(p->p_token);
		set_zombie(p, task);
	}
	move_to_zombies(p, task);
}

int proc_xstat(proc *p)
{
	// Linux may have the last word after exit1: a namespace's reboot code.
	const task_struct *leader = host_pid_leader(p->p_pid);
	if (leader && p->p_xstat.load())
		p->p_xstat.store(host_task_xstat(leader));
	return p->p_xstat.load();
}

// A process ends without a pipeline, as the model could not have its last lwp, or learns
// of its end too late. What others wait for, and what cannot do harm without sleep; RCU.
static void exit_missed(proc *p, task_struct *task)
{
	{
		guard g(p->p_token);
		killalllwps(p, false);
		p->p_flag &= ~P_FOREXEC;
	}
	peers_kill(p);
	peers_leave(p);
	stops_end(p);
	ktrexit(p, task);
}

// An lwp that is not the master is counted no more. What that leaves to be done:
struct departure {
	bool orphans; // Linux may give the children away
	bool missed;  // those who are left will not tell of their ends
	bool wake;    // the master waits
};

OFTEN static departure depart(proc *p, lwp *lp) REQUIRES(p->p_token)
{
	lwp_exited(p, lp);
	departure d{};
	d.orphans = has_children(p) || !p->p_nthreads;
	d.missed = p->p_nthreads && p->p_nthreads == p->p_nstranded && host_task_last(lp->task);
	return d;
}

// RCU.
OFTEN static void departed(proc *p, const lwp *lp, const departure &d)
{
	if (d.wake)
		host_wakeup(&p->p_nhooked);
	if (d.missed) {
		exit_missed(p, lp->task);
		acct_process(p, lp->task);
	}
	// Linux will give its children away when this thread, or one that is
	// exiting beside it, tells the parent.
	if (d.orphans)
		limbo_add(p);
}

// A pid namespace goes with its init; Linux sees to that. RCU.
static void init_died(const task_struct *task)
{
	if (!host_task_init(task))
		return;
	const int xstat = host_task_xstat(task);
	host_init_died(xstat & 0x7f, xstat >> 8 & 0xff);
}

enum class ending { counted_out, hooked, master };

// An lwp is in its exit. Who is the last of its process is the master, whose is exit1(). All
// others are counted out at once, or with hooks for the ends of lwps, in lwp_exit().
static ending begin_exit(lwp *lp)
{
	proc *p = lp->lwp_proc;
	const bool hooks = vkernel_lwps();
	rcu_guard rcu;
	bool wake;
	ending how = ending::counted_out;
	departure d{};
	{
		guard g(p->p_token);
		heed_linux(p, lp->task);
		lwp_mark_wexit(p, lp);
		lwp_told(p, lp);
		acct_collect(p, lp);
		wake = claim_drop(p, lp);
		if (p->p_nstranded)
			find_alive(p); // who was in do_exit at load may have come out
		// Linux knows of threads that the model may have missed. The
		// last of those will be adopted in its exit, or found by limbo. If it
		// is seen only after another was the master, that one has done all.
		if (p->p_nthreads - p->p_nhooked.load() == 1 && p->p_stat != CORE_SZOMB &&
		    host_task_last(lp->task)) {
			how = ending::master;
			p->p_flag = (p->p_flag | CORE_P_WEXIT) & ~P_FOREXEC;
		} else if (hooks) {
			how = ending::hooked;
			p->p_nhooked.add(1);
		} else {
			d = depart(p, lp);
		}
	}
	if (wake)
		wake_waiters(p);
	if (how == ending::master)
		init_died(lp->task);
	else
		departed(p, lp, d);
	return how;
}

// The end of an lwp that is not the master, with hooks. It is counted until they have
// returned, as the master's vkernel_exit takes away what they work on.
static void lwp_exit(lwp *lp)
{
	proc *p = lp->lwp_proc;
	vkernel_lwp_exit(lp->task);
	rcu_guard rcu;
	departure d;
	{
		guard g(p->p_token);
		d = depart(p, lp);
		d.wake = p->p_nhooked.add(-1) == 0;
	}
	departed(p, lp, d);
}

static int is_alone(void *arg)
{
	return !static_cast<proc *>(arg)->p_nhooked.load();
}

static constinit atomic<bool> said_undone{};

// aio_proc_rundown, stopprofclock, funsetownlst, fdfree, semexit: Linux has done by now what
// callouts may rely on.
static void check_rundown()
{
	if (!exit_callouts_there())
		return;
	const char *undone = host_exit_undone();
	if (undone && !said_undone.exchange(true))
		host_warn(undone, nullptr);
}

// The process's part, by its last lwp, before Linux tells the parent: the stages in the
// seed's order. No lock is held between them, and each may sleep; lp is the current
// thread's, and counted as its process's last until the end, so all stays as it is
// meanwhile. To others the process is exiting, as it is to Linux.
static void exit1(lwp *lp)
{
	proc *p = lp->lwp_proc;
	varsymset_clean(p);
	if (p->p_nhooked.load())
		host_sleep(&p->p_nhooked, is_alone, p);
	caps_exit(lp->task);
	peers_kill(p);
	peers_await(p);
	stopevent(p, CORE_S_EXIT);
	check_rundown();
	exit_callouts(lp->task);
	peers_leave(p);
	upc_release(lp->task);
	vkernel_lwp_exit(lp->task);
	vkernel_exit(lp->task);

	rcu_guard rcu;
	vmspace_exit(p);
	acct_process(p, lp->task);
	ktrexit(p, lp->task);
	bool orphans;
	{
		// With lwp_exit: until now no other could take itself for the last.
		guard g(p->p_token);
		set_zombie(p, lp->task);
		lwp_exited(p, lp);
		orphans = has_children(p);
		watch_close(p);
	}
	move_to_zombies(p, lp->task);
	// They stay until Linux's exit goes on, so not before all that may sleep.
	if (orphans)
		limbo_add(p);
}

} // namespace bsd

using namespace bsd;

int core_extexit(core_who who, host_setint *setint)
{
	if (!model_is_whole())
		core_settle();
	lwp *lp = lwp_of_current();
	if (!lp)
		return err::nomem;
	bool lone;
	{
		rcu_guard rcu;
		lone = host_task_bits(lp->task) & HOST_TASK_LONE;
	}
	proc *p = lp->lwp_proc;

	bool master = false;
	{
		rcu_guard rcu;
		guard g(p->p_token);
		if (who == CORE_WHO_PROC || lone || !others_run(p, lp))
			master = killalllwps(p, false);
		lwp_mark_wexit(p, lp);
	}
	if (setint && master) {
		host_setint_store(setint);
	} else if (setint) {
		if (lp->lwp_setint)
			host_setint_drop(lp->lwp_setint);
		lp->lwp_setint = setint;
	}
	return master ? CORE_VERDICT_PROC : CORE_VERDICT_LWP;
}

host_work *core_task_exiting(task_struct *task)
{
	if (host_task_kthread(task))
		return nullptr;
	lwp *lp = lwp_find_or_adopt(task);
	if (!lp && host_task_last(task))
		if (proc *p = proc_of_group(task))
			exit_missed(p, task);
	acct_exiting(lp, task);
	return lp;
}

void core_task_exit(host_work *work)
{
	lwp *lp = static_cast<lwp *>(work);

	// This thread will run no more user code.
	if (lp->lwp_setint) {
		host_setint_store(lp->lwp_setint);
		lp->lwp_setint = nullptr;
	}
	// This thread is in its exit, so its lwp and its proc stay.
	const proc *p = lp->lwp_proc;
	const ending how = begin_exit(lp);
	if (how == ending::master)
		exit1(lp);
	else if (how == ending::hooked)
		lwp_exit(lp);
	tracees_exit(p, how == ending::master);
}

// The old leader's task went, in an exec by another thread: that one leads now.
static void set_main(proc *p, const task_struct *leader) REQUIRES(p->p_token)
{
	lwp *lp = leader ? lwp_find(leader) : nullptr;
	if (lp && lp->lwp_proc != p)
		lp = nullptr;
	p->p_mainlwp = lp;
	// It may have been killed since, and lingers as leaders do.
	if (lp && !(lp->lwp_flag & LWP_LISTED))
		lwp_list(p, lp);
}

// The seed waits here until the thread has left its CPU for good. Linux tells of a task's
// end after that, a grace period later.
static void lwp_wait(const task_struct *task)
{
	if (host_task_on_cpu(task))
		host_warn("lwp_wait: the thread still runs", nullptr);
}

// The reaper: reaplwps() in the seed, where each CPU has a list of dead lwps, and a task that
// the host has RCU's callbacks for.
static void lwp_dispose(lwp *lp)
{
	if (lp != &lp->lwp_proc->p_firstlwp)
		host_reclaim_later(HOST_POOL_LWP, lp);
}

void core_task_free(task_struct *task)
{
	lwp *lp = lwp_find(task);
	if (!lp)
		return;
	lwp_wait(task);
	proc *p = lp->lwp_proc;

	releasing r{};
	{
		guard g(p->p_token);
		task_struct *leader = host_pid_leader(p->p_pid);
		if (!(lp->lwp_flag & LWP_EXITED))
			lwp_exited(p, lp); // no event told of it
		p->p_nleaving--;
		KKASSERT(p->p_nleaving >= 0);
		lwp_unlist(p, lp);
		host_map_remove(lp);
		claim_drop(p, lp);
		if (p->p_mainlwp == lp)
			set_main(p, leader);
		// With not one lwp left in the model the proc is nobody's, and
		// will be adopted anew if Linux still has it.
		const bool last = !p->p_nthreads && !p->p_nleaving;
		if (!leader || last)
			r = proc_begin_release(p);
		if (last)
			watch_close(p);
	}
	if (lp->lwp_setint)
		host_setint_drop(lp->lwp_setint);
	proc_end_release(p, r);
	lwp_dispose(lp);
	proc_drop(p);
}
