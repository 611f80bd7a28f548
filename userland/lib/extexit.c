// SPDX-License-Identifier: BSD-2-Clause
/* bsd_extexit: the module decides who ends, this thread does it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

_Static_assert(EXTEXIT_SIMPLE == BSDPROC_EXTEXIT_SIMPLE &&
		       EXTEXIT_SETINT == BSDPROC_EXTEXIT_SETINT &&
		       EXTEXIT_PROC == BSDPROC_EXTEXIT_PROC && EXTEXIT_LWP == BSDPROC_EXTEXIT_LWP,
	       "the API's numbers are the ABI's");

/* The kernel's set, not libc's larger one; and libc's calls leave out the two
 * signals that it keeps for itself. */
static void set_mask(int how, const sigset_t *set, sigset_t *old)
{
	syscall(SYS_rt_sigprocmask, how, set, old, (size_t)(_NSIG / 8));
}

int bsd_extexit(int how, int status, void *addr)
{
	struct bsdproc_extexit args = {
		.how = how,
		.status = status,
		.addr = (uintptr_t)addr,
	};
	sigset_t all, old;

	/*
	 * From the verdict on, this lwp has exited for the model. A signal
	 * handler must not run on it then: it could jump out of here, exit
	 * again, or use a stack that a joiner has been promised. Signals sent to
	 * the process go to its other threads.
	 */
	memset(&all, 0xff, sizeof(all));
	set_mask(SIG_SETMASK, &all, &old);

	if (bsdproc_call(BSDPROC_EXTEXIT, &args) == 0) {
		/* The system calls do not return; a filter could make them. */
		while (args.verdict == BSDPROC_VERDICT_LWP)
			syscall(SYS_exit, 0);
		while (args.verdict == BSDPROC_VERDICT_PROC)
			syscall(SYS_exit_group, status & 0xff);
		errno = ENOSYS; /* not a verdict: that was not our module */
	}

	set_mask(SIG_SETMASK, &old, NULL);
	return -1;
}
