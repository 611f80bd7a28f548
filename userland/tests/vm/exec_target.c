// SPDX-License-Identifier: BSD-2-Clause
// A program to exec: its first argument says what it does.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bsdproc.h"

static int only_lwp(int code)
{
	return bsd_lwp_gettid() == 1 ? code : 90;
}

// vfork as the library's very first user: parent and child share its state.
static int vfork_first(int how)
{
	int status = -1;
	pid_t pid = vfork();

	if (pid == 0) {
		bsd_extexit(how, 23, NULL);
		_exit(91);
	}
	if (bsd_wait4(pid, &status, 0, NULL) != pid)
		return 92;
	return status == 23 << 8 ? 0 : 93;
}

/* Says that it runs, on standard output, and ends when standard input does. */
static int hold(int code)
{
	char c = 0;

	if (write(STDOUT_FILENO, &c, 1) != 1)
		return 89;
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return code;
}

static int inherited_child(pid_t pid, int want)
{
	int status = -1;

	if (bsd_wait4(pid, &status, 0, NULL) != pid)
		return 94;
	return status == want << 8 ? 0 : 95;
}

static int stopped_child(pid_t pid)
{
	int status = -1;

	if (bsd_wait4(-1, &status, WUNTRACED, NULL) != pid || status != (SIGSTOP << 8 | 0x7f))
		return 87;
	if (bsd_wait4(-1, &status, WUNTRACED | WNOHANG, NULL) != 0)
		return 86;
	kill(pid, SIGCONT);
	if (bsd_wait4(-1, &status, WCONTINUED, NULL) != pid || status != SIGCONT)
		return 85;
	kill(pid, SIGKILL);
	return bsd_wait4(-1, &status, 0, NULL) == pid && status == SIGKILL ? 0 : 84;
}

/* This program anew, with one time less to go. */
static void *next_time(void *left)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", *(int *)left - 1);
	execl("/proc/self/exe", "exec_target", "again", number, NULL);
	_exit(83);
}

/* Exec by a thread that is not the leader, so many times. */
static int again(int times)
{
	pthread_t thread;

	if (!times)
		return 0;
	if (pthread_create(&thread, NULL, next_time, &times))
		return 82;
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int code = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(what, "exit"))
		return code;
	if (!strcmp(what, "hold"))
		return hold(code);
	if (!strcmp(what, "lwp"))
		return only_lwp(code);
	if (!strcmp(what, "extexit"))
		return bsd_extexit(EXTEXIT_LWP | EXTEXIT_SIMPLE, code, NULL) ? 96 : 97;
	if (!strcmp(what, "vfork"))
		return vfork_first(code ? EXTEXIT_LWP : EXTEXIT_PROC);
	if (!strcmp(what, "wait"))
		return inherited_child(code, argc > 3 ? atoi(argv[3]) : 0);
	if (!strcmp(what, "stop"))
		return stopped_child(code);
	if (!strcmp(what, "again"))
		return again(code);
	fprintf(stderr,
		"usage: exec_target exit|hold|lwp|extexit|vfork|wait|stop|again NUMBER ...\n");
	return 98;
}
