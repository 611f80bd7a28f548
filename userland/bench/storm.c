// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the module costs a machine with several CPUs, in real time: how many processes or
 * threads come and go in a second; how long after an exit the waiter runs.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bsdproc.h>

#include "lives.h"

static const char usage[] =
	"Usage: bench_storm fork|thread CPUS MILLISECONDS\n"
	"       bench_storm latency ROUNDS\n"
	"\n"
	"fork, thread: as many as can be, on so many CPUs side by side, for so long after as long\n"
	"a warming up; prints how many in a second. latency: prints \"waitpid\" or \"bsd_wait4\", in\n"
	"turns, and the nanoseconds from before a child's _exit() to after its parent's wait.\n"
	"\n"
	"Exit status: 1: a call failed, and standard error says which; 2: wrong usage.\n";

#define MAX_CPUS 64

/* What the processes of a storm share. */
struct board {
	_Atomic bool stop;
	int64_t last_words; /* when the child was about to exit */
	struct {
		_Alignas(64) _Atomic long lives;
	} worker[MAX_CPUS];
};
static struct board *board;

static void nap(long ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/* On its own CPU, until told to stop. */
static void worker(int cpu, void (*life)(void))
{
	cpu_set_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == -1)
		die("sched_setaffinity");
	while (!atomic_load(&board->stop)) {
		life();
		atomic_fetch_add(&board->worker[cpu].lives, 1);
	}
}

static long all_lives(void)
{
	long sum = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		sum += atomic_load(&board->worker[cpu].lives);
	return sum;
}

static void storm(void (*life)(void), int cpus, int ms)
{
	int64_t time;
	long lives;

	for (int cpu = 0; cpu < cpus; cpu++) {
		const pid_t pid = fork();

		if (pid == -1)
			die("fork");
		if (pid == 0) {
			worker(cpu, life);
			_exit(0);
		}
	}
	/* An emulator has new code to translate: the module's, and what calls it. */
	nap(ms);
	lives = -all_lives();
	time = -now(CLOCK_MONOTONIC);
	nap(ms);
	lives += all_lives();
	time += now(CLOCK_MONOTONIC);
	atomic_store(&board->stop, true);
	for (int status; wait(&status) != -1;)
		if (status)
			exit(1);
	printf("%.1f\n", (double)lives * 1e9 / (double)time);
}

static void latency(const char *name, pid_t (*wait)(pid_t))
{
	const pid_t pid = fork();
	int64_t seen;

	if (pid == -1)
		die("fork");
	if (pid == 0) {
		nap(2); /* the parent sleeps by then; if not, the sample is only shorter */
		board->last_words = now(CLOCK_MONOTONIC);
		_exit(0);
	}
	if (wait(pid) != pid)
		die("wait");
	seen = now(CLOCK_MONOTONIC);
	printf("%s %lld\n", name, (long long)(seen - board->last_words));
}

static pid_t native(pid_t pid)
{
	return waitpid(pid, NULL, 0);
}

static pid_t bsd(pid_t pid)
{
	return bsd_wait4(pid, NULL, 0, NULL);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (board == MAP_FAILED)
		die("mmap");
	if (strcmp(name, "latency") == 0 && argc == 3) {
		for (int i = atoi(argv[2]); i > 0; i--) {
			latency("waitpid", native);
			latency("bsd_wait4", bsd);
		}
	} else if ((strcmp(name, "fork") == 0 || strcmp(name, "thread") == 0) && argc == 4 &&
		   atoi(argv[2]) <= MAX_CPUS) {
		storm(*name == 'f' ? live_as_process : live_as_thread, atoi(argv[2]),
		      atoi(argv[3]));
	} else {
		fputs(usage, stderr);
		return 2;
	}
	return 0;
}
