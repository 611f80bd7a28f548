// SPDX-License-Identifier: BSD-2-Clause
/*
 * Linux's waits, with the module to say which child: it finds and claims one, and Linux's own
 * call collects that one into the caller's memory. So status, usage and errors are Linux's.
 * What the module does not know, or refuses, is Linux's alone.
 *
 * If Linux has no such child any more (another wait was quicker; or Linux does not keep it, as
 * its end is ignored) the module is asked again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ask.h"
#include "preload.h"

#define EVENTS (WEXITED | WSTOPPED | WCONTINUED)

_Static_assert(WNOHANG == BSDPROC_WNOHANG && WUNTRACED == BSDPROC_WUNTRACED &&
		       WSTOPPED == BSDPROC_WUNTRACED && WEXITED == BSDPROC_WEXITED &&
		       WCONTINUED == BSDPROC_WCONTINUED && WNOWAIT == BSDPROC_WNOWAIT &&
		       __WALL == BSDPROC_WALL && __WCLONE == BSDPROC_WLINUXCLONE,
	       "the module's options have Linux's numbers");
_Static_assert(P_ALL == BSDPROC_P_ALL && P_PID == BSDPROC_P_PID && P_PGID == BSDPROC_P_PGID,
	       "the module's kinds of ids have Linux's numbers");

/* The system call itself, and a cancellation point as libc's function is. */
static long native(long number, long id, long a, long b, long c, long d)
{
	long result;
	int type;

	if (!preload_cancel_begin(&type))
		return syscall(number, id, a, b, c, d);
	result = syscall(number, id, a, b, c, d);
	preload_cancel_end(type);
	return result;
}

/* The call as the program made it, for Linux alone. */
static pid_t native_wait4(pid_t pid, int *status, int options, struct rusage *ru)
{
	return (pid_t)native(SYS_wait4, pid, (long)status, options, (long)ru, 0);
}

static int native_waitid(idtype_t idtype, id_t id, siginfo_t *info, int options)
{
	return (int)native(SYS_waitid, idtype, id, (long)info, options, 0);
}

/*
 * Linux's options as the module has them. It reports stops of whom the caller traces unasked,
 * and with both of __WALL and __WCLONE the former is meant.
 */
static __u32 to_module(int options)
{
	const unsigned bits = (unsigned)options & (EVENTS | WNOHANG | WNOWAIT);

	if (options & __WALL)
		return bits | BSDPROC_WTRAPPED | BSDPROC_WALL;
	return bits | BSDPROC_WTRAPPED | ((unsigned)options & BSDPROC_WLINUXCLONE);
}

/* False: who is waited for, or how, is not the module's to say. */
static bool wait4_args(struct bsdproc_wait *args, pid_t pid, int options)
{
	if (pid == INT_MIN || (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WALL | __WCLONE)))
		return false;
	args->options = to_module(options | WEXITED);
	if (pid > 0) {
		args->idtype = BSDPROC_P_PID;
		args->id = (unsigned)pid;
	} else if (pid == -1) {
		args->idtype = BSDPROC_P_ALL;
	} else {
		args->idtype = BSDPROC_P_PGID;
		args->id = (unsigned)-pid;
	}
	return true;
}

static bool waitid_args(struct bsdproc_wait *args, idtype_t idtype, id_t id, int options)
{
	if ((options & ~(EVENTS | WNOHANG | WNOWAIT | __WALL | __WCLONE)) || !(options & EVENTS))
		return false;
	if (!(idtype == P_ALL || (idtype == P_PID && id > 0 && id <= INT_MAX) ||
	      (idtype == P_PGID && id <= INT_MAX)))
		return false;
	args->idtype = idtype;
	args->id = idtype == P_ALL ? 0 : id;
	args->options = to_module(options);
	return true;
}

pid_t preload_wait4(pid_t pid, int *status, int options, struct rusage *ru)
{
	const int saved = errno;
	struct bsdproc_wait args = {};
	long got;
	int error;

	pthread_testcancel();
	if (!wait4_args(&args, pid, options)) {
		COUNT(linux_own);
		return native_wait4(pid, status, options, ru);
	}
	while ((error = bsdproc_ask(&args)) == 0 && args.pid) {
		got = syscall(SYS_wait4, args.pid, status,
			      WNOHANG | (options & (WUNTRACED | WCONTINUED)) | __WALL, ru);
		error = errno;
		if (got > 0 || (got == -1 && error != ECHILD)) {
			bsdproc_collected(&args);
			COUNT(served);
			errno = got > 0 ? saved : error;
			return (pid_t)got;
		}
		COUNT(again);
	}
	switch (error) {
	case 0:
		COUNT(served);
		errno = saved;
		return 0;
	case EINTR:
		COUNT(served);
		return -1;
	case ECHILD:
		break;
	default:
		COUNT(refused);
		errno = saved;
		return native_wait4(pid, status, options, ru);
	}
	/* If there is none, Linux says so. */
	errno = saved;
	pid = native_wait4(pid, status, options, ru);
	if (pid == -1 && errno == ECHILD)
		COUNT(served);
	else
		COUNT(disagreed);
	return pid;
}

/*
 * What waitid() does to *info when there is nothing to report, done by itself: nobody is his
 * own child. Returns 0, or -1 and EFAULT.
 */
static int blank(siginfo_t *info)
{
	if (!info || syscall(SYS_waitid, P_PID, getpid(), info, WEXITED | WNOHANG, NULL) == 0 ||
	    errno == ECHILD)
		return 0;
	return -1;
}

int preload_waitid(idtype_t idtype, id_t id, siginfo_t *info, int options)
{
	const int saved = errno;
	struct bsdproc_wait args = {};
	siginfo_t unseen = {};
	int got, error;

	pthread_testcancel();
	if (!waitid_args(&args, idtype, id, options)) {
		COUNT(linux_own);
		return native_waitid(idtype, id, info, options);
	}
	while ((error = bsdproc_ask(&args)) == 0 && args.pid) {
		siginfo_t *to = info ? info : &unseen;

		got = (int)syscall(SYS_waitid, P_PID, args.pid, to,
				   (options & (EVENTS | WNOWAIT)) | WNOHANG | __WALL, NULL);
		error = errno;
		if (got == -1 ? error != ECHILD : to->si_signo != 0) {
			bsdproc_collected(&args);
			COUNT(served);
			errno = got == -1 ? error : saved;
			return got;
		}
		COUNT(again);
	}
	switch (error) {
	case 0:
	case EINTR:
		COUNT(served);
		if (blank(info) == -1)
			return -1;
		errno = error ? error : saved;
		return error ? -1 : 0;
	case ECHILD:
		break;
	default:
		COUNT(refused);
		errno = saved;
		return native_waitid(idtype, id, info, options);
	}
	/* If there is none, Linux says so; but a dead one that was not asked for is one to it. */
	errno = saved;
	got = native_waitid(idtype, id, info, options);
	if (got == -1 && (errno == ECHILD || errno == EFAULT))
		COUNT(served);
	else if (options & WEXITED)
		COUNT(disagreed);
	else
		COUNT(linux_own);
	return got;
}
