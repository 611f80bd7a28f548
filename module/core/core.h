/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core offers its host: events in, requests in. Plain C.
 * Errors are negative errno values.
 */
#ifndef BSDPROC_CORE_CORE_H
#define BSDPROC_CORE_CORE_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sizes of the objects that the host's pools hold. */
extern const unsigned core_proc_size;
extern const unsigned core_lwp_size;

/* Before any event; cannot fail. */
void core_init(void);
/*
 * Learns of every process alive. After all events are connected; process
 * context, may sleep. -ENOMEM.
 */
int core_adopt_all(void);
/* No more adopting: events are about to be disconnected. Any context. */
void core_stop(void);
/* Nobody is in a call, and of events only core_task_free() comes. Process context. */
void core_silence(void);
/* Frees the whole model. Nothing else runs in the core, or will. May sleep. */
void core_fini(void);
/* What host_heal_later() asked for. Process context, may sleep. */
void core_heal(void);

/* ---- events, each inside RCU and unable to sleep ---------------------------- */

/* A task was made and cannot run yet; in its maker's context. */
OFTEN void core_task_new(struct task_struct *task);
/*
 * The current task has a new program; the other threads are gone. secure: the program gave it
 * rights that its caller did not have.
 */
void core_task_exec(struct task_struct *task, int secure);
/*
 * The current task is in do_exit. Returns what core_task_exit() wants, to be
 * called later in the exit, in process context; or null: nothing to do.
 */
OFTEN struct host_work *core_task_exiting(struct task_struct *task);
/* exit1 and lwp_exit: the rest of the current task's exit; may sleep. */
OFTEN void core_task_exit(struct host_work *work);
/* Nothing runs or finds the task any more, its memory is about to go. softirq. */
OFTEN void core_task_free(struct task_struct *task);

/* A grace period after host_reclaim_later(). softirq. */
OFTEN void core_reclaim(enum host_pool pool, struct host_work *work);

/* ---- requests of the current task; process context, may sleep ---------------- */

enum core_verdict { CORE_VERDICT_LWP = 1, CORE_VERDICT_PROC = 2 };
enum core_who { CORE_WHO_PROC, CORE_WHO_LWP };
/*
 * Whether the current thread's end is its process's. With setint not null: the
 * store, which is made at once or at the thread's end; the core owns it from
 * here unless an error is returned. A core_verdict, or -ENOMEM.
 */
int core_extexit(enum core_who who, struct host_setint *setint);

/* The ABI's numbers, as all of these. */
enum core_idtype {
	CORE_P_ALL,
	CORE_P_PID,
	CORE_P_PGID,
	CORE_P_SID = 19,
	CORE_P_UID = 21,
	CORE_P_GID,
};
enum core_woptions {
	CORE_WNOHANG = 0x1,
	CORE_WUNTRACED = 0x2,
	CORE_WEXITED = 0x4,
	CORE_WCONTINUED = 0x8,
	CORE_WTRAPPED = 0x20,
	CORE_WNOWAIT = 0x01000000,
	CORE_WALL = 0x40000000,
};
#define CORE_WLINUXCLONE 0x80000000u

struct core_wait_args {
	enum core_idtype idtype;
	struct pid *id;   /* for PID, PGID and SID; null: no such */
	unsigned user;    /* for UID and GID: a number of the initial user namespace */
	unsigned options; /* CORE_W*, at least one kind of event */
	struct host_waiter *waiter;
	/* out, with success */
	struct pid *pid; /* the child or tracee, with a reference; null: none yet */
	unsigned what;   /* the kind of event: one of CORE_WEXITED ... */
	int xstat;
	int shared; /* other threads may wait for the claim's end */
};
/*
 * kern_wait(). With an end that is a child's, and without WNOWAIT, the child is claimed. All
 * else is whoever's who collects it first. 0, -ECHILD, -ENOMEM, -ERESTARTSYS.
 */
int core_wait(struct core_wait_args *args);
/* Ends the claim that core_wait() gave, whether the child was reaped or not. */
void core_wait_end(void);

/*
 * Whether the processes that the current one's threads trace are killed when it ends.
 * 0, -ENOMEM.
 */
int core_tracekill(int on);

/* The current thread's DragonFly lwp id, or -ENOMEM. */
int core_lwp_tid(void);

/*
 * The current process becomes a peer of the task leader of its parent, whose number is
 * `parent`. -ESRCH: it is not the parent any more, or its leader is exiting; the process
 * has been killed. -EALREADY: it is a peer. -ENOMEM.
 */
int core_join(int parent);

/* ---- stops: the tracer's side; each inside RCU but for new and free ------------- */

enum core_stops { CORE_S_EXIT = 0x20, CORE_S_FORK = 0x10000 };

struct core_stopped {
	struct pid *pid; /* with a reference */
	unsigned event;  /* CORE_S_EXIT */
	int xstat;
};

struct core_tracer;
/* null: no memory. */
struct core_tracer *core_tracer_new(struct host_tracer *host);
/* Lets go whomever it holds. Process context. */
void core_tracer_free(struct core_tracer *tracer);
/*
 * Has the process of `leader` stop at these events; 0: no more, and go on if it has
 * stopped. 0, -ESRCH (is exiting; or nothing was asked), -EBUSY (another tracer's), -ENOMEM.
 */
