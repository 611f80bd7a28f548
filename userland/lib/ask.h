/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the module for a child, as the library and the preload do it.
 *
 * Between its answer and the collecting all signals are blocked: the signal that a child's end
 * sends would else be handled there, and handlers wait for children, too. Linux's own call has
 * collected when the handler runs.
 *
 * Needs _GNU_SOURCE. All of it is async-signal-safe.
 */
#ifndef BSDPROC_ASK_H
#define BSDPROC_ASK_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "internal.h"

/* The system call: libc's function leaves signals of its own out. */
static inline void bsdproc_release_signals(const struct bsdproc_wait *args)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &args->sigmask, NULL, sizeof(args->sigmask));
}

/*
 * Asks for a child, in args->pid, or 0: nothing to report. With one, signals are blocked, until
 * bsdproc_collected(). If it cannot be collected, as another wait was quicker, ask again with the
 * same args: signals stay blocked so that what has come meanwhile interrupts that.
 * Returns 0 or an error; changes errno.
 */
static inline int bsdproc_ask(struct bsdproc_wait *args)
{
	const bool held = args->flags & BSDPROC_WAIT_SIGNALS;
	int error;

	args->flags = BSDPROC_WAIT_SIGNALS | (held ? BSDPROC_WAIT_HELD : 0);
	args->pid = 0;
	if (bsdproc_call(BSDPROC_WAIT, args) == 0)
		return 0;
	error = errno;
	/* After the other two it was the module that answered, which has set the mask. */
	if (held && error != EINTR && error != ECHILD)
		bsdproc_release_signals(args);
	return error;
}

/*
 * The child that was asked for has been collected, or cannot be for a reason that will stay.
 * Other threads know at once. Changes errno.
 */
static inline void bsdproc_collected(const struct bsdproc_wait *args)
{
	if (args->flags & BSDPROC_WAIT_SHARED)
		bsdproc_call(BSDPROC_REAPED, NULL);
	bsdproc_release_signals(args);
}

#endif /* BSDPROC_ASK_H */
