// SPDX-License-Identifier: GPL-2.0-only
// KTRACE: what traced processes do, told to whoever asked.
//
// A trace is a descriptor. A process has one at a time, and hands it on to its children if
// that was asked for. Events are told where they happen, some of them inside Linux's locks, so
// telling takes none of ours: p_traceflag and p_tracenode say it, and RCU keeps the trace.
#include "errno.hh"
#include "proc.hh"

using namespace bsd;

// Its descriptor's. The list: ktrace_lock.
struct core_ktrace {
	host_ktrace *host;
	list<proc, ktrace_tag> procs;
};

namespace bsd
{

static constinit spinlock ktrace_lock{};

static proc *traced_proc(pid *pid)
{
	proc *p = pid ? proc_by_pid(pid) : nullptr;
	return p && p->p_traceflag.load() ? p : nullptr;
}

static void ktr_attach(core_ktrace *k, proc *p, unsigned facs) REQUIRES(ktrace_lock)
{
	if (k->procs.empty())
		host_ktrace_expect(k->host, true);
	k->procs.push_back(p);
	p->p_tracenode.store(k);
	p->p_traceflag.store(facs);
}

static void ktr_detach(proc *p) REQUIRES(ktrace_lock)
{
	core_ktrace *k = p->p_tracenode.load();
	p->p_traceflag.store(0);
	p->p_tracenode.store(nullptr);
	list<proc, ktrace_tag>::erase(p);
	if (k->procs.empty())
		host_ktrace_expect(k->host, false);
}

static void ktrdestroy(proc *p, const core_ktrace *k)
{
	guard g(ktrace_lock);
	if (p->p_tracenode.load() == k)
		ktr_detach(p);
}

// Tells it, if p is told of such events.
static void tell(const proc *p, unsigned fac, const host_ktr &event)
{
	if (!(p->p_traceflag.load() & fac))
		return;
	// Null: its trace is being closed.
	if (const core_ktrace *k = p->p_tracenode.load())
		host_ktrace_tell(k->host, p->p_pid, &event);
}

// What its waits have come to is told before what it does next. Of so many zombies that a
// look at each takes long, as it may be in a place that nobody can interrupt, the rest is told
// as they are freed.
static void tell_reaped(proc *p)
{
	if (p->p_traceflag.load() & CORE_KTRFAC_WAIT)
		release_reaped(p, 256);
}

// The current thread, if it is one of p's.
static task_struct *thread_of(const proc *p)
{
	task_struct *self = host_current();
	return proc_of(self) == p ? self : nullptr;
}

RARE static void tell_fork(proc *child, proc *maker, bool adopted)
{
	if (!adopted) // else nobody may be woken here
		tell_reaped(maker);
	// One trace, for what is told and for what is inherited.
	core_ktrace *k;
	unsigned facs;
	{
		guard t(ktrace_lock);
		k = maker->p_tracenode.load();
		facs = maker->p_traceflag.load();
	}
	if (!k)
		return;
	if (facs & CORE_KTRFAC_FORK) {
		host_ktr event{};
		event.type = CORE_KTR_FORK;
		event.task = thread_of(maker);
		event.other = child->p_pid;
		host_ktrace_tell(k->host, maker->p_pid, &event);
	}
	if (!(facs & CORE_KTRFAC_INHERIT))
		return;

	guard g(child->p_token);
	// One whose birth was missed may have ended, or got rights since, or is no child of
	// the maker's own.
	if (child->p_gone.load() || proc_exiting(child))
		return;
	const task_struct *leader = host_pid_leader(child->p_pid);
	if (adopted && !(leader && host_ktrace_may(k->host, leader)))
		return;
	guard t(ktrace_lock);
	// The maker has it no more if it was closed; and somebody may trace the child already.
	if (maker->p_tracenode.load() == k && !child->p_tracenode.load())
		ktr_attach(k, child, facs);
}

void ktrfork(proc *child, proc *maker, bool adopted)
{
	if (maker->p_tracenode.load())
		tell_fork(child, maker, adopted);
}

void ktrexec(proc *p, task_struct *task, bool secure)
{
	const core_ktrace *k = p->p_tracenode.load();
	if (!k)
		return;
	tell_reaped(p);
	host_ktr event{};
	event.type = CORE_KTR_EXEC;
	event.task = task;
	tell(p, CORE_KTRFAC_EXEC, event);
	if (!secure || host_ktrace_may(k->host, task))
		return;
	event.type = CORE_KTR_STOP;
	tell(p, ~0u, event);
	ktrdestroy(p, k);
}

RARE static void tell_exit(proc *p, task_struct *task)
{
	const core_ktrace *k = p->p_tracenode.load();
	if (!k)
		return;
	tell_reaped(p);
	// Whoever finds it first; it is past getting another.
	const unsigned facs = p->p_traceflag.exchange(0);
	if (!facs)
		return;
	host_ktr event{};
	event.type = task ? CORE_KTR_EXIT : CORE_KTR_STOP;
	event.task = task;
	if (task)
		event.xstat = host_task_xstat(task);
	if (!task || (facs & CORE_KTRFAC_EXIT))
		host_ktrace_tell(k->host, p->p_pid, &event);
	ktrdestroy(p, k);
}

void ktrexit(proc *p, task_struct *task)
{
	if (p->p_tracenode.load())
		tell_exit(p, task);
}

void ktrwait(proc *p, pid *whom)
{
	if (!p->p_traceflag.load())
		return;
	tell_reaped(p);
	host_ktr event{};
	event.type = CORE_KTR_WAIT;
	event.task = host_current();
	event.other = whom;
	tell(p, CORE_KTRFAC_WAIT, event);
}

RARE static void tell_reap(const proc *p, proc *child)
{
	host_ktr event{};
	event.type = CORE_KTR_REAP;
	event.other = child->p_pid;
	event.xstat = child->p_xstat.load();
	tell(p, CORE_KTRFAC_WAIT, event);
}

void ktrreap(const proc *p, proc *child)
{
	if (p->p_traceflag.load())
		tell_reap(p, child);
}

void ktrace_init()
{
	ktrace_lock.init(HOST_LOCK_KTRACE);
}

} // namespace bsd

