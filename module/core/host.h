/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core asks of whoever hosts it: the kernel (module/linux) or a test
 * program. Plain C, no Linux header. task_struct and pid are Linux's own and
 * opaque here; the core compares such pointers and hands them back.
 *
 * "RCU": the caller is inside host_rcu_read_lock(). "leaf": may be called with
 * core locks held; takes no core lock, does not sleep. What is not marked so is
 * an effect, and is called with no core lock held.
 */
#ifndef BSDPROC_CORE_HOST_H
#define BSDPROC_CORE_HOST_H

#ifdef __cplusplus
extern "C" {
#else
#include <linux/types.h>
#endif

/* On the way of every process or thread: side by side, so that a life touches few pages. */
#define OFTEN __attribute__((hot))
/*
 * What most never come to: out of line, and out of the way, so that the question before it
 * costs no more than itself.
 */
#define RARE __attribute__((cold, noinline))

struct task_struct;
struct pid;

/* ---- locks, RCU, memory --------------------------------------------------- */

/* A spinlock that also keeps softirqs out; its size is the kernel's business. */
struct host_lock {
	unsigned char opaque[BSDPROC_LOCK_SIZE];
} __attribute__((aligned(8)));

enum host_lock_class {
	HOST_LOCK_PROC,
	HOST_LOCK_ADOPT,
	HOST_LOCK_LIMBO,
	HOST_LOCK_EXITLIST,
	HOST_LOCK_STOP,
	HOST_LOCK_VARSYM,
	HOST_LOCK_VMSPACE,
#ifdef KTRACE
	HOST_LOCK_KTRACE,
#endif
	HOST_LOCK_CLASSES
};

OFTEN void host_lock_init(struct host_lock *lock, enum host_lock_class cls);
OFTEN void host_lock_acquire(struct host_lock *lock);
/* The second lock of one class: the caller vouches for the order. */
void host_lock_acquire_second(struct host_lock *lock);
OFTEN void host_lock_release(struct host_lock *lock);

OFTEN void host_rcu_read_lock(void);
OFTEN void host_rcu_read_unlock(void);

/* Two words that the host may use once the object is on its way out. */
struct host_work {
	void *next;
	void (*func)(struct host_work *);
};

/* leaf; by threads alone. Memory with anything in it, that never sleeps to get it; or null. */
enum host_pool { HOST_POOL_PROC, HOST_POOL_LWP, HOST_POOLS };
OFTEN void *host_alloc(enum host_pool pool);
OFTEN void host_free(enum host_pool pool, void *object);
/* leaf. Calls core_reclaim(pool, work) after a grace period. */
OFTEN void host_reclaim_later(enum host_pool pool, struct host_work *work);

/* Zeroed memory of any size, or null. May sleep. */
void *host_malloc(unsigned long size);
/* leaf. Null is nothing. */
void host_mfree(void *memory);

/* ---- the map: task -> lwp -------------------------------------------------- */

struct host_link {
	void *next;
	struct task_struct *task;
};

/* leaf; both under one of the core's locks. 0, -EEXIST, -ENOMEM. */
OFTEN int host_map_insert(struct host_link *link);
OFTEN void host_map_remove(struct host_link *link);
/* RCU, leaf; in any context. */
OFTEN struct host_link *host_map_find(const struct task_struct *task);
/* Visits every link that is there all the time, inside RCU. May sleep between them. */
void host_map_walk(void (*visit)(struct host_link *, void *), void *arg);
/* Empties the map for good, calling drop for each link. May sleep. */
void host_map_drain(void (*drop)(struct host_link *));

/* ---- Linux's truth about a task or a process (all RCU, leaf) ---------------- */

enum host_task_bit {
	HOST_TASK_LEADER = 1 << 0,   /* leads its thread group */
	HOST_TASK_EXITING = 1 << 1,  /* has entered do_exit */
	HOST_TASK_EXITED = 1 << 2,   /* its parent and children have been told */
	HOST_TASK_RELEASED = 1 << 3, /* Linux has let go of it */
	HOST_TASK_STOPPED = 1 << 4,
	HOST_TASK_TRACED = 1 << 5,
	HOST_TASK_ASLEEP = 1 << 6,
	HOST_TASK_VFORK = 1 << 7,   /* its parent waits in vfork for it */
	HOST_TASK_ALONE = 1 << 8,   /* its process has no other thread left */
	HOST_TASK_LONE = 1 << 9,    /* no other thread of its process is outside do_exit */
	HOST_TASK_WORKER = 1 << 10, /* runs no user code: io_uring's, vhost's. At birth */
	HOST_TASK_FORKED = 1 << 11, /* leads a group whose program is that of its maker */
};

OFTEN struct task_struct *host_current(void);
/* The thread with that number, null when Linux has released it. */
struct task_struct *host_pid_task(struct pid *pid);
unsigned host_task_bits(const struct task_struct *task);
/* The same of one that has not run yet, of which LEADER and WORKER say all. */
OFTEN unsigned host_task_bits_at_birth(const struct task_struct *task);
/* Whether it is a kernel thread, which has no proc. */
OFTEN int host_task_kthread(const struct task_struct *task);
/* Whether all threads of its process are past the beginning of their exits. */
OFTEN int host_task_last(const struct task_struct *task);
/* The thread that is its parent for wait; never null, maybe the idle task. */
OFTEN struct task_struct *host_task_real_parent(const struct task_struct *task);
/* Its process, null when released. No reference is taken. */
OFTEN struct pid *host_task_tgid(const struct task_struct *task);
/* Its own number, null when released. */
struct pid *host_task_pid(const struct task_struct *task);
struct pid *host_task_pgid(const struct task_struct *task);
struct pid *host_task_sid(const struct task_struct *task);
/* Its effective ids: numbers of the initial user namespace. */
unsigned host_task_euid(const struct task_struct *task);
unsigned host_task_egid(const struct task_struct *task);
/* Signal that its process sends the parent at exit; 0: none. */
OFTEN int host_task_exit_signal(const struct task_struct *task);
/* Wait status of its process; only once its last thread is in do_exit. */
OFTEN int host_task_xstat(const struct task_struct *task);
/* Its thread's number as the current task sees it; 0: out of sight. */
int host_task_nr(const struct task_struct *task);
/* Whether its whole process is exiting, not this thread alone. */
OFTEN int host_task_group_exit(const struct task_struct *task);
/* Whether a thread of its process is in exec, and has the others end. */
OFTEN int host_task_group_exec(const struct task_struct *task);
/* Whether its process is the init of a pid namespace. */
OFTEN int host_task_init(const struct task_struct *task);
/* Whether it is on a CPU. At any time, also when Linux has released it. */
OFTEN int host_task_on_cpu(const struct task_struct *task);
/* Whether it has used a privilege since its birth. */
OFTEN int host_task_privileged(const struct task_struct *task);
/* Whether a thread of its process is inside do_exit and has not told Linux's others. */
int host_group_exiting(struct task_struct *task);
/* Another thread of its process, or itself, for which `known` says so; or null. */
struct task_struct *host_group_find(struct task_struct *task, int (*known)(struct task_struct *));

/*
 * The address space of its process, to be compared only; null: it has none (any more). Another
 * one may get the same address when all have left this.
 */
OFTEN const void *host_task_mm(const struct task_struct *task);
/*
 * Whether fits(other, arg) for a task of another process that has the address space of
 * `task`. Each is asked, until one fits; nobody when Linux says that nobody shares it.
 */
int host_mm_find(struct task_struct *task, int (*fits)(struct task_struct *, void *), void *arg);

OFTEN void host_pid_get(struct pid *pid);
OFTEN void host_pid_put(struct pid *pid);
/* Its number as the current task sees it; 0: out of sight. */
int host_pid_nr(struct pid *pid);
/* The task that leads the process `pid`, null when Linux has released it. */
OFTEN struct task_struct *host_pid_leader(struct pid *pid);

enum host_reap { HOST_REAP_GONE, HOST_REAP_NOT_YET, HOST_REAP_READY };
/* Whether the current process could reap the ended process `pid` right now. */
enum host_reap host_pid_reap(struct pid *pid);

/*
 * Whether fits(leader, arg) for a process of that group, or of that session, among the first
 * so many of them. 0 says little: who comes and goes meanwhile may hide others.
 */
enum host_group { HOST_GROUP_PGRP, HOST_GROUP_SESSION };
int host_members_find(struct pid *group, enum host_group kind, unsigned looks,
		      int (*fits)(struct task_struct *, void *), void *arg);

/* ---- what a wait may report besides ends --------------------------------------- */

/* What Linux keeps until a wait has collected it, and from whom. */
enum host_mark {
	HOST_MARK_MINE = 1 << 0,      /* a thread of the current process traces it */
	HOST_MARK_STOPPED = 1 << 1,   /* its whole process has stopped */
	HOST_MARK_TRAPPED = 1 << 2,   /* it has stopped for its tracer */
	HOST_MARK_CONTINUED = 1 << 3, /* its process goes on */
	HOST_MARK_ENDED = 1 << 4,     /* and its tracer, if there is one, could collect that */
	HOST_MARK_HALTED = 1 << 5,    /* its whole process has stopped, collected or not */
};
/* RCU, leaf. code: the signal of a stop, or what the tracer is to see; the status of an end. */
unsigned host_task_marks(const struct task_struct *task, int *code);
/* RCU, leaf. Whether a thread of the current process traces anybody. */
int host_process_traces(void);
/* RCU, leaf. Whether fits(task, arg) for one whom they trace. Each is asked, until one fits. */
int host_tracees_find(int (*fits)(struct task_struct *, void *), void *arg);
/* RCU, leaf. The same, at the cost of a few of them. 0: none of those. */
int host_tracees_find_soon(int (*fits)(struct task_struct *, void *), void *arg);

/*
 * Which children and tracees of a process may have such marks, in the order in which Linux
 * tells of it, each perhaps more than once, so that nobody need look at them all. Those that
 * did not fit are missed, and those from before its opening.
 */
struct host_watch;
/* For the current process; null: no memory. Process context, may sleep. */
struct host_watch *host_watch_open(void);
/* leaf. While a task of its process is there. */
void host_watch_close(struct host_watch *watch);
/* leaf. How many are in it. */
unsigned host_watch_count(struct host_watch *watch);
/* leaf. Takes the first out, which is the caller's to put; or null. */
struct pid *host_watch_take(struct host_watch *watch);
/* leaf. One more, at its end, unless it does not fit. */
void host_watch_add(struct host_watch *watch, struct pid *pid);
/* leaf. The same, to be the first. */
void host_watch_put_back(struct host_watch *watch, struct pid *pid);
/* leaf. Empties it; nobody is missed then. */
void host_watch_reset(struct host_watch *watch);
/* leaf. Whether somebody is missed. */
int host_watch_missed(struct host_watch *watch);
/* Makes room for that many, if there is memory. Process context, may sleep. */
void host_watch_grow(struct host_watch *watch, unsigned room);

/* ---- the current task's user: numbers of the initial user namespace, leaf ------ */

unsigned host_euid(void);
/* Who answers there for that user: itself, or whose its outermost user namespace is. */
unsigned host_payer(void);
/* Whether it may change what is the whole system's; not with locks held. */
int host_is_admin(void);

/* ---- effects ---------------------------------------------------------------- */

/*
 * Calls adopt(task) for every Linux task, inside RCU, until it returns non-zero;
 * returns that, or 0.
 */
int host_tasks_walk(int (*adopt)(struct task_struct *));
/*
 * Visits the pids that the current task sees, the lowest number first, inside RCU: each that
 * is in use all the time, once. May sleep between them.
 */
void host_pid_walk(void (*visit)(struct pid *, int nr, void *), void *arg);
/* leaf. Asks for core_heal() soon, in process context. */
void host_heal_later(void);
/* Lets memory pressure pass: sleeps until memory can be had. */
void host_memory_wait(void);

/*
 * tsleep and wakeup: the current thread sleeps, out of reach of signals, until awake(arg)
 * says that it may go on. That is asked first, and whenever the channel is woken; it is
 * called without locks. The channel is an address, nothing is there.
 */
void host_sleep(const void *channel, int (*awake)(void *), void *arg);
/* leaf. What awake() looks at has been changed. */
void host_wakeup(const void *channel);

/*
 * Sends SIGKILL to each process that has a thread which the current one traces, unless it is
 * being killed already; returns to how many. For a thread in do_exit, which gets new ones to
 * trace only as children of those. May sleep.
 */
unsigned host_kill_tracees(void);
/* Whether the current thread traces anybody. */
int host_traces(void);

/*
 * What Linux should have taken from the current thread or its process by the end of its
 * do_exit, and has not; null: nothing. For a process's last thread.
 */
const char *host_exit_undone(void);

/* Says so in the log; function: whose name is added, or null. */
void host_warn(const char *what, const void *function);
/* leaf. What the core is sure of is not so: says it with a backtrace, and goes on. */
void host_assert_failed(const char *what);
/* The current process was the init of a pid namespace: that and how it ended, to the log. */
void host_init_died(int signal, int exit);

/*
 * kill(): sends the signal to a process, by the right of the current one, dying or not.
 * 0, or a negative errno: -ESRCH, -EPERM. Does not sleep.
 */
int host_kill(struct pid *pid, int signal);

/* The descriptor that a core_tracer belongs to. RCU keeps it. */
struct host_tracer;
/* RCU. Whether who opened it may hold the current process. */
int host_tracer_may(struct host_tracer *tracer);
/* RCU. Its readers look again. */
void host_tracer_wake(struct host_tracer *tracer);

/* ---- accounting -------------------------------------------------------------- */

/* By Linux's numbers, which are BSD's. */
enum host_acflag { HOST_AFORK = 0x01, HOST_ASU = 0x02, HOST_ACORE = 0x08, HOST_AXSIG = 0x10 };
struct host_acct_end {
	unsigned flags; /* HOST_A* */
	int xstat;
	unsigned tty;
};
/* leaf. Whether anybody reads such records: one load. */
OFTEN int host_acct_wanted(void);
/* The current task's terminal, in the form that user space knows; 0: none. */
unsigned host_tty(void);
/* RCU. A record of the end of that task's process, to all who read; does not sleep. */
void host_acct(struct task_struct *task, const struct host_acct_end *end);

#ifdef KTRACE
/* ---- traces ------------------------------------------------------------------ */

/* BSD's number for PSIG and INHERIT. */
enum core_ktr {
	CORE_KTR_PSIG = 5,
	CORE_KTR_FORK = 16,
	CORE_KTR_EXEC,
	CORE_KTR_EXIT,
	CORE_KTR_SIG,
	CORE_KTR_WAIT,
	CORE_KTR_REAP,
	CORE_KTR_STOP,
};
enum core_ktrfac {
	CORE_KTRFAC_SIG = 1 << CORE_KTR_PSIG,
	CORE_KTRFAC_FORK = 1 << CORE_KTR_FORK,
	CORE_KTRFAC_EXEC = 1 << CORE_KTR_EXEC,
	CORE_KTRFAC_EXIT = 1 << CORE_KTR_EXIT,
	CORE_KTRFAC_WAIT = 1 << CORE_KTR_WAIT,
	CORE_KTRFAC_INHERIT = 1 << 30,
};
struct host_ktr {
	unsigned type;            /* CORE_KTR_* */
	struct task_struct *task; /* the thread that does it; null: none, or not known */
	struct pid *other;        /* the child, whom it waits for, who sends; or null */
	int xstat;                /* EXIT, REAP */
	int signo, code;          /* SIG, PSIG */
	unsigned action;          /* the same: BSDPROC_KTR_* */
};
/* A descriptor of BSDPROC_KTRACE. RCU keeps it. */
struct host_ktrace;
/* RCU, leaf; in any context. The process `pid` does it: a record for that descriptor. */
void host_ktrace_tell(struct host_ktrace *trace, struct pid *pid, const struct host_ktr *event);
/* leaf. Whether more records may come. */
void host_ktrace_expect(struct host_ktrace *trace, int more);
/* RCU, leaf. Whether who opened it may inspect that task's process. */
int host_ktrace_may(struct host_ktrace *trace, const struct task_struct *task);
/* RCU, leaf. Whether the current task may. */
int host_may_inspect(const struct task_struct *task);
#endif

/* RCU. Has everyone in that task's process who sleeps in wait look again. */
void host_wake_waiters(struct task_struct *task);

/*
 * The current thread's sleep in wait: woken by Linux for each child or tracee of its
 * process that ends, stops or goes on, or only for those that its maker has said. prepare()
 * comes before the last look; sleep() returns non-zero when a signal is pending; finish()
 * undoes prepare().
 */
struct host_waiter;
void host_wait_prepare(struct host_waiter *waiter);
int host_wait_sleep(struct host_waiter *waiter);
void host_wait_finish(struct host_waiter *waiter);

/* EXTEXIT_SETINT: makes the checked store and gives the address back. */
struct host_setint;
void host_setint_store(struct host_setint *setint);
void host_setint_drop(struct host_setint *setint);

#ifdef __cplusplus
}
#endif

#endif /* BSDPROC_CORE_HOST_H */
