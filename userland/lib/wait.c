// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsd_wait and its kin: the module picks and claims a child, Linux's own waitid
 * reaps it. Exactly one wait, BSD or native, can reap a zombie; who comes too
 * late asks the module again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

_Static_assert(WNOHANG == BSDPROC_WNOHANG && WLINUXCLONE == BSDPROC_WLINUXCLONE,
	       "the API's numbers are the ABI's");

/*
 * Reaps the claimed child. Returns 1, 0 if there was nothing to reap, or -1 and
 * errno. The system call itself: libc's has no rusage, and is a cancellation
 * point, at which a reaped child's status would be lost.
 */
static int reap(pid_t pid, siginfo_t *info, struct rusage *ru)
{
	info->si_pid = 0;
	if (syscall(SYS_waitid, P_PID, pid, info, WEXITED | WNOHANG | __WALL, ru) == -1)
		return errno == ECHILD ? 0 : -1;
	return info->si_pid != 0;
}

/* Lets other threads know at once; what waitid said is the result all the same. */
static void end_claim(void)
{
	int saved = errno;

	bsdproc_call(BSDPROC_REAPED, NULL);
	errno = saved;
}

static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return (info->si_status & 0x7f) | 0x80;
	default:
		return info->si_status & 0x7f;
	}
}

static void set_target(struct bsdproc_wait *args, pid_t pid)
{
	if (pid > 0) {
		args->idtype = BSDPROC_P_PID;
		args->id = (unsigned int)pid;
	} else if (pid == -1) {
		args->idtype = BSDPROC_P_ALL;
	} else {
		args->idtype = BSDPROC_P_PGID;
		args->id = (unsigned int)-(long long)pid;
	}
}

static pid_t wait_for(pid_t pid, int *status, int options, struct rusage *ru)
{
	int saved = errno;

	for (;;) {
		struct bsdproc_wait args = {
			.options = (unsigned int)options,
			.status = (uintptr_t)status,
			.rusage = (uintptr_t)ru,
		};
		siginfo_t info;
		int reaped;

		set_target(&args, pid);
		if (bsdproc_call(BSDPROC_WAIT, &args) == -1)
			return -1;
		if (args.pid == 0)
			break;

		reaped = reap(args.pid, &info, ru);
		if (args.flags & BSDPROC_WAIT_SHARED)
			end_claim();
		if (reaped == -1)
			return -1;
		if (reaped) {
			/* What the module wrote was the claimed child's. If a native
			 * wait took that one, and its number went to a new child that
			 * has ended too, then that new child is what we hold now. */
			if (status)
				*status = status_of(&info);
			errno = saved;
			return info.si_pid;
		}
	}

	if (status)
		*status = 0;
	if (ru)
		memset(ru, 0, sizeof(*ru));
	errno = saved;
	return 0;
}

pid_t bsd_wait4(pid_t pid, int *status, int options, struct rusage *ru)
{
	return wait_for(pid, status, options, ru);
}

pid_t bsd_wait3(int *status, int options, struct rusage *ru)
{
	return wait_for(-1, status, options, ru);
}

pid_t bsd_waitpid(pid_t pid, int *status, int options)
{
	return wait_for(pid, status, options, NULL);
}

pid_t bsd_wait(int *status)
{
	return wait_for(-1, status, 0, NULL);
}
