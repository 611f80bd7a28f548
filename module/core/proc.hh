// SPDX-License-Identifier: GPL-2.0-only
// The model's two objects, and what every part of the core does with them.
//
// What Linux tells at any time without search (process group, session,
// credentials, usage, stops) is read from Linux when someone looks; a copy could
// only be older. The model keeps what Linux does not have or forgets.
#pragma once

#include "atomic.hh"
#include "core.h"
#include "invariants.hh"
#include "ktrace.hh"
#include "list.hh"
#include "lock.hh"
#include "tree.hh"

namespace bsd
{

inline constexpr int SIGCHLD = 17;
inline constexpr int SIGCONT = 18;

struct proc;
struct varsymset;

// lwp_flag
enum : unsigned {
	LWP_WEXIT = 1 << 0,    // is exiting: by extexit's verdict, or in do_exit
	LWP_EXITED = 1 << 1,   // no longer counted in p_nthreads
	LWP_LISTED = 1 << 2,   // in p_lwp_tree
	LWP_STRANDED = 1 << 3, // adopted inside do_exit: its exit event may never come
	LWP_WORKER = 1 << 4,   // runs no user code, so extexit does not wait for it
};

// One Linux thread. Born by fork or adoption; in the map, and holding a
// reference on its proc, until core_task_free().
struct lwp : host_link, host_work, tree_node<lwp> {
	proc *lwp_proc;          // never changes
	host_setint *lwp_setint; // its own thread's; then core_task_free's
	proc *lwp_claim;         // the child that its wait claimed     (lwp_proc->p_token)
	int lwp_tid;             // DragonFly's id, from 1              (lwp_proc->p_token)
	unsigned lwp_flag;       //                                     (lwp_proc->p_token)
};

inline int lwp_key(const lwp &lp)
{
	return lp.lwp_tid;
}

// p_flag, besides core_p_flag: P_WEXIT is for an exec, and will be taken back.
inline constexpr unsigned P_FOREXEC = 1u << 31;

struct sibling_tag;
struct limbo_tag;
struct peer_tag;
struct traced_tag;

// One Linux thread group, known by its TGID's struct pid.
//
// References: one for being in the model (until proc_release), one for each lwp
// in the map. Memory goes after a grace period, so RCU readers may look at any
// proc they find, and take p_token.
struct proc : list_node<proc, sibling_tag>,
	      list_node<proc, limbo_tag>,
	      list_node<proc, peer_tag>,
	      list_node<proc, traced_tag>,
	      ktrace_proc {
	spinlock p_token;
	atomic<int> p_refs;
	pid *p_pid;          // referenced, never changes
	atomic<int> p_xstat; // wait status, once SZOMB: see proc_xstat()
	atomic<bool> p_gone; // released: no child may be linked. Set under p_token

	unsigned p_flag GUARDED_BY(p_token);
	core_p_stat p_stat GUARDED_BY(p_token);
	int p_nthreads GUARDED_BY(p_token);  // lwps that have not exited
	int p_nrunning GUARDED_BY(p_token);  // of these, neither LWP_WEXIT nor LWP_WORKER
	int p_nstranded GUARDED_BY(p_token); // of these, LWP_STRANDED
	int p_nleaving GUARDED_BY(p_token);  // exited, and not freed by Linux yet
	atomic<int> p_nhooked; // in p_nthreads, in vkernel_lwp_exit, no master. Set under p_token
	int p_lasttid GUARDED_BY(p_token);
	tree<lwp, lwp_key> p_lwp_tree GUARDED_BY(p_token); // what Linux shows in /proc/PID/task
	lwp *p_mainlwp GUARDED_BY(p_token);                // the thread group leader's
	unsigned p_acflag GUARDED_BY(p_token);             // HOST_ASU, P_ACCOUNTED
	atomic<unsigned> p_ttydev; // its terminal when its last thread began to exit

	// Its children, living and ended, in the order of birth and of death.
	list<proc, sibling_tag> p_children GUARDED_BY(p_token);
	list<proc, sibling_tag> p_zombies GUARDED_BY(p_token);
	unsigned p_nchildren GUARDED_BY(p_token);
	unsigned p_nclone GUARDED_BY(p_token); // in p_children, with p_sigparent not SIGCHLD
	unsigned p_nzombies GUARDED_BY(p_token);

	// Its place with its parent: under the parent's p_token, see parent_guard.
	atomic<proc *> p_pptr; // null before linking and after release
	lwp *p_claimant;       // the parent's lwp that claimed it
	int p_sigparent;
	bool p_ended; // on the parent's p_zombies

	atomic<bool> p_inlimbo; // set under limbo_lock

	// Its task leader, of which it holds a reference; null: it is no peer.
	atomic<proc *> p_leader;
	list<proc, peer_tag> p_peers GUARDED_BY(p_token);
	atomic<unsigned> p_npeers; // changed under p_token; from begin_exit on only less
	bool p_peerkilled;         // by its leader              (p_leader->p_token)
	atomic<bool> p_tracekill;  // its end is that of those it traces

	// Its tracer, if any, the events that it stops at, and the one it has stopped at.
	atomic<core_tracer *> p_tracer; // set under stop_lock
	unsigned p_stops;               // stop_lock
	atomic<unsigned> p_stype;       // set under stop_lock

	atomic<varsymset *> p_varsymset; // a reference; null: empty. Set under p_token

	// Who of its children and tracees may have stopped, once it has asked. Set under p_token.
	atomic<host_watch *> p_watch;

	// Who has the same address space: a ring, see kern_vmspace.cc.
	atomic<const void *> p_vm; // null: none, or it has left
	atomic<proc *> p_vmprev;   // null: in no ring, alone. Set under p_vm's lock
	proc *p_vmnext;            // under p_vm's lock
	atomic<bool> p_vmlast;     // nobody else was left when it left, at its exit

	lwp p_firstlwp; // a process with one thread is one allocation
};

// The root: parent of init and of what kernel threads start.
extern proc proc0;

// ---- kern_proc.cc -----------------------------------------------------------

// Zeroed; null: no memory. Inline, as the compiler knows the size: no call of memset().
template <class T> T *alloc(host_pool pool)
{
	void *object = host_alloc(pool);
	if (object)
		__builtin_memset(object, 0, sizeof(T));
	return static_cast<T *>(object);
}

// All of these: RCU.
lwp *lwp_find(const task_struct *task);
proc *proc_of(const task_struct *task);
proc *proc_by_pid(pid *pid);

void proc_init(proc *p);
// A proc for the process `pid` with `task` its first lwp and flag its p_flag, neither
// linked nor in the map; null: no memory.
OFTEN proc *proc_alloc(task_struct *task, pid *pid, unsigned flag);
void proc_drop(proc *p);

// Locks the parent of a child, whoever that is at this moment; RCU.
class TSA(scoped_lockable) parent_guard
{
	proc *pp_;

public:
	explicit parent_guard(proc *child) NO_THREAD_SAFETY_ANALYSIS;
	~parent_guard() NO_THREAD_SAFETY_ANALYSIS;
	parent_guard(const parent_guard &) = delete;
	parent_guard &operator=(const parent_guard &) = delete;
	proc *get() const { return pp_; } // null: the child is not linked
};

OFTEN void proc_link(proc *child, proc *parent) REQUIRES(parent->p_token);
void proc_unlink(proc *child, proc *parent) REQUIRES(parent->p_token);
// Unlinks and links anew, possibly elsewhere or to other lists. p_pptr is never null
// meanwhile: parent_guard takes null for a child that has no parent any more.
void proc_move(proc *child, proc *from, proc *to, bool ended, int sigparent)
	REQUIRES(from->p_token, to->p_token);
// The child's parent by Linux: proc0 if that is a kernel thread, null if it is
// not in the model, or the child is no longer in Linux. RCU.
proc *proc_linux_parent(const proc *child);
// Moves a child from there to its parent by Linux, or to `fallback` where that is null or
// still `from`; does nothing if there is none, or another CPU was quicker. Returns the new
// parent if it is leaving, and so has to go to limbo: for limbo_reparent() alone. RCU.
proc *proc_reparent(proc *child, proc *from, proc *fallback);
// Whether an exit under way could yet take a child away that is linked now.
bool proc_leaving(const proc *p) REQUIRES(p->p_token);
inline bool has_children(const proc *p) REQUIRES(p->p_token)
{
	return p->p_nchildren || p->p_nzombies;
}
// Linux has released the process: out of the model. Any number of times. RCU.
void proc_release(proc *p);
// The same in two steps, for who has the lock. Once the first is done no child will be linked.
struct releasing {
	bool first, children;
};
releasing proc_begin_release(proc *p) REQUIRES(p->p_token);
OFTEN void proc_end_release(proc *p, releasing r);
// Releases the zombies of p that Linux has released; looks at no more than so many. RCU.
void release_reaped(proc *p, unsigned looks = ~0u);
// Gives a claim back; true: there was one, and others may sleep because of it.
bool claim_drop(proc *p, lwp *lp) REQUIRES(p->p_token);
void wake_waiters(const proc *p);

// ---- kern_jobctl.cc ---------------------------------------------------------

// The current process p will ask for stops: has them watched. May sleep.
void watch_open(proc *p);
// ... and no more.
void watch_close(proc *p) REQUIRES(p->p_token);
// A child has come to p that p has not made: it may have stopped before.
void watch_newcomer(const proc *p, const proc *child) REQUIRES(p->p_token);

// What one of the current process's children, or whom it traces, has to report.
struct change {
	pid *id;       // with a reference; null: nothing that is waited for
	unsigned what; // one of CORE_W*
	int xstat;
};
// Of all of them, but for the ends of children. traces: p does. crowd: the watch should have
// room for more than so many, if not 0. RCU.
change watch_find(proc *p, const core_wait_args *w, bool traces, unsigned *crowd)
	REQUIRES(p->p_token);
// The same of w->id alone. exists: it is one that p traces.
change change_find(proc *p, const core_wait_args *w, bool *exists) REQUIRES(p->p_token);

// ---- kern_wait.cc -----------------------------------------------------------

// Whether a child, or whom the current process traces, is what it waits for; RCU.
bool wait_wants(const core_wait_args *w, const proc *child);
bool wait_wants(const core_wait_args *w, const task_struct *tracee);
// Whether somebody is traced by the current process and may come to have something to report
// that it waits for; RCU.
bool tracee_may_report(const core_wait_args *w, const task_struct *task);

// ---- kern_fork.cc -----------------------------------------------------------

// Puts `task` into the model with what its HOST_TASK_* bits say; RCU. maker: whose process
// called fork; null: not known, and then it is the parent. With CORE_P_ADOPTED in flag,
// adopt_lock is held. 0 (also when it is there already), -ESRCH (ends, nothing to model),
// -ENOMEM.
OFTEN int proc_attach(task_struct *task, unsigned bits, unsigned flag, proc *maker);
OFTEN int lwp_attach(proc *p, task_struct *task, unsigned bits);

// ---- kern_exit.cc -----------------------------------------------------------

void lwp_mark_wexit(proc *p, lwp *lp) REQUIRES(p->p_token);
void lwp_list(proc *p, lwp *lp) REQUIRES(p->p_token);
OFTEN void lwp_unlist(proc *p, lwp *lp) REQUIRES(p->p_token);
OFTEN void lwp_exited(proc *p, lwp *lp) REQUIRES(p->p_token);
// The proc of `task` has ended without exit1, and is a zombie of its parent; RCU.
void proc_zombie(proc *p, const task_struct *task);

// The wait status as it is now; RCU.
int proc_xstat(proc *p);

// Whether the process is exiting, and not in exec.
inline bool proc_exiting(const proc *p) REQUIRES(p->p_token)
{
	return (p->p_flag & (CORE_P_WEXIT | P_FOREXEC)) == CORE_P_WEXIT;
}

// ---- kern_peers.cc ----------------------------------------------------------

// A peer's end: its leader waits for it no more. Any number of times.
void peers_leave(proc *p);
// A leader's end: SIGKILL to its peers.
void peers_kill(proc *leader);
// ... and until they have left; may sleep.
void peers_await(proc *leader);
// Nobody will tell any more that peers have left.
void peers_stop(proc *leader);

// ---- kern_stop.cc -----------------------------------------------------------

void stops_init();
// STOPEVENT: the current process is at that point. Sleeps until its tracer, if there is one
// that asked for it, lets it go. After S_EXIT it is traced no more.
void stopevent(proc *p, unsigned event);
// A birth, once the child is in the map, and before it can run unless that was missed; RCU.
void stops_fork(proc *child, proc *maker);
// Traced no more. Any number of times.
void stops_end(proc *p);

// ---- kern_vmspace.cc --------------------------------------------------------

void vmspace_init();
// A new proc, which nobody can find yet, has its maker's address space or one of its own; RCU.
OFTEN void vmspace_fork(proc *p, task_struct *task, proc *maker);
// The same of a proc that is adopted: who shares it must be found. adopt_lock is held; RCU.
void vmspace_adopt(proc *p, task_struct *task);
// It has a new one, that it has for itself.
void vmspace_exec(proc *p, const task_struct *task) REQUIRES(p->p_token);
// Out of the ring, any number of times; true: it has left, as the last. RCU.
OFTEN bool vmspace_leave(proc *p);
// exit1's stage; RCU.
void vmspace_exit(proc *p);
// How many have its address space, itself too; RCU.
unsigned vmspace_sharers(proc *p) REQUIRES(p->p_token);

// ---- kern_ptrace.cc ---------------------------------------------------------

// The current thread, in its exit, kills whom it traces, if its process asked for that; ends:
// the process does so, too. May sleep.
OFTEN void tracees_exit(const proc *p, bool ends);

// ---- kern_atexit.cc ---------------------------------------------------------

void atexit_init();
// The process_exit event and the at_exit callouts, for the current process; may sleep.
void exit_callouts(task_struct *task);
bool exit_callouts_there();
// The stages of the current thread's exit where hooks of other modules run; may sleep.
void caps_exit(task_struct *task);
void upc_release(task_struct *task);
void vkernel_lwp_exit(task_struct *task);
void vkernel_exit(task_struct *task);
// Whether there is a hook for the ends of lwps.
bool vkernel_lwps();

// ---- kern_varsym.cc ---------------------------------------------------------

void varsym_init();
void varsym_fini();
// fork: the child, which nobody knows yet, has its maker's process-level symbols. RCU.
OFTEN void varsymset_inherit(proc *child, proc *maker);
// exit: it has none any more.
void varsymset_clean(proc *p);

// ---- kern_acct.cc -----------------------------------------------------------

// A thread has begun to exit, lp null: nobody could be told, for want of memory; RCU.
void acct_exiting(lwp *lp, task_struct *task);
// The thread of lp ends; what it adds to its process's flags.
void acct_collect(proc *p, const lwp *lp) REQUIRES(p->p_token);
// Accounts for the process of the current task, that task's end being the end of it, if that
// was not done before.
void acct_process(proc *p, task_struct *task);
void acct_fini();

// ---- kern_adopt.cc ----------------------------------------------------------

// Held while a task is adopted.
extern spinlock adopt_lock;
// Whether it has an lwp; RCU.
int is_known(task_struct *task);
// A task that no event told of; RCU. As proc_attach.
int adopt(task_struct *task, proc *maker = nullptr);
// The lwp of `task`, adopted if need be; null: cannot be had. RCU.
lwp *lwp_find_or_adopt(task_struct *task);
// The same of the current thread, whose lwp stays while it runs; waits for memory, though
// not for ever. Process context, may sleep; RCU not held.
lwp *lwp_of_current();
// Memory was short and something is missing: core_heal() will look for it.
void model_lost_something();
bool model_is_whole();
// The proc of that task's process, if any thread of it is known; RCU.
proc *proc_of_group(task_struct *task);
// The module is going: nobody will be told anything any more.
bool model_stops();

// ---- kern_limbo.cc ----------------------------------------------------------

// The proc wants another look: see there.
void limbo_add(proc *p);
OFTEN void limbo_remove(proc *p);
// proc_reparent, and the new parent goes to limbo if need be, as one; RCU.
void limbo_reparent(proc *child, proc *from, proc *fallback);
// Whether a thread runs that has not entered do_exit; looks also which of the lwps that were
// adopted inside it have come out, and counts them as exited.
bool find_alive(proc *p) REQUIRES(p->p_token);
void limbo_init();
void limbo_drain();
// Settles what can be settled now. Process context, does not sleep; RCU not held.
void limbo_settle();

} // namespace bsd
