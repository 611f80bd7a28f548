/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbsdproc: DragonFly BSD's exit and wait calls on Linux, served by the
 * bsdproc kernel module.
 *
 * All functions are thread-safe and fork-safe, open no descriptor without
 * O_CLOEXEC, and return -1 with errno ENOSYS where the module is not loaded.
 */
#ifndef BSDPROC_H
#define BSDPROC_H

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#ifdef __cplusplus
extern "C" {
#endif

/* extexit's `how`: one who, ORed with one action. */
#ifndef EXTEXIT_SIMPLE
#define EXTEXIT_SIMPLE 0       /* end, no more */
#define EXTEXIT_SETINT 1       /* store status at addr, then end */
#define EXTEXIT_PROC (0 << 16) /* the process */
#define EXTEXIT_LWP (1 << 16)  /* this thread; the process, if it is the last */
#define EXTEXIT_ACTION(how) (0xffff & (how))
#define EXTEXIT_WHO(how) ((how) & ~0xffff)
#endif

#ifndef WLINUXCLONE
#define WLINUXCLONE 0x80000000 /* wait for children that do not send SIGCHLD */
#endif
#ifndef WTRAPPED
#define WTRAPPED 0x20 /* wait for what the caller traces, and has stopped for it */
#endif
#ifndef P_SID
#define P_SID ((idtype_t)19) /* children of the session id; 0: of the caller's */
#define P_UID ((idtype_t)21) /* children whose effective user is id */
#define P_GID ((idtype_t)22) /* children whose effective group is id */
#endif

#ifndef BSDPROC_WRUSAGE
#define BSDPROC_WRUSAGE
/* What a child has used, and those children of its that it waited for. */
struct __wrusage {
	struct rusage wru_self;
	struct rusage wru_children;
};
#endif

/*
 * Ends the calling thread or its process. With EXTEXIT_SETINT the int at addr
 * becomes `status`: for a thread once it can run no more user code, so that
 * whoever sees the value may free the thread's stack; for a process at once.
 * Returns only on error, with -1, and nothing has happened then: EINVAL (unknown
 * who or action), EFAULT (addr is not writable), ENOMEM, ENOSYS.
 * Async-signal-safe.
 */
int bsd_extexit(int how, int status, void *addr);

/*
 * Wait for what becomes of a child: that it ended, and with WUNTRACED that it stopped, with
 * WCONTINUED that it goes on; each reported once to one caller, also beside native waits. With
 * WNOWAIT it is left to be reported again. What the calling process traces counts among its
 * children, and its stops are reported without being asked for.
 *
 * pid: > 0 that child, -1 any, 0 any of the caller's process group, < -1 any of group -pid.
 * options: WNOHANG, WUNTRACED, WCONTINUED, WNOWAIT, WLINUXCLONE (only such children as do not
 * send SIGCHLD, which else are left out); WEXITED and WTRAPPED are implied. status and ru may be
 * null. *status: exit code << 8, or the signal and 0x80 for a core dump; stopped, signal << 8 |
 * 0x7f; continued, SIGCONT. *ru: the usage of a child that ended, with that of the children it
 * waited for; all zero for others.
 *
 * Returns the child's pid; 0 with WNOHANG and nothing to report, with *status and *ru zeroed;
 * -1 and EINVAL (other options), ECHILD, EINTR, EFAULT (nothing was collected), ENOMEM or
 * ENOSYS. Async-signal-safe; allocates nothing.
 */
pid_t bsd_wait(int *status);
pid_t bsd_waitpid(pid_t pid, int *status, int options);
pid_t bsd_wait3(int *status, int options, struct rusage *ru);
pid_t bsd_wait4(pid_t pid, int *status, int options, struct rusage *ru);

/*
 * The same for more kinds of ids and with more to be told. idtype and id: P_ALL; P_PID, P_PGID
 * (0 with these: the caller's group), P_SID (0: the caller's session), P_UID, P_GID. options:
 * at least one of WEXITED, WUNTRACED (WSTOPPED), WCONTINUED and WTRAPPED, which here means just
 * what it says: nothing is implied, but that WUNTRACED has WTRAPPED in it. wru->wru_self is what
 * the child has used itself, wru->wru_children what its children have. info has si_signo
 * (SIGCHLD), si_code (CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_STOPPED, CLD_TRAPPED,
 * CLD_CONTINUED), si_pid, si_uid and si_status (exit code, or signal); with nothing to report
 * it is zeroed. Any of status, wru and info may be null.
 *
 * bsd_wait6 returns as bsd_wait4 does; bsd_waitid 0 or -1. Errors are the same; EINVAL also for
 * another idtype, and without one of the four options.
 */
pid_t bsd_wait6(idtype_t idtype, id_t id, int *status, int options, struct __wrusage *wru,
		siginfo_t *info);
int bsd_waitid(idtype_t idtype, id_t id, siginfo_t *info, int options);

#ifndef NOTE_EXIT
#define NOTE_EXIT 0x80000000 /* the process has ended, and its parent can wait for it */
#endif

struct bsd_note {
	int ident;       /* the process, by the number with which it was asked for */
	unsigned fflags; /* what has come */
	long long data;  /* NOTE_EXIT: its wait status */
};

/*
 * A descriptor, closed by exec, that poll(), select() and epoll find readable once what
 * fflags (NOTE_EXIT) asks for has come; read() then gives one struct bsd_note, and after it
 * 0, the end of the file. pid: a child, or any process that the caller may inspect by
 * ptrace's rule. By the time of a NOTE_EXIT a wait for the process succeeds without
 * sleeping; a zombie's comes at once; it stays when the process was reaped since. Returns
 * -1 and EINVAL (other fflags), ESRCH (no such process), EPERM, EMFILE, ENFILE, ENOMEM or
 * ENOSYS. Close it when you are done.
 */
int bsd_knote(pid_t pid, unsigned fflags);

#ifndef RFPROC
#define RFFDG (1 << 2)        /* a copy of the descriptors; without it they are shared */
#define RFPROC (1 << 4)       /* a process */
#define RFMEM (1 << 5)        /* in the same memory */
#define RFCFDG (1 << 12)      /* no descriptors */
#define RFTHREAD (1 << 13)    /* a peer of the caller's task leader */
#define RFSIGSHARE (1 << 14)  /* the same signal handlers */
#define RFLINUXTHPN (1 << 16) /* SIGUSR1 at its end, not SIGCHLD */
#endif

/*
 * Makes a process that runs function(arg) in the caller's memory and exits with what that
 * returns. stack: the upper end of the memory for its stack, which must be there for as
 * long. flags: RFPROC | RFMEM and any others above. With RFTHREAD it is a peer of the
 * caller's task leader, which is the caller itself if it is no peer: when the leader ends,
 * its peers get SIGKILL, and its parent learns of its end when they are gone. Without RFFDG
 * or RFCFDG descriptors, working directory and umask are shared. As with vfork(), function
 * shares thread-local storage, errno among it, with the calling thread. Returns the child's
 * pid once it is a peer; -1 and EINVAL (flags), EAGAIN, ENOMEM, ESRCH (the task leader is
 * exiting, or the child was killed) or ENOSYS.
 */
pid_t bsd_rfork_thread(int flags, void *stack, int (*function)(void *), void *arg);

#ifndef S_EXIT
#define S_EXIT 0x20 /* at its exit: all its threads have ended, its parent is not told yet */
#endif
#define BSD_S_FORK 0x10000 /* besides, also the children that it makes from now on */

struct bsd_stop {
	int pid;        /* 0: in a pid namespace that the reader does not see */
	unsigned event; /* S_EXIT */
	int status;     /* its wait status */
	unsigned reserved;
};

/*
 * Holding processes at their exit. bsd_hold() gives a descriptor, closed by exec.
 * bsd_hold_stops() asks that the process `pid` (0: the caller) stops at events, S_EXIT and
 * perhaps BSD_S_FORK; 0 takes that back, and lets it go. read() gives one struct bsd_stop
 * for each process that has stopped, in that order, and sleeps while there is none; 0 when
 * no process is left that would stop; poll() and epoll tell. The process stays as it is,
 * whatever signals come, until bsd_hold_cont() or the descriptor's last close.
 * All return -1 with errno ENOSYS, and
 *   bsd_hold        EMFILE, ENFILE, ENOMEM
 *   bsd_hold_stops  EBADF, EINVAL, ESRCH (no such process, or it is exiting), EPERM (not the
 *                   caller's to inspect, by ptrace's rule), EBUSY (held by another), ENOMEM
 *   bsd_hold_cont   EBADF, EINVAL, ESRCH (it is not held by that descriptor)
 */
int bsd_hold(void);
int bsd_hold_stops(int fd, pid_t pid, unsigned events);
int bsd_hold_cont(int fd, pid_t pid);

#ifndef VARSYM_PROC
#define VARSYM_PROC 1 /* of the process: inherited by fork, kept by exec */
#define VARSYM_USER 2 /* of the effective user */
#define VARSYM_SYS 3  /* of the system */
#define VARSYM_PROC_MASK (1 << VARSYM_PROC)
#define VARSYM_USER_MASK (1 << VARSYM_USER)
#define VARSYM_SYS_MASK (1 << VARSYM_SYS)
#define VARSYM_ALL_MASK (VARSYM_PROC_MASK | VARSYM_USER_MASK | VARSYM_SYS_MASK)
#define MAXVARSYM_NAME 64  /* bytes of a name, with its NUL */
#define MAXVARSYM_DATA 256 /* bytes of a value, with its NUL */
#define MAXVARSYM_SET 8192 /* what a level may count: 56 and both strings for each symbol */
#endif

/*
 * Sets the symbol `name` at a level, or deletes it: data null. A process's symbols go with
 * it; a user's stay until they are deleted or the module goes; the system's are changed with
 * CAP_SYS_ADMIN in the initial user namespace. Returns 0, or -1 and EINVAL (other level),
 * ENAMETOOLONG, EFAULT, EPERM, ENOENT (nothing to delete), E2BIG (the level is full; what
 * the symbol was it still is), ENOSPC (too many users of the caller's user namespaces have
 * symbols), ENOMEM or ENOSYS. Async-signal-safe, as the other two are.
 */
int bsd_varsym_set(int level, const char *name, const char *data);

/*
 * The value of the symbol `wild`, which is a plain name: the process's, else the user's,
 * else the system's, of the levels in mask (VARSYM_*_MASK). Returns its length with the NUL.
 * If that is more than bufsize, buf has the empty string (or nothing, if bufsize is 0). -1
 * and EINVAL (other bits in mask), ENAMETOOLONG, EFAULT, ENOENT, ENOMEM or ENOSYS.
 */
int bsd_varsym_get(int mask, const char *wild, char *buf, int bufsize);

/*
 * The symbols of a level from number *marker (0: the first) on, in the order of setting, as
 * many as go into maxsize bytes: each a name, NUL, value, NUL. Returns how many bytes; *marker
 * is where the next call goes on, or -1: that was all. -1 and EINVAL (other level), EFAULT,
 * EOVERFLOW (maxsize is too little for the next one), ENOMEM or ENOSYS; *marker is as it was
 * then.
 */
int bsd_varsym_list(int level, char *buf, int maxsize, int *marker);

/*
 * DragonFly's rule for whom the calling process traces: on = 1, it is killed when the process
 * ends, by exit or by a signal, and so is what it has made since that is traced as well; 0,
 * Linux's rule, by which it goes on unless PTRACE_O_EXITKILL was set for it. Children made
 * after it inherit this; exec keeps it, but for programs that get rights by it (set-user-id).
 * A thread that ends alone always lets go of whom it traces. Returns 0; or -1 and EINVAL (on is
 * neither), ENOMEM or ENOSYS. Async-signal-safe.
 */
int bsd_tracekill(int on);

#ifndef KTRFAC_PSIG
#define KTRFAC_PSIG 0x00000020    /* signals that are sent to it, and that it takes */
#define KTRFAC_INHERIT 0x40000000 /* its children are traced as well */
#endif
#define BSD_KTRFAC_FORK 0x00010000
#define BSD_KTRFAC_EXEC 0x00020000
#define BSD_KTRFAC_EXIT 0x00040000
#define BSD_KTRFAC_WAIT 0x00100000 /* its waits, and the children that they have reaped */

/*
 * Traces of what processes do. bsd_ktrace() gives a descriptor, closed by exec, with room for
 * so many records, from 1 to 16384. bsd_ktrace_set() has the process `pid` (0: the caller)
 * traced: facs says which events are told; 0, no more. read() gives as many struct bsdproc_ktr
 * (<bsdproc/bsdproc_ioctl.h>) as are there and fit, and sleeps while there is none; 0 when no
 * process is traced by it and all was read; poll() and epoll tell. What did not fit is counted
 * in the next record. The last close ends the tracing.
 * Both return -1 with errno ENOSYS also where the module was built without this, and
 *   bsd_ktrace      EINVAL, EMFILE, ENFILE, ENOMEM
 *   bsd_ktrace_set  EBADF, EINVAL, ESRCH (no such process, it is exiting, or was not traced),
 *                   EPERM (not the caller's to inspect, by ptrace's rule), EBUSY (it has
 *                   another trace), ENOMEM
 */
int bsd_ktrace(unsigned records);
int bsd_ktrace_set(int fd, pid_t pid, unsigned facs);

/* The calling thread's lwp id: per process, from 1. */
int bsd_lwp_gettid(void);

/*
 * Sends the signal sig (0: none, only looks) to the thread with that lwp id of the process pid;
 * pid -1: the caller's. By kill()'s right. Returns 0, also when the process is exiting or has
 * ended, whatever lwp is, and the signal comes to nothing; -1 and EINVAL (lwp is not positive,
 * no such signal), ESRCH (no such process or lwp), EPERM, EAGAIN (too many signals are queued),
 * ENOMEM or ENOSYS. Async-signal-safe.
 */
int bsd_lwp_kill(pid_t pid, int lwp, int sig);

#ifndef PROC_REAP_ACQUIRE
#define PROC_REAP_ACQUIRE 1
#define PROC_REAP_RELEASE 2
#define PROC_REAP_STATUS 3
#define REAPER_STAT_OWNED 1    /* the caller is a reaper */
#define REAPER_STAT_REALINIT 2 /* its reaper is the init of its pid namespace */

struct reaper_status {
	uint32_t flags; /* REAPER_STAT_* */
	uint32_t refs;  /* how many living descendants have the caller for their nearest reaper */
	long reserved1[15];
	pid_t pid_head; /* the first of the caller's children, living or zombie; -1: none */
	int reserved2[15];
};
union reaper_info {
	struct reaper_status status;
};
#endif

/*
 * Makes the calling process the reaper of its descendants, or ends that: orphans among them
 * become its children. It is Linux's PR_SET_CHILD_SUBREAPER, so those that it has already are
 * among them, and threads that call this at the same time may both be told that they did it.
 * idtype P_PID and id 0 or the caller's pid. PROC_REAP_ACQUIRE and PROC_REAP_RELEASE take no
 * data; PROC_REAP_STATUS fills *data, a union reaper_info, if that is not null. Returns 0; -1
 * and EINVAL (others), EALREADY (is one), ENOTCONN (is none), EFAULT or ENOSYS.
 * Async-signal-safe.
 */
int bsd_procctl(idtype_t idtype, id_t id, int cmd, void *data);

#ifdef __cplusplus
}
#endif

#endif /* BSDPROC_H */
