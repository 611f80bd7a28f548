// SPDX-License-Identifier: BSD-2-Clause
/*
 * What one life of a process costs, or one wait, or to load the module: on a machine whose
 * clock counts instructions (scripts/vm --icount), a nanosecond each. Linked statically, so
 * that a fork has little to copy: beside that, what the module adds weighs most.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsdproc.h>

#include "lives.h"

static const char usage[] =
	"Usage: bench_cost fork|fork-bsd|exec|thread [BATCHES]\n"
	"       bench_cost wait|wait-bsd CHILDREN [BATCHES]\n"
	"       bench_cost insmod FILE [TIMES]\n"
	"\n"
	"Prints the nanoseconds of one life, or of one wait beside so many living children: a line\n"
	"for each batch. insmod: a line for each time, with how many processes there were and the\n"
	"CPU time of loading the module.\n"
	"\n"
	"Exit status: 1: a call failed, and standard error says which; 2: wrong usage.\n";

/* ---- lives: many in a row are timed ---------------------------------------------------- */

static void fork_bsd_wait4(void)
{
	const pid_t pid = child();

	if (bsd_wait4(pid, NULL, 0, NULL) != pid)
		die("bsd_wait4");
}

static void fork_exec(void)
{
	char *const argv[] = {"bench_cost", "nothing", NULL};
	const pid_t pid = fork();
	int status;

	if (pid == -1)
		die("fork");
	if (pid == 0) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("waitpid");
}

static int64_t time_lives(void (*life)(void), int times)
{
	const int64_t begin = now(CLOCK_MONOTONIC);

	for (int i = 0; i < times; i++)
		life();
	return now(CLOCK_MONOTONIC) - begin;
}

/* ---- waits: for each a child has ended, and the wait alone is timed ----------------------- */

static pid_t wait_any(void)
{
	return waitpid(-1, NULL, 0);
}

static pid_t bsd_wait_any(void)
{
	return bsd_wait4(-1, NULL, 0, NULL);
}

static int64_t time_waits(pid_t (*wait)(void), int times)
{
	int64_t sum = 0;

	for (int i = 0; i < times; i++) {
		const pid_t pid = child();
		siginfo_t info;
		int64_t begin;

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
			die("waitid");
		begin = now(CLOCK_MONOTONIC);
		if (wait() != pid)
			die("wait");
		sum += now(CLOCK_MONOTONIC) - begin;
	}
	return sum;
}

static const struct row {
	const char *name;
	void (*life)(void);
	pid_t (*wait)(void);
	int times; /* in a batch */
} rows[] = {
	{"fork", live_as_process, NULL, 200}, {"fork-bsd", fork_bsd_wait4, NULL, 200},
	{"exec", fork_exec, NULL, 60},        {"thread", live_as_thread, NULL, 400},
	{"wait", NULL, wait_any, 30},         {"wait-bsd", NULL, bsd_wait_any, 30},
};

static double batch(const struct row *row)
{
	const int64_t sum =
		row->life ? time_lives(row->life, row->times) : time_waits(row->wait, row->times);

	return (double)sum / row->times;
}

/* Children that live on beside; they go with this process. */
static void have_children(int n)
{
	while (n-- > 0) {
		const pid_t pid = fork();

		if (pid == -1)
			die("fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
	}
}

/* ---- loading ------------------------------------------------------------------------------- */

static int64_t time_load(int fd)
{
	const int64_t begin = now(CLOCK_PROCESS_CPUTIME_ID);
	int64_t time;

	if (syscall(SYS_finit_module, fd, "", 0))
		die("finit_module");
	time = now(CLOCK_PROCESS_CPUTIME_ID) - begin;
	if (syscall(SYS_delete_module, "bsdproc", O_NONBLOCK))
		die("delete_module");
	return time;
}

static void time_loads(const char *file, int times)
{
	const int fd = open(file, O_RDONLY | O_CLOEXEC);
	int children = 0;

	if (fd == -1)
		die(file);
	for (int wanted = 2500; wanted <= 10000; wanted *= 2) {
		have_children(wanted - children);
		children = wanted;
		for (int i = 0; i < times; i++)
			printf("%d %lld\n", children, (long long)time_load(fd));
	}
}

static const struct row *find_row(const char *name)
{
	for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(*rows); row++)
		if (strcmp(name, row->name) == 0)
			return row;
	return NULL;
}

static int number(const char *text, int otherwise)
{
	return text && *text ? atoi(text) : otherwise;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct row *row = find_row(name);
	int batches;

	if (strcmp(name, "nothing") == 0)
		return 0; /* what fork_exec() runs */
	if (strcmp(name, "insmod") == 0 && argc > 2) {
		time_loads(argv[2], number(argv[3], 5));
		return 0;
	}
	if (strcmp(name, "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (!row || (row->wait && argc < 3)) {
		fputs(usage, stderr);
		return 2;
	}
	batches = number(row->wait && argc > 2 ? argv[3] : argv[2], 7);
	if (row->wait)
		have_children(number(argv[2], 0));
	batch(row); /* caches, and what is made at the first use */
	for (int i = 0; i < batches; i++)
		printf("%.1f\n", batch(row));
	return 0;
}
