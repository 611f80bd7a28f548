/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the preload's files share. Nothing of this is exported. All of it is async-signal-safe,
 * and may be called in a child of vfork().
 */
#ifndef BSDPROC_PRELOAD_H
#define BSDPROC_PRELOAD_H

#include <stdbool.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "counts.h"
#include "internal.h"

/*
 * wait4() and waitid() as Linux has them, cancellation points among it, by the module's choice
 * of the child; by Linux alone where the module has none to make.
 */
BSDPROC_INTERNAL pid_t preload_wait4(pid_t pid, int *status, int options, struct rusage *ru);
BSDPROC_INTERNAL int preload_waitid(idtype_t idtype, id_t id, siginfo_t *info, int options);

/*
 * A system call during which the calling thread may be cancelled, by a scheme of libc's own:
 *	if (preload_cancel_begin(&type)) { call; preload_cancel_end(type); }
 * False: it is not to be, and has nothing to end.
 */
BSDPROC_INTERNAL bool preload_cancel_begin(int *type);
BSDPROC_INTERNAL void preload_cancel_end(int type);

/* How device.c makes a request: ioctl(), during which a thread that waits may be cancelled. */
BSDPROC_INTERNAL int preload_ioctl(int fd, unsigned long request, void *arg);

/* Adds one to a count of preload_counts. */
extern BSDPROC_INTERNAL struct bsdrun_counts *preload_counts;
#define COUNT(what) __atomic_fetch_add(&preload_counts->what, 1, __ATOMIC_RELAXED)

#endif /* BSDPROC_PRELOAD_H */
