// SPDX-License-Identifier: GPL-2.0-only
// A new program: what killalllwps(forexec) leaves behind in the seed. Linux has
// killed the other threads already, and waited for them.
#include "proc.hh"

using namespace bsd;

void core_task_exec(task_struct *task)
{
	lwp *lp = lwp_find_or_adopt(task);
	if (!lp)
		return;
	proc *p = lp->lwp_proc;
	{
		guard g(p->p_token);
		// By a non-leader: the old leader's task is gone, its number ours.
		if (p->p_mainlwp && p->p_mainlwp != lp)
			lwp_unlist(p, p->p_mainlwp);
		p->p_mainlwp = lp;

		// Ids start anew with the program.
		lwp_unlist(p, lp);
		p->p_lasttid = lp->lwp_tid = 1;
		p->p_lwp_tree.insert(lp);
		lp->lwp_flag |= LWP_LISTED;

		if (lp->lwp_flag & LWP_WEXIT)
			p->p_nrunning++;
		lp->lwp_flag &= ~LWP_WEXIT;
		p->p_flag = (p->p_flag & ~CORE_P_WEXIT) | CORE_P_EXEC;
	}
	{
		// Linux makes every program signal its end by SIGCHLD.
		parent_guard g(p);
		proc *pp = g.get();
		if (pp && p->p_sigparent != SIGCHLD) {
			pp->p_token.held();
			pp->p_nclone -= !p->p_ended;
			p->p_sigparent = SIGCHLD;
		}
	}
}