void core_task_signal(task_struct *task, const core_signal *signal)
{
	const proc *p = traced_proc(host_task_tgid(task));
	if (!p)
		return;
	host_ktr event{};
	event.type = signal->delivered ? CORE_KTR_PSIG : CORE_KTR_SIG;
	event.task = signal->group ? nullptr : task;
	event.other = signal->sender;
	event.signo = signal->signo;
	event.code = signal->code;
	event.action = signal->action;
	tell(p, CORE_KTRFAC_SIG, event);
}

void core_task_wait(pid *whom)
{
	if (proc *p = traced_proc(host_task_tgid(host_current())))
		ktrwait(p, whom);
}

core_ktrace *core_ktrace_new(host_ktrace *host)
{
	auto *k = static_cast<core_ktrace *>(host_malloc(sizeof(core_ktrace)));
	if (k) {
		k->host = host;
		k->procs.init();
	}
	return k;
}

void core_ktrace_close(core_ktrace *trace)
{
	// Who releases a proc and sees half of its detach does so without the lock.
	rcu_guard rcu;
	guard g(ktrace_lock);
	while (proc *p = trace->procs.first())
		ktr_detach(p);
}

void core_ktrace_free(core_ktrace *trace)
{
	host_mfree(trace);
}

int core_ktrace_set(core_ktrace *trace, task_struct *leader, unsigned facs)
{
	if (host_task_kthread(leader) || (host_task_bits(leader) & HOST_TASK_RELEASED))
		return err::srch;
	lwp *lp = lwp_find_or_adopt(leader);
	if (!lp)
		return err::nomem;
	proc *p = lp->lwp_proc;

	guard g(p->p_token);
	// Here, as an exec takes the token when it has got its rights.
	const task_struct *now_leads = host_pid_leader(p->p_pid);
	if (now_leads && !host_may_inspect(now_leads))
		return err::perm;
	// Who has begun to exit may be past the place where its trace is taken away.
	const bool late = p->p_gone.load() || proc_exiting(p);
	guard t(ktrace_lock);
	const core_ktrace *now = p->p_tracenode.load();
	if (now && now != trace)
		return err::busy;
	if (late || (!now && !facs))
		return err::srch;
	if (now && !facs)
		ktr_detach(p);
	else if (now)
		p->p_traceflag.store(facs);
	else
		ktr_attach(trace, p, facs);
	return 0;
}
