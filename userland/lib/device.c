// SPDX-License-Identifier: BSD-2-Clause
/*
 * The handle of /dev/bsdproc: opened on first use, kept for the life of the
 * process, never closed.
 *
 * A handle has no state of its own: the module looks at the calling thread. So
 * a child of fork() goes on with the handle it inherited, which is the same
 * open file at the same number. It then needs no pid, no page that fork wipes
 * and no atfork hook to notice the fork, costs nothing on the wait path, does
 * not pile up one more descriptor per generation, and works in a child that can
 * no longer open the device (chroot, seccomp). exec() closes it (O_CLOEXEC).
 *
 * What this rests on is checked when it matters: the number may mean nothing,
 * or something else, because the program closed all it did not know, or because
 * the number was cached by a process with our memory but its own descriptor
 * table (a vfork child). A request that fails in a way that a foreign file
 * could fail is looked into, and if the number is not ours, it is forgotten:
 * never closed, it is somebody else's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "internal.h"

/* The preload, which compiles this file too, has other wishes for these two. */
#ifndef BSDPROC_LOWEST
#define BSDPROC_LOWEST (STDERR_FILENO + 1) /* the lowest number that a handle is to have */
#endif
#ifndef BSDPROC_IOCTL
#define BSDPROC_IOCTL ioctl /* how a request is made */
#endif

/*
 * The descriptor + 1 in the low half, so that 0 is none; in the high half, how
 * often it was renewed. Several threads and signal handlers may open at once:
 * one wins the exchange, each loser closes what it opened. The count makes it a
 * loss too when the winner got the very number that was stale.
 */
static _Atomic uint64_t handle;
/* Which device that is: to tell our file from another one. */
static atomic_ullong device;

/* The raw calls: open() and close() of libc are cancellation points, and a
 * thread must not be cancelled with a half-made handle. */
static int open_raw(void)
{
	return (int)syscall(SYS_openat, AT_FDCWD, BSDPROC_DEVICE, O_RDWR | O_CLOEXEC, 0);
}

static void close_raw(int fd)
{
	syscall(SYS_close, fd);
}

static bool is_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == atomic_load(&device);
}

/*
 * The same file at a number from BSDPROC_LOWEST on; if the process may have none
 * as high, at any above the standard streams: programs that start without those
 * expect the next files they open to become them. Returns it, or -1 and errno.
 */
static int move_up(int fd)
{
	int moved;

	if (fd >= BSDPROC_LOWEST)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, BSDPROC_LOWEST);
	if (moved == -1 && fd > STDERR_FILENO)
		return fd;
	if (moved == -1)
		moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close_raw(fd);
	return moved;
}

/*
 * Opens the device at the number `wanted` if that is free, else where move_up()
 * has it. Returns the descriptor, or -1 and errno.
 */
static int open_device(int wanted)
{
	int fd = open_raw();
	int moved;
	struct stat st;

	if (fd == -1) {
		if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
			errno = ENOSYS;
		return -1;
	}
	if (fstat(fd, &st) == -1 || !S_ISCHR(st.st_mode)) {
		close_raw(fd);
		errno = ENOSYS;
		return -1;
	}
	atomic_store(&device, st.st_rdev);

	if (wanted > STDERR_FILENO && fd != wanted) {
		moved = fcntl(fd, F_DUPFD_CLOEXEC, wanted);
		if (moved == wanted) {
			close_raw(fd);
			return moved;
		}
		if (moved != -1)
			close_raw(moved);
	}
	return move_up(fd);
}

static int fd_of(uint64_t word)
{
	return (int)(uint32_t)word - 1;
}

/*
 * Gives a handle in place of the stale one (or none) that `word` names. It gets
 * the same number if it can: when a vfork child that closed all descriptors
 * calls us, what it caches is then still right for its parent.
 */
static int renew(uint64_t word)
{
	int fd = open_device(fd_of(word));

	if (fd == -1)
		return -1;
	while (!atomic_compare_exchange_strong(&handle, &word,
					       ((word >> 32) + 1) << 32 | (uint32_t)(fd + 1))) {
		/* Somebody was quicker; but perhaps in another descriptor table:
		 * certainly so if it has the number that is ours in this one. */
		if (fd_of(word) == fd)
			return fd;
		if (is_device(fd_of(word))) {
			close_raw(fd);
			return fd_of(word);
		}
	}
	return fd;
}

/* Could that error be a foreign file's, and is it? errno survives a no. */
static bool is_stale(int fd)
{
	int error = errno;
	bool stale;

	switch (error) {
	case EINTR:
	case ECHILD:
	case EFAULT:
		return false; /* the module's, and worth no system call */
	}
	stale = !is_device(fd);
	errno = error;
	return stale;
}

int bsdproc_call(unsigned long request, void *arg)
{
	uint64_t word = atomic_load_explicit(&handle, memory_order_acquire);
	int fd = fd_of(word), saved = errno, result;

	if (fd >= 0) {
		result = BSDPROC_IOCTL(fd, request, arg);
		if (result != -1)
			return result;
		if (!is_stale(fd))
			goto fail;
	}

	fd = renew(word);
	if (fd == -1)
		return -1;
	result = BSDPROC_IOCTL(fd, request, arg);
	if (result == -1)
		goto fail;
	errno = saved;
	return result;

fail:
	/* Our device, and it does not know the request: an older module. */
	if (errno == ENOTTY)
		errno = ENOSYS;
	return -1;
}
