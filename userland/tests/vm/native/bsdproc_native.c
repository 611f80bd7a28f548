// SPDX-License-Identifier: BSD-2-Clause
/*
 * libbsdproc's calls by Linux's own means, as far as those go: for trying the tests'
 * expectations on a machine without the module. extexit's store comes too early here, so
 * ExtexitStack must fail with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bsdproc.h"

static int store(void *addr, int value)
{
	struct iovec local = {&value, sizeof(value)}, remote = {addr, sizeof(value)};

	/* By thread: the leader may have ended, and its memory with it. */
	if (process_vm_writev((pid_t)syscall(SYS_gettid), &local, 1, &remote, 1, 0) ==
	    sizeof(value))
		return 0;
	errno = EFAULT;
	return -1;
}

int bsd_extexit(int how, int status, void *addr)
{
	int who = EXTEXIT_WHO(how), action = EXTEXIT_ACTION(how);

	if ((who != EXTEXIT_PROC && who != EXTEXIT_LWP) || action > EXTEXIT_SETINT) {
		errno = EINVAL;
		return -1;
	}
	if (action == EXTEXIT_SETINT && store(addr, status))
		return -1;
	/* The thread still runs: long enough for a joiner to take its stack. */
	for (volatile int spin = 0; action == EXTEXIT_SETINT && spin < 20000; spin++)
		;
	syscall(who == EXTEXIT_LWP ? SYS_exit : SYS_exit_group, status);
	return -1;
}

int bsd_lwp_gettid(void)
{
	int tid = (int)syscall(SYS_gettid);

	return tid == getpid() ? 1 : tid;
}
