// SPDX-License-Identifier: GPL-2.0-only
// A new program: what killalllwps(forexec) leaves behind in the seed. Linux has
// killed the other threads already, and waited for them.
#include "proc.hh"

using namespace bsd;

void core_task_exec(task_struct *task, int secure)
{
	lwp *lp = lwp_find_or_adopt(task);
	if (!lp)
		return;
	proc *p = lp->lwp_proc;
	{
		guard g(p->p_token);
		// By a non-leader: the old leader's task is gone, its number ours.
		p->p_mainlwp = lp;
		// Ids start anew with the program. Of the other threads only those
		// adopted inside do_exit can still be listed.
		while (lwp *tlp = p->p_lwp_tree.after(0)) {
			lwp_unlist(p, tlp);
			if (tlp != lp && !(tlp->lwp_flag & LWP_EXITED))
				lwp_exited(p, tlp);
		}
		p->p_lasttid = lp->lwp_tid = 1;
		lwp_list(p, lp);

		// It had an extexit's verdict, and did not keep to it.
		if (lp->lwp_flag & LWP_WEXIT)
			p->p_nrunning++;
		lp->lwp_flag &= ~LWP_WEXIT;
		p->p_flag = (p->p_flag & ~(CORE_P_WEXIT | P_FOREXEC)) | CORE_P_EXEC;
		vmspace_exec(p, task);
		watch_close(p); // the new program may never ask
	}
	// Who may do more than its caller does not take others along at the caller's wish, nor
	// goes with whom the caller has joined, or by whose right that one ends.
	if (secure) {
		p->p_tracekill.store(false);
		peers_leave(p);
	}
	ktrexec(p, task, secure);
	if (lp->lwp_setint) {
		host_setint_drop(lp->lwp_setint); // the memory it was for is gone
		lp->lwp_setint = nullptr;
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
