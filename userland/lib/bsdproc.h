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

#include <sys/resource.h>
#include <sys/types.h>

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
 * Wait for a child that ended, each reported once to one caller, also beside
 * native waits. pid: > 0 that child, -1 any, 0 any of the caller's process
 * group, < -1 any of group -pid. options: WNOHANG, WLINUXCLONE. status and ru
 * may be null; ru is the child's usage with that of the children it waited for.
 * Returns the child's pid; 0 with WNOHANG and nothing to report, with *status
 * and *ru zeroed; -1 and EINVAL, ECHILD, EINTR, EFAULT (nothing was claimed) or
 * ENOSYS. Async-signal-safe; allocates nothing.
 */
pid_t bsd_wait(int *status);
pid_t bsd_waitpid(pid_t pid, int *status, int options);
pid_t bsd_wait3(int *status, int options, struct rusage *ru);
pid_t bsd_wait4(pid_t pid, int *status, int options, struct rusage *ru);

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

/*
 * DragonFly's rule for whom the calling process traces: on = 1, it is killed when the process
 * ends, by exit or by a signal, and so is what it has made since that is traced as well; 0,
 * Linux's rule, by which it goes on unless PTRACE_O_EXITKILL was set for it. Children made
 * after it inherit this; exec keeps it, but for programs that get rights by it (set-user-id).
 * A thread that ends alone always lets go of whom it traces. Returns 0; or -1 and EINVAL (on is
 * neither), ENOMEM or ENOSYS. Async-signal-safe.
 */
int bsd_tracekill(int on);

/* The calling thread's lwp id: per process, from 1. */
int bsd_lwp_gettid(void);

#ifdef __cplusplus
}
#endif

#endif /* BSDPROC_H */
