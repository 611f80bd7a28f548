// SPDX-License-Identifier: GPL-2.0-only
// Traced processes die with their tracer, where that asked for it: the seed's rule. For all
// others Linux's holds, by which they are let go unless PTRACE_O_EXITKILL says otherwise.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

void tracees_exit(const proc *p, bool ends)
{
	if (!p->p_tracekill.load())
		return;
	{
		// A thread that ends alone lets go, as Linux has it.
		rcu_guard rcu;
		if (!ends && !host_task_group_exit(host_current()))
			return;
	}
	// Who was killed forks no more, so each round finds only children that were made,
	// and attached by Linux, before the round before had killed their makers.
	while (host_kill_tracees())
		;
}

} // namespace bsd

using namespace bsd;

int core_tracekill(int on)
{
	lwp *lp = lwp_of_current();
	if (!lp)
		return err::nomem;
	lp->lwp_proc->p_tracekill.store(on);
	return 0;
}