int core_tracer_stops(struct core_tracer *tracer, struct task_struct *leader, unsigned events);
/* The next process that has stopped. 0, -EAGAIN: none yet, -ECHILD: and none will. */
int core_tracer_next(struct core_tracer *tracer, struct core_stopped *stopped);
/* The same, but it stays the next. */
int core_tracer_state(struct core_tracer *tracer);
/* It could not be told, and becomes the next again. */
void core_tracer_again(struct core_tracer *tracer, struct pid *pid);
/* Lets it go. 0, -ESRCH: the tracer does not hold it. */
int core_tracer_cont(struct core_tracer *tracer, struct pid *pid);

/* ---- variant symbols ------------------------------------------------------------ */

enum core_varsym_level { CORE_VARSYM_PROC = 1, CORE_VARSYM_USER, CORE_VARSYM_SYS };
enum {
	CORE_VARSYM_NAME = 64,  /* bytes of a name at most, with its NUL */
	CORE_VARSYM_DATA = 256, /* bytes of a value at most, with its NUL */
	CORE_VARSYM_SET = 8192, /* a set of that size takes no more symbols */
	CORE_VARSYM_TEXT = 8192 /* all names and values of a set are less */
};

/*
 * Sets the symbol at that level, for the current process, its effective user or the system;
 * data null: deletes it. 0, -ENOENT (nothing to delete), -E2BIG (the set is full), -ENOSPC
 * (too many users have a set), -EPERM, -ENOMEM. What was set stays so with an error.
 */
int core_varsym_set(enum core_varsym_level level, const char *name, const char *data);
/*
 * The first of that name at the levels in the mask (1 << level): the process's, the user's,
 * the system's. Room at data for CORE_VARSYM_DATA. Its length with the NUL; -ENOENT, -ENOMEM.
 */
int core_varsym_get(unsigned mask, const char *name, char *data);
/*
 * Whole symbols from the one numbered *marker on, in the order of setting: name, NUL, value,
 * NUL. Returns how many bytes; *marker is the next one's number then, or -1: that was all.
 * -EOVERFLOW (no room for one), -ENOMEM.
 */
int core_varsym_list(enum core_varsym_level level, int *marker, char *buf, unsigned room);

/* ---- the model, to look at ----------------------------------------------------- */

/* p_stat */
enum core_p_stat { CORE_SIDL = 1, CORE_SACTIVE, CORE_SSTOP, CORE_SZOMB };
/* p_flag that an observer sees */
enum core_p_flag {
	CORE_P_WEXIT = 1 << 0,
	CORE_P_TRACED = 1 << 1,
	CORE_P_PPWAIT = 1 << 2,
	CORE_P_EXEC = 1 << 3,
	CORE_P_CLAIMED = 1 << 4,
	CORE_P_ADOPTED = 1 << 5,
	CORE_P_VMLAST = 1 << 8,    /* the last to leave its address space, at its exit */
	CORE_P_TRACEKILL = 1 << 9, /* takes along whom it traces */
};
enum core_lwp_stat { CORE_LSRUN = 1, CORE_LSSTOP, CORE_LSSLEEP, CORE_LSZOMB };
enum core_lwp_flag { CORE_LWP_WEXIT = 1 << 0, CORE_LWP_MAIN = 1 << 1 };

struct core_kproc {
	struct pid *ppid;   /* null: proc0. Valid only inside RCU */
	struct pid *leader; /* its task leader; itself, when it is no peer. The same */
	unsigned npeers;    /* that it leads */
	unsigned stype;     /* CORE_S_*: what it has stopped at; 0: it has not */
	unsigned stat, flags;
	unsigned nthreads, nlwps;
	unsigned nchildren, nzombies;
	int sigparent, xstat;
	unsigned holds;
	unsigned vmsharers; /* procs in its address space, itself too; 0: it has left that */
};

struct core_klwp {
	int lwpid, tid;
	unsigned stat, flags;
};

/*
 * Brings what Linux changed without telling up to date. Before looking, and
 * before saying that something is not there. Process context; may sleep.
 */
void core_settle(void);
/* RCU. The proc `pid` and up to `room` of its lwps. 0, -ESRCH. */
int core_getproc(struct pid *pid, struct core_kproc *kproc, struct core_klwp *lwps, unsigned room);
/*
 * The numbers of all procs in the current task's sight, the lowest first; returns how many.
 * Who is there all the time is among them. May sleep.
 */
unsigned core_list(int *pids, unsigned room);

#ifdef KTRACE
/* ---- ktrace; each inside RCU but for new, close and free ----------------------- */

struct core_signal {
	int signo, code;
	unsigned action;
	int delivered; /* taken, not just sent */
	int group;     /* for the process, not for the thread */
	struct pid *sender;
};
/* A signal for a task. In any context, under Linux's locks. */
void core_task_signal(struct task_struct *task, const struct core_signal *signal);
/* The current task waits for the end of `whom`; null: of any child. Process context. */
void core_task_wait(struct pid *whom);

struct core_ktrace;
/* null: no memory. May sleep. */
struct core_ktrace *core_ktrace_new(struct host_ktrace *host);
/* Nothing is traced by it any more, though events that had begun may still be told. */
void core_ktrace_close(struct core_ktrace *trace);
/* A grace period after that. */
void core_ktrace_free(struct core_ktrace *trace);
/*
 * Has the process of `leader` traced: the events of CORE_KTRFAC_*, 0: no more. 0, -ESRCH (is
 * exiting; or nothing was asked), -EPERM, -EBUSY (has another trace), -ENOMEM.
 */
int core_ktrace_set(struct core_ktrace *trace, struct task_struct *leader, unsigned facs);
#endif

#ifdef __cplusplus
}
#endif

#endif /* BSDPROC_CORE_CORE_H */
