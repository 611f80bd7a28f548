// SPDX-License-Identifier: BSD-2-Clause
/*
 * A process of several threads that ends piece by piece with bsd_extexit, and a parent that
 * collects it with bsd_wait4. Each says what it sees; exit status 0: all was as it must be.
 *
 *   demo_extexit [BSDPS]	BSDPS: a program to show the process with, half way
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bsdproc.h"

#define THREADS 4
#define LAST_WORD 42

static atomic_int marks[THREADS];
static int half_way[2], go_on[2];

static void fail(const char *what)
{
	printf("    %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void *end_with_mark(void *arg)
{
	atomic_int *mark = arg;

	printf("    child: lwp %d ends itself alone, leaving the mark %d\n", bsd_lwp_gettid(),
	       (int)(mark - marks) + 101);
	fflush(stdout);
	bsd_extexit(EXTEXIT_LWP | EXTEXIT_SETINT, (int)(mark - marks) + 101, mark);
	fail("extexit came back");
	return NULL;
}

static void *be_the_last(void *arg)
{
	char c;

	(void)arg;
	if (read(go_on[0], &c, 1) != 1)
		fail("read");
	printf("    child: lwp %d is the last, so the process ends with its status, %d\n",
	       bsd_lwp_gettid(), LAST_WORD);
	fflush(stdout);
	bsd_extexit(EXTEXIT_LWP | EXTEXIT_SIMPLE, LAST_WORD, NULL);
	fail("extexit came back");
	return NULL;
}

static void start(void *(*body)(void *), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, body, arg);
	if (errno)
		fail("pthread_create");
}

static void child(void)
{
	int i;

	start(be_the_last, NULL);
	for (i = 0; i < THREADS; i++)
		start(end_with_mark, &marks[i]);
	for (i = 0; i < THREADS; i++)
		while (atomic_load(&marks[i]) != i + 101)
			sched_yield();
	printf("    child: all %d marks are there: those threads can run no more, their stacks are free\n",
	       THREADS);
	printf("    child: lwp %d, the first thread, ends as well; the process lives on\n",
	       bsd_lwp_gettid());
	fflush(stdout);
	if (write(half_way[1], "", 1) != 1)
		fail("write");
	bsd_extexit(EXTEXIT_LWP | EXTEXIT_SIMPLE, 7, NULL);
	fail("extexit came back");
}

/* The state of the child's first thread, as Linux shows it. */
static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		fail(path);
	fclose(file);
	return state;
}

static int show(const char *bsdps, pid_t pid)
{
	char command[512];

	snprintf(command, sizeof(command), "'%s' --lwps --pid %d | sed 's/^/    | /'", bsdps, pid);
	return system(command);
}

int main(int argc, char **argv)
{
	struct rusage ru;
	int status = -1;
	char c;
	pid_t pid, got;

	if (pipe(half_way) || pipe(go_on))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		child();

	if (read(half_way[0], &c, 1) != 1)
		fail("read");
	while (state_of(pid) != 'Z')
		sched_yield();
	got = bsd_wait4(pid, &status, WNOHANG, NULL);
	printf("    parent: the first thread is a zombie, and bsd_wait4 has nothing to report (%d)\n",
	       got);
	fflush(stdout);
	if (got != 0)
		return 1;
	if (argc > 1 && show(argv[1], pid) != 0)
		return 1;
	if (write(go_on[1], "", 1) != 1)
		fail("write");

	got = bsd_wait4(-1, &status, 0, &ru);
	if (got < 0)
		fail("bsd_wait4");
	printf("    parent: bsd_wait4 gave process %d, exit status %d, %ld page faults, %ld switches\n",
	       got, status >> 8, ru.ru_minflt, ru.ru_nvcsw + ru.ru_nivcsw);
	if (got != pid || status != LAST_WORD << 8)
		return 1;
	got = bsd_wait4(-1, &status, 0, NULL);
	printf("    parent: and once more: %s, as it must\n",
	       got < 0 ? strerror(errno) : "another?!");
	return got == -1 && errno == ECHILD ? 0 : 1;
}
