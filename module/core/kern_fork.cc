// SPDX-License-Identifier: GPL-2.0-only
// Births: a new process, a new thread. Adoption comes through here too, with
// tasks in any state.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

// Counts a new lwp and lists it; true: the proc must go to limbo, as events of
// the exit that this lwp is in may have come before the model knew it.
OFTEN static bool lwp_link(proc *p, lwp *lp, unsigned bits) REQUIRES(p->p_token)
{
	lp->lwp_tid = ++p->p_lasttid;
	if (bits & HOST_TASK_LEADER)
		p->p_mainlwp = lp;
	p->p_nthreads++;
	if (bits & HOST_TASK_WORKER)
		lp->lwp_flag |= LWP_WORKER;
	else
		p->p_nrunning++;
	lwp_list(p, lp);
	if (bits & HOST_TASK_EXITED) {
		lwp_exited(p, lp);
	} else if (bits & HOST_TASK_EXITING) {
		lwp_mark_wexit(p, lp);
		lp->lwp_flag |= LWP_STRANDED;
		p->p_nstranded++;
	}
	return bits & HOST_TASK_EXITING;
}

int lwp_attach(proc *p, task_struct *task, unsigned bits)
{
	auto *lp = alloc<lwp>(HOST_POOL_LWP);
	if (!lp)
		return err::nomem;
	lp->task = task;
	lp->lwp_proc = p;

	int error = err::srch;
	bool limbo = false;
	{
		guard g(p->p_token);
		if (!p->p_gone.load())
			error = host_map_insert(lp);
		if (!error) {
			p->p_refs.add(1);
			limbo = lwp_link(p, lp, bits);
		}
	}
	if (error)
		host_free(HOST_POOL_LWP, lp);
	if (limbo)
		limbo_add(p);
	return error == err::exist ? 0 : error;
}

// The parent to be of a new proc; maker: the current thread's, or null.
OFTEN static proc *find_parent(task_struct *task, proc *maker)
{
	task_struct *parent = host_task_real_parent(task);
	if (maker && parent == host_current())
		return maker;
	if (host_task_kthread(parent))
		return &proc0;
	lwp *lp = lwp_find(parent);
	if (lp)
		return lp->lwp_proc;
	// Only for want of memory; what is missing will be looked for.
	model_lost_something();
	limbo_add(&proc0);
	return &proc0;
}

// What a process has from the one that made it, which need not be its parent. The child
// cannot run yet, and nobody knows it.
static void fork_inherit(proc *child, proc *maker)
{
	varsymset_inherit(child, maker);
	if (maker->p_tracekill.load())
		child->p_tracekill.store(true);
}

// Nobody knows it yet, so it is not locked.
static bool link_first(proc *p, unsigned bits) NO_THREAD_SAFETY_ANALYSIS
{
	return lwp_link(p, &p->p_firstlwp, bits);
}

int proc_attach(task_struct *task, unsigned bits, unsigned flag, proc *maker)
{
	pid *pid = host_task_tgid(task);
	if (!pid)
		return err::srch;
	proc *p = proc_alloc(task, pid, flag);
	if (!p)
		return err::nomem;

	const bool limbo = link_first(p, bits);
	if (flag & CORE_P_ADOPTED)
		vmspace_adopt(p, task);
	else
		vmspace_fork(p, task, maker ? maker : &proc0);
	// A birth that was missed: the parent, as it is by now.
	proc *from = maker ?: find_parent(task, nullptr);
	fork_inherit(p, from);

	int error;
	proc *pp;
	bool parent_limbo = false;
	do {
		pp = find_parent(task, maker);
		// After that, as Linux changes it with the parent.
		p->p_sigparent = host_task_exit_signal(task);
		guard g(pp->p_token);
		if (pp->p_gone.load()) {
			// Linux has chosen another parent, or let go of the task too.
			error = host_task_bits(task) & HOST_TASK_RELEASED ? err::srch : err::again;
		} else {
			// Linked first: who finds it in the map may take it to its end.
			proc_link(p, pp);
			error = host_map_insert(&p->p_firstlwp);
			if (error)
				proc_unlink(p, pp);
			else
				parent_limbo = pp != &proc0 && proc_leaving(pp);
			if (!error && (flag & CORE_P_ADOPTED))
				watch_newcomer(pp, p);
		}
	} while (error == err::again);

	if (error) {
		vmspace_leave(p);
		core_reclaim(HOST_POOL_PROC, &p->p_firstlwp);
		return error == err::exist ? 0 : error;
	}
	ktrfork(p, from, flag & CORE_P_ADOPTED);
	stops_fork(p, from);
	if (parent_limbo)
		limbo_add(pp);
	if (limbo)
		limbo_add(p);
	return 0;
}

} // namespace bsd

using namespace bsd;

void core_task_new(task_struct *task)
{
	if (host_task_kthread(task))
		return;
	const unsigned bits = host_task_bits_at_birth(task);

	// A new thread belongs to its maker's proc, a new process most often to
	// its maker; when the model does not know one of them, adopt() finds out.
	int error;
	task_struct *self = host_current();
	const task_struct *parent = host_task_real_parent(task);
	proc *known = proc_of(self), *maker = known;
	// A thread that the model has missed, or not come to yet.
	if (!maker && !host_task_kthread(self))
		maker = proc_of_group(self);
	if (bits & HOST_TASK_LEADER) {
		const bool has_parent =
			(parent == self ? known : proc_of(parent)) || host_task_kthread(parent);
		// Of an unknown one, nobody could say who shares the address space.
		const bool has_maker = maker || host_task_kthread(self);
		error = has_parent && has_maker ? proc_attach(task, bits, 0, maker)
						: adopt(task, maker);
	} else if (maker && maker->p_pid == host_task_tgid(task)) {
		error = lwp_attach(maker, task, bits);
	} else {
		error = adopt(task);
	}
	if (error == err::nomem)
		model_lost_something();
}
