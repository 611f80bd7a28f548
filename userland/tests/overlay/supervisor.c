// SPDX-License-Identifier: BSD-2-Clause
/*
 * A supervisor in the manner of DragonFly's svc: it is the reaper of the services that it
 * starts, so what they leave behind when they become daemons are its children, and it ends
 * them by pid_head until none is left. Exit status 0: all was as it must be.
 */
#include <sys/types.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICES 3
#define WORKERS 2 /* of each daemon */
#define DAEMONS (SERVICES * (1 + WORKERS))

static int ready[2]; /* each daemon and worker says its number there */

static void fail(const char *what)
{
	fprintf(stderr, "supervisor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check(int is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "supervisor: not so: %s\n", what);
		exit(1);
	}
}

static pid_t start(void)
{
	const pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	return pid;
}

static void say_and_sleep(void)
{
	const pid_t self = getpid();

	if (write(ready[1], &self, sizeof(self)) != sizeof(self))
		_exit(1);
	for (;;)
		pause();
}

/* Forks twice, as daemons do; the first child's status is all that its starter gets to see. */
static void service(int number)
{
	int i;

	if (start() != 0)
		_exit(10 + number);
	if (setsid() == -1)
		_exit(1);
	for (i = 0; i < WORKERS; i++)
		if (start() == 0)
			say_and_sleep();
	say_and_sleep();
}

static union reaper_info reaper(void)
{
	union reaper_info info;

	memset(&info, 0xa5, sizeof(info));
	if (procctl(P_PID, (id_t)getpid(), PROC_REAP_STATUS, &info) == -1)
		fail("PROC_REAP_STATUS");
	return info;
}

static void start_services(pid_t *services)
{
	int i;

	for (i = 0; i < SERVICES; i++) {
		services[i] = start();
		if (services[i] == 0)
			service(i);
	}
}

/* The services themselves end at once, and are told apart from what they left. */
static void collect_services(const pid_t *services)
{
	int i, n, status;
	struct rusage usage;
	pid_t pid;

	for (n = 0; n < SERVICES; n++) {
		memset(&usage, 0xa5, sizeof(usage));
		pid = wait3(&status, 0, &usage);
		if (pid == -1)
			fail("wait3");
		for (i = 0; i < SERVICES && services[i] != pid; i++)
			;
		check(i < SERVICES, "only services have ended");
		check(WIFEXITED(status) && WEXITSTATUS(status) == 10 + i, "by their own status");
		check(usage.ru_nsignals == 0 && usage.ru_minflt > 0, "with their usage");
	}
	check(wait3(&status, WNOHANG, &usage) == 0, "nobody else has ended");
	check(status == 0 && usage.ru_minflt == 0, "and nothing is told of that");
}

static void read_numbers(pid_t *pids)
{
	int i;

	for (i = 0; i < DAEMONS; i++)
		if (read(ready[0], &pids[i], sizeof(pids[i])) != sizeof(pids[i]))
			fail("read");
}

static int take_out(pid_t *pids, pid_t pid)
{
	int i;

	for (i = 0; i < DAEMONS; i++)
		if (pids[i] == pid) {
			pids[i] = 0;
			return 1;
		}
	return 0;
}

/* By what pid_head says, until there is none; workers come to us when their daemon has gone. */
static void end_all(pid_t *pids)
{
	struct __wrusage usage;
	siginfo_t info;
	pid_t head;
	int n = 0, status;

	while ((head = reaper().status.pid_head) != -1) {
		check(reaper().status.refs == (unsigned)(DAEMONS - n), "all that live are counted");
		check(take_out(pids, head), "each is one that we were told of, and comes once");
		if (kill(head, SIGTERM) == -1)
			fail("kill");
		memset(&info, 0xa5, sizeof(info));
		memset(&usage, 0xa5, sizeof(usage));
		status = -1;
		if (wait6(P_PID, (id_t)head, &status, WEXITED, &usage, &info) != head)
			fail("wait6");
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "it was killed");
		check(!WIFEXITED(status) && !WIFSTOPPED(status) && !WIFCONTINUED(status),
		      "and no more than that");
		check(info.si_signo == SIGCHLD && info.si_code == CLD_KILLED &&
			      info.si_status == SIGTERM,
		      "so says siginfo");
		check(info.si_pid == head && info.si_uid == getuid(), "who it was");
		check(usage.wru_self.ru_minflt > 0, "what it has used");
		check(usage.wru_children.ru_minflt == 0, "it has waited for nobody");
		n++;
	}
	check(n == DAEMONS && reaper().status.refs == 0, "all of them have come");
}

static void acquire_and_release(void)
{
	check(procctl(P_PGID, 0, PROC_REAP_ACQUIRE, NULL) == -1 && errno == EINVAL,
	      "processes only");
	check(procctl(P_PID, (id_t)getppid(), PROC_REAP_ACQUIRE, NULL) == -1 && errno == EINVAL,
	      "oneself only");
	check(procctl(P_PID, 0, 12345, NULL) == -1 && errno == EINVAL, "there is no such command");
	check(procctl(P_PID, 0, PROC_REAP_RELEASE, NULL) == -1 && errno == ENOTCONN, "we are none");
	check((reaper().status.flags & REAPER_STAT_OWNED) == 0, "so says the status");
	if (procctl(P_PID, (id_t)getpid(), PROC_REAP_ACQUIRE, NULL) == -1)
		fail("PROC_REAP_ACQUIRE");
	check(procctl(P_PID, 0, PROC_REAP_ACQUIRE, NULL) == -1 && errno == EALREADY, "we are one");
	check(reaper().status.flags == REAPER_STAT_OWNED, "so says the status");
	check(procctl(P_PID, 0, PROC_REAP_STATUS, NULL) == 0, "which need not be stored");
}

int main(void)
{
	pid_t services[SERVICES], pids[DAEMONS];
	int status;

	if (pipe(ready) == -1)
		fail("pipe");
	acquire_and_release();
	check(reaper().status.pid_head == -1 && reaper().status.refs == 0, "we have nobody yet");
	start_services(services);
	collect_services(services);
	read_numbers(pids);
	end_all(pids);
	check(wait3(&status, 0, NULL) == -1 && errno == ECHILD, "nobody is left");
	if (procctl(P_PID, 0, PROC_REAP_RELEASE, NULL) == -1)
		fail("PROC_REAP_RELEASE");
	check(procctl(P_PID, 0, PROC_REAP_RELEASE, NULL) == -1 && errno == ENOTCONN,
	      "once is enough");
	printf("supervisor: %d services, %d daemons reaped\n", SERVICES, DAEMONS);
	return 0;
}
