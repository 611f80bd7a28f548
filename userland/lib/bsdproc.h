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

/* The calling thread's lwp id: per process, from 1. */
int bsd_lwp_gettid(void);

#ifdef __cplusplus
}
#endif

#endif /* BSDPROC_H */
