// SPDX-License-Identifier: BSD-2-Clause
/*
 * Waits are cancellation points, and a thread that sleeps in one is to be cancelled there.
 * libc's way is to have it cancelled asynchronously for as long as the system call takes. It
 * is this one's too, around the ioctl alone: one that has found a child returns with signals
 * blocked (BSDPROC_WAIT_SIGNALS), that of cancellation among them, so a thread is cancelled
 * either before it has claimed a child or after it has collected it, at its next such point.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "preload.h"

/*
 * Not in a child of vfork(), nor of a clone() of the program's own: it has the control block
 * of another thread, and if it was killed here it would leave that one changed. The number of
 * a thread's clock holds the thread's, as control block and kernel have it.
 */
static bool is_of_libc(void)
{
	clockid_t clock;

	return pthread_getcpuclockid(pthread_self(), &clock) == 0 &&
	       ~(clock >> 3) == (pid_t)syscall(SYS_gettid);
}

bool preload_cancel_begin(int *type)
{
	if (__libc_single_threaded || !is_of_libc())
		return false;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, type);
	return true;
}

void preload_cancel_end(int type)
{
	pthread_setcanceltype(type, NULL);
}

int preload_ioctl(int fd, unsigned long request, void *arg)
{
	const struct bsdproc_wait *w = arg;
	int type, result;

	if (request != BSDPROC_WAIT || (w->options & BSDPROC_WNOHANG) ||
	    !preload_cancel_begin(&type))
		return ioctl(fd, request, arg);
	result = ioctl(fd, request, arg);
	preload_cancel_end(type);
	return result;
}
