// SPDX-License-Identifier: BSD-2-Clause
/* rfork_thread: a process that shares the caller's memory and goes with its task leader. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

/*
 * What the maker, asleep until then, shares with the child until that has joined. It lies at
 * the upper end of the child's stack: Linux writes to it when the child has ended.
 */
struct birth {
	_Atomic int state; /* BORN until told; Linux makes it 0 at the child's end */
	int error;
	pid_t parent;
	bool is_peer, closes_files;
	int (*function)(void *);
	void *arg;
	sigset_t mask;
};

enum { BORN = 1, TOLD };

/* The kernel's set, not libc's, which leaves out the signals that libc keeps for itself. */
static void set_mask(const sigset_t *set, sigset_t *old)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, old, (size_t)(_NSIG / 8));
}

/* In the child, on its own stack. Signals stay blocked until its maker is out of the way. */
static int begin(void *shared)
{
	struct birth *birth = shared;
	struct bsdproc_join join = {.parent = birth->parent};
	int (*function)(void *) = birth->function;
	void *arg = birth->arg;
	sigset_t mask = birth->mask;
	int error = 0;

	if (birth->closes_files)
		syscall(SYS_close_range, 0, UINT_MAX, 0);
	if (birth->is_peer && bsdproc_call(BSDPROC_JOIN, &join) == -1)
		error = errno;
	birth->error = error;
	atomic_store(&birth->state, TOLD);
	syscall(SYS_futex, &birth->state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	if (!error) {
		set_mask(&mask, NULL);
		error = function(arg);
	}
	syscall(SYS_exit_group, error);
	return error;
}

/* Linux's flags for those of rfork, or -1. */
static int clone_flags(int flags)
{
	const int known = RFFDG | RFPROC | RFMEM | RFCFDG | RFTHREAD | RFSIGSHARE | RFLINUXTHPN;
	int result = CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

	if ((flags & ~known) || (flags & (RFPROC | RFMEM)) != (RFPROC | RFMEM) ||
	    (flags & (RFFDG | RFCFDG)) == (RFFDG | RFCFDG))
		return -1;
	if (!(flags & (RFFDG | RFCFDG)))
		result |= CLONE_FILES | CLONE_FS;
	if (flags & RFSIGSHARE)
		result |= CLONE_SIGHAND;
	return result | (flags & RFLINUXTHPN ? SIGUSR1 : SIGCHLD);
}

/* Until the child has joined, or is dead. */
static int wait_for(struct birth *birth, pid_t pid)
{
	int error;

	while (atomic_load(&birth->state) == BORN)
		syscall(SYS_futex, &birth->state, FUTEX_WAIT, BORN, NULL, NULL, 0);
	error = birth->error;
	if (error) {
		while (waitpid(pid, NULL, __WALL) == -1 && errno == EINTR)
			;
	}
	return error;
}

pid_t bsd_rfork_thread(int flags, void *stack, int (*function)(void *), void *arg)
{
	struct bsdproc_version version = {};
	struct birth *birth = (struct birth *)((uintptr_t)stack & ~(uintptr_t)15) - 1;
	const int linux_flags = clone_flags(flags);
	int error = errno;
	pid_t tid, pid;
	sigset_t all, mask;

	if (linux_flags == -1 || !stack || !function) {
		errno = EINVAL;
		return -1;
	}
	/* No child when there is no module; and a handle that both can use. */
	if (bsdproc_call(BSDPROC_VERSION, &version) == -1)
		return -1;
	memset(&all, 0xff, sizeof(all));
	set_mask(&all, &mask);
	*birth = (struct birth){
		.state = BORN,
		.error = ESRCH, /* it ended before it could tell */
		.parent = (pid_t)syscall(SYS_getpid),
		.is_peer = flags & RFTHREAD,
		.closes_files = flags & RFCFDG,
		.function = function,
		.arg = arg,
		.mask = mask,
	};
	pid = clone(begin, birth, linux_flags, birth, &tid, NULL, &birth->state);
	if (pid == -1) {
		error = errno;
	} else {
		const int failed = wait_for(birth, pid);

		if (failed) {
			error = failed;
			pid = -1;
		}
	}
	set_mask(&mask, NULL);
	errno = error;
	return pid;
}
