// SPDX-License-Identifier: BSD-2-Clause
/*
 * bsd_wait and its kin: the module picks and claims a child, Linux's own waitid collects it.
 * Exactly one wait, BSD or native, can do that; who comes too late asks the module again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "bsdproc.h"

_Static_assert(WNOHANG == BSDPROC_WNOHANG && WUNTRACED == BSDPROC_WUNTRACED &&
		       WEXITED == BSDPROC_WEXITED && WCONTINUED == BSDPROC_WCONTINUED &&
		       WTRAPPED == BSDPROC_WTRAPPED && WNOWAIT == BSDPROC_WNOWAIT &&
		       WLINUXCLONE == BSDPROC_WLINUXCLONE,
	       "the API's numbers are the ABI's");
_Static_assert(P_ALL == BSDPROC_P_ALL && P_PID == BSDPROC_P_PID && P_PGID == BSDPROC_P_PGID &&
		       P_SID == BSDPROC_P_SID && P_UID == BSDPROC_P_UID && P_GID == BSDPROC_P_GID,
	       "the API's numbers are the ABI's");
/* The module writes two struct rusage. */
_Static_assert(offsetof(struct __wrusage, wru_children) == sizeof(struct rusage), "no gap");

/* The kinds of events, at least one of which wait6 wants. */
#define KINDS (WEXITED | WUNTRACED | WCONTINUED | WTRAPPED)
#define OPTIONS ((unsigned int)(KINDS | WNOHANG | WNOWAIT) | WLINUXCLONE)

/*
 * Collects what the module has found, or with WNOWAIT only reads it. Returns 1, 0 if there was
 * nothing any more, or -1 and errno. The system call itself: libc's has no rusage, and is a
 * cancellation point, at which a reaped child's status would be lost.
 */
static int collect(const struct bsdproc_wait *found, siginfo_t *info, struct rusage *ru)
{
	/* To Linux, a stop for the tracer is a stop. */
	const unsigned int kind = found->what == BSDPROC_WTRAPPED ? WSTOPPED : found->what;
	const int options = (int)(kind | (found->options & WNOWAIT)) | WNOHANG | __WALL;

	info->si_pid = 0;
	if (syscall(SYS_waitid, P_PID, found->pid, info, options, kind == WEXITED ? ru : NULL) ==
	    -1)
		return errno == ECHILD ? 0 : -1;
	return info->si_pid != 0;
}

static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return (info->si_status & 0x7f) | 0x80;
	case CLD_KILLED:
		return info->si_status & 0x7f;
	case CLD_CONTINUED:
		return SIGCONT;
	default: /* the upper bytes of a stop for the tracer say which event it is */
		return info->si_status << 8 | 0x7f;
	}
}

/*
 * All waits. args: the ids, options and pointers to be filled; info may be null. Returns the
 * pid, 0 or -1 and errno.
 */
static pid_t wait_for(struct bsdproc_wait *args, siginfo_t *info)
{
	int *status = (int *)(uintptr_t)args->status;
	struct rusage *ru = (struct rusage *)(uintptr_t)args->rusage;
	const int saved = errno;
	int error;

	if (args->options & ~OPTIONS) {
		errno = EINVAL;
		return -1;
	}
	while ((error = bsdproc_ask(args)) == 0 && args->pid) {
		siginfo_t seen = {0}; /* Linux writes a part of it */
		const int collected = collect(args, &seen, ru);

		if (!collected)
			continue;
		error = errno;
		/* What the module wrote was the claimed child's. If a native wait took that
		 * one, and its number went to a new child that has ended too, then that new
		 * child is what we hold now (and wrusage is the other's, as Linux does not
		 * tell it apart). A handler may look at it, so it is written before. */
		if (collected > 0 && status)
			*status = status_of(&seen);
		if (collected > 0 && info)
			*info = seen;
		bsdproc_collected(args);
		errno = collected > 0 ? saved : error;
		return collected > 0 ? seen.si_pid : -1;
	}
	/* With nothing to report the module has zeroed what the pointers point to. */
	errno = error ? error : saved;
	return error ? -1 : 0;
}

pid_t bsd_wait4(pid_t pid, int *status, int options, struct rusage *ru)
{
	struct bsdproc_wait args = {
		.options = (unsigned int)(options | WEXITED | WTRAPPED),
		.status = (uintptr_t)status,
		.rusage = (uintptr_t)ru,
	};

	if (pid > 0) {
		args.idtype = BSDPROC_P_PID;
		args.id = (unsigned int)pid;
	} else if (pid == -1) {
		args.idtype = BSDPROC_P_ALL;
	} else {
		args.idtype = BSDPROC_P_PGID;
		args.id = (unsigned int)-(long long)pid;
	}
	return wait_for(&args, NULL);
}

pid_t bsd_wait3(int *status, int options, struct rusage *ru)
{
	return bsd_wait4(-1, status, options, ru);
}

pid_t bsd_waitpid(pid_t pid, int *status, int options)
{
	return bsd_wait4(pid, status, options, NULL);
}

pid_t bsd_wait(int *status)
{
	return bsd_wait4(-1, status, 0, NULL);
}

pid_t bsd_wait6(idtype_t idtype, id_t id, int *status, int options, struct __wrusage *wru,
		siginfo_t *info)
{
	struct bsdproc_wait args = {
		/* The caller's own group, by either type. */
		.idtype = idtype == P_PID && !id ? BSDPROC_P_PGID : idtype,
		.options = (unsigned int)options,
		.id = id,
		.status = (uintptr_t)status,
		.wrusage = (uintptr_t)wru,
		.info = (uintptr_t)info,
	};

	if (!(options & KINDS)) {
		errno = EINVAL;
		return -1;
	}
	return wait_for(&args, info);
}

int bsd_waitid(idtype_t idtype, id_t id, siginfo_t *info, int options)
{
	return bsd_wait6(idtype, id, NULL, options, NULL, info) == -1 ? -1 : 0;
}
