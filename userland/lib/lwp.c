// SPDX-License-Identifier: BSD-2-Clause
/* The calls about lwps: the calling one's id, and a signal for one by its id. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

int bsd_lwp_gettid(void)
{
	struct bsdproc_gettid args = {0};

	if (bsdproc_call(BSDPROC_GETTID, &args) == -1)
		return -1;
	return args.lwpid;
}

/* Room for so many is on the stack, for more in a mapping: a signal handler has no heap. */
#define FEW 64

/*
 * Fills *lwps, which has room for FEW, or is made to point at a mapping of *size bytes, with all
 * lwps of get->pid. Returns 0, or -1 and errno.
 */
static int read_lwps(struct bsdproc_getproc *get, struct bsdproc_klwp **lwps, size_t *size)
{
	get->room = FEW;
	for (;;) {
		get->lwps = (uintptr_t)*lwps;
		if (bsdproc_call(BSDPROC_GETPROC, get) == -1)
			return -1;
		if (get->kproc.nlwps <= get->room)
			return 0;
		/* And for those that are made meanwhile. */
		get->room = get->kproc.nlwps + get->kproc.nlwps / 8 + FEW;
		if (*size)
			munmap(*lwps, *size);
		*size = get->room * sizeof(**lwps);
		*lwps = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		if (*lwps == MAP_FAILED) {
			*size = 0;
			return -1;
		}
	}
}

/* Linux's number of the lwp; 0: there is none that has not ended. */
static pid_t tid_of(const struct bsdproc_getproc *get, const struct bsdproc_klwp *lwps, int lwp)
{
	unsigned int i;

	for (i = 0; i < get->kproc.nlwps; i++)
		if (lwps[i].lwpid == lwp)
			return lwps[i].stat == BSDPROC_LSZOMB ? 0 : lwps[i].tid;
	return 0;
}

/* Returns 0 or an errno; -ESRCH: what was read is not so any more. */
static int send(const struct bsdproc_getproc *get, const struct bsdproc_klwp *lwps, int lwp,
		int sig)
{
	const pid_t pid = get->kproc.pid, tid = tid_of(get, lwps, lwp);

	/* BSD's order: who is on the way out has no lwps to look for. */
	if (get->kproc.stat == BSDPROC_SZOMB || get->kproc.flags & BSDPROC_P_WEXIT)
		return syscall(SYS_kill, pid, 0) == -1 && errno == EPERM ? EPERM : 0;
	if (!tid)
		return ESRCH;
	if (syscall(SYS_tgkill, pid, tid, sig) == 0)
		return 0;
	return errno == ESRCH ? -ESRCH : errno;
}

int bsd_lwp_kill(pid_t pid, int lwp, int sig)
{
	struct bsdproc_getproc get = {.pid = pid == -1 ? 0 : pid};
	int error, saved = errno;

	if (lwp <= 0 || sig < 0 || sig >= _NSIG) {
		errno = EINVAL;
		return -1;
	}
	/* 0 is the caller to the module, and nobody to us. */
	if (pid == 0)
		get.pid = -1;
	do {
		struct bsdproc_klwp few[FEW], *lwps = few;
		size_t size = 0;

		error = read_lwps(&get, &lwps, &size) == -1 ? errno : send(&get, lwps, lwp, sig);
		if (size)
			munmap(lwps, size);
		/* It ended just now, or became the leader by exec: look again. */
	} while (error == -ESRCH);
	errno = error ? error : saved;
	return error ? -1 : 0;
}
