/* SPDX-License-Identifier: BSD-2-Clause */
/* A process's life and a thread's, as short as can be. Needs _GNU_SOURCE. */
#ifndef BSDPROC_BENCH_LIVES_H
#define BSDPROC_BENCH_LIVES_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* In nanoseconds. */
static inline int64_t now(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) == -1)
		die("clock_gettime");
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A child that ends at once. */
static inline pid_t child(void)
{
	const pid_t pid = fork();

	if (pid == -1)
		die("fork");
	if (pid == 0)
		_exit(0);
	return pid;
}

static inline void live_as_process(void)
{
	const pid_t pid = child();

	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
}

static inline void *nothing(void *arg)
{
	return arg;
}

static inline void live_as_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, nothing, NULL);
	if (errno || pthread_join(thread, NULL))
		die("pthread");
}

#endif /* BSDPROC_BENCH_LIVES_H */
