// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of threads as a BSD thread library does it: a thread leaves with extexit(), which
 * marks its control block when the thread can run no more, and a collector that sees the mark
 * frees the memory in which both stack and block are. Exit status 0: all was as it must be.
 */
#define _GNU_SOURCE /* clone */
#include <sys/types.h>
#include <sys/lwp.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 24
#define ROUNDS 10
#define AREA (64 * 1024)

/* The control block, at the upper end of the thread's memory, above its stack. */
struct thread {
	struct thread *next;
	char *area;
	volatile lwpid_t tid;
	volatile int terminated;
	volatile int signals;
	int number;
};

static struct thread *list;     /* of all that were made and not freed */
static volatile int failed_end; /* how often extexit came back */
static sigset_t none;

static void fail(const char *what)
{
	fprintf(stderr, "thread_end: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check(int is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "thread_end: not so: %s\n", what);
		exit(1);
	}
}

/* The block of the thread whose stack this is on. Threads have no storage of their own here. */
static struct thread *current(void)
{
	char here;
	const uintptr_t area = (uintptr_t)&here & ~(uintptr_t)(AREA - 1);

	return (struct thread *)(area + AREA - sizeof(struct thread));
}

static void on_signal(int sig)
{
	(void)sig;
	current()->signals++;
}

/* Lives until its signal comes. Threads share errno with who made them, whom that is nothing to. */
static int run(void *arg)
{
	struct thread *thread = arg;
	volatile char deep[AREA / 2];
	size_t i;

	for (i = 0; i < sizeof(deep); i += 512)
		deep[i] = (char)thread->number;
	thread->tid = lwp_gettid();
	while (thread->signals == 0)
		sigsuspend(&none);
	extexit(EXTEXIT_SETINT | EXTEXIT_LWP, 1, (void *)(uintptr_t)&thread->terminated);
	failed_end++;
	return deep[0];
}

static struct thread *create(int number)
{
	const int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	char *twice = mmap(NULL, (size_t)2 * AREA, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct thread *thread;
	char *area;

	if (twice == MAP_FAILED)
		fail("mmap");
	/* Aligned to its size, for current(). */
	area = (char *)(((uintptr_t)twice + AREA - 1) & ~(uintptr_t)(AREA - 1));
	if (area > twice)
		munmap(twice, (size_t)(area - twice));
	if (area + AREA < twice + 2 * AREA)
		munmap(area + AREA, (size_t)(twice + AREA - area));
	thread = (struct thread *)(area + AREA - sizeof(*thread));
	thread->area = area;
	thread->number = number;
	thread->next = list;
	list = thread;
	if (clone(run, thread, flags, thread) == -1)
		fail("clone");
	return thread;
}

/* Frees who has terminated; returns how many. */
static int collect(void)
{
	struct thread **at = &list, *thread;
	int freed = 0;

	while ((thread = *at) != NULL) {
		if (thread->terminated == 0) {
			at = &thread->next;
			continue;
		}
		check(thread->terminated == 1, "the mark is what extexit was told to leave");
		check(thread->signals == 1, "the thread had the one signal for it");
		*at = thread->next;
		if (munmap(thread->area, AREA) == -1)
			fail("munmap");
		freed++;
	}
	return freed;
}

static void round_of_threads(void)
{
	struct thread *thread, *other;
	int i, freed = 0;

	for (i = 0; i < THREADS; i++)
		create(i);
	for (thread = list; thread; thread = thread->next) {
		while (thread->tid == 0)
			sched_yield();
		check(thread->tid > 1, "other lwps are numbered from 2");
		for (other = list; other != thread; other = other->next)
			check(other->tid != thread->tid, "each lwp has a number of its own");
	}
	check(collect() == 0, "nobody has terminated without a signal");
	for (thread = list; thread; thread = thread->next)
		if (lwp_kill(-1, thread->tid, SIGUSR1) == -1)
			fail("lwp_kill of our own");
	while (freed < THREADS) {
		freed += collect();
		sched_yield();
	}
	check(list == NULL && failed_end == 0, "all are gone and freed");
}

static void errors(void)
{
	int mark = 7;

	check(extexit(EXTEXIT_SETINT | EXTEXIT_LWP, 1, (void *)16) == -1 && errno == EFAULT,
	      "a bad address is told, and nobody ends");
	check(extexit(2 << 16, 1, &mark) == -1 && errno == EINVAL, "there is no such who");
	check(extexit(EXTEXIT_LWP | 2, 1, &mark) == -1 && errno == EINVAL, "nor such an action");
	check(mark == 7, "and nothing is stored");
	check(lwp_kill(-1, -1, SIGUSR1) == -1 && errno == EINVAL, "lwp -1 is none");
	check(lwp_kill(-1, lwp_gettid(), NSIG) == -1 && errno == EINVAL, "there is no such signal");
	check(lwp_kill(-1, 100000, 0) == -1 && errno == ESRCH, "there is no such lwp");
}

/* The process goes on without its first thread, and ends with the last one's status. */
static int be_last(void *arg)
{
	const pid_t self = getpid();
	(void)arg;

	while (lwp_kill(self, 1, 0) == 0)
		sched_yield();
	extexit(EXTEXIT_LWP, 42, NULL);
	_exit(1);
}

static void last_thread(void)
{
	static char stack[AREA];
	const int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	const pid_t child = fork();
	int status = -1;

	if (child == -1)
		fail("fork");
	if (child == 0) {
		if (clone(be_last, stack + sizeof(stack), flags, NULL) == -1)
			_exit(2);
		extexit(EXTEXIT_LWP | EXTEXIT_SIMPLE, 7, NULL);
		_exit(3);
	}
	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			fail("waitpid");
	check(WIFEXITED(status) && WEXITSTATUS(status) == 42,
	      "the last lwp's status is its process's");
}

int main(void)
{
	struct sigaction action;
	int i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	if (sigaction(SIGUSR1, &action, NULL) == -1)
		fail("sigaction");
	/* It comes when threads wait for it. */
	sigemptyset(&none);
	sigaddset(&action.sa_mask, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &action.sa_mask, NULL) == -1)
		fail("sigprocmask");
	if (lwp_gettid() == -1)
		fail("lwp_gettid");
	check(lwp_gettid() == 1, "the first lwp is number 1");
	errors();
	for (i = 0; i < ROUNDS; i++)
		round_of_threads();
	last_thread();
	printf("thread_end: %d threads ended and freed\n", THREADS * ROUNDS);
	return 0;
}
