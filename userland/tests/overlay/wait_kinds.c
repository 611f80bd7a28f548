// SPDX-License-Identifier: BSD-2-Clause
/*
 * wait6() and waitid() as a FreeBSD program uses them: by group, session and user, for ends,
 * stops, continues and traps, with the usage told apart. And rfork_thread(). Exit status 0:
 * all was as it must be.
 */
#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGES 64
#define PAGE 4096

static void fail(const char *what)
{
	fprintf(stderr, "wait_kinds: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check_at(int is_so, int line, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "wait_kinds: line %d: not so: %s\n", line, what);
		exit(1);
	}
}
#define CHECK(what) check_at(!!(what), __LINE__, #what)

/* What a wait has told; poisoned before it. */
struct told {
	pid_t pid;
	int status;
	struct __wrusage usage;
	siginfo_t info;
};

static struct told collect(idtype_t idtype, id_t id, int options)
{
	struct told told;

	memset(&told, 0xa5, sizeof(told));
	told.pid = wait6(idtype, id, &told.status, options, &told.usage, &told.info);
	return told;
}

static int is_zero(const void *memory, size_t size)
{
	const char *bytes = memory;

	while (size > 0 && bytes[size - 1] == 0)
		size--;
	return size == 0;
}

static void check_info(const struct told *told, pid_t pid, int code, int status)
{
	CHECK(told->pid == pid);
	CHECK(told->info.si_signo == SIGCHLD);
	CHECK(told->info.si_pid == pid);
	CHECK(told->info.si_uid == getuid());
	CHECK(told->info.si_code == code);
	CHECK(told->info.si_status == status);
}

static void check_exit(const struct told *told, pid_t pid, int code)
{
	check_info(told, pid, CLD_EXITED, code);
	CHECK(WIFEXITED(told->status) && WEXITSTATUS(told->status) == code);
	CHECK(!WIFSIGNALED(told->status) && !WIFSTOPPED(told->status));
	CHECK(!WIFCONTINUED(told->status));
}

static void check_kill(const struct told *told, pid_t pid, int sig)
{
	const int dumped = WCOREDUMP(told->status) ? 1 : 0;

	check_info(told, pid, dumped ? CLD_DUMPED : CLD_KILLED, sig);
	CHECK(WIFSIGNALED(told->status) && WTERMSIG(told->status) == sig);
	CHECK(!WIFEXITED(told->status) && !WIFSTOPPED(told->status));
	CHECK(!WIFCONTINUED(told->status));
}

static void check_stop(const struct told *told, pid_t pid, int code, int sig)
{
	check_info(told, pid, code, sig);
	CHECK(WIFSTOPPED(told->status) && WSTOPSIG(told->status) == sig);
	CHECK(!WIFEXITED(told->status) && !WIFSIGNALED(told->status));
	CHECK(!WIFCONTINUED(told->status));
	CHECK(is_zero(&told->usage, sizeof(told->usage)));
}

static void check_continue(const struct told *told, pid_t pid)
{
	check_info(told, pid, CLD_CONTINUED, SIGCONT);
	CHECK(WIFCONTINUED(told->status));
	CHECK(!WIFEXITED(told->status) && !WIFSIGNALED(told->status));
	CHECK(!WIFSTOPPED(told->status));
	CHECK(is_zero(&told->usage, sizeof(told->usage)));
}

/* Nothing is told, and no output is left as it was. */
static void check_nothing(const struct told *told)
{
	CHECK(told->pid == 0);
	CHECK(told->status == 0);
	CHECK(is_zero(&told->usage, sizeof(told->usage)));
	CHECK(is_zero(&told->info, sizeof(told->info)));
}

static void check_error(const struct told *told, int error)
{
	CHECK(told->pid == -1 && errno == error);
}

static pid_t start(void)
{
	const pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	return pid;
}

static pid_t start_sleeper(void)
{
	const pid_t pid = start();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void signal_to(pid_t pid, int sig)
{
	if (kill(pid, sig) == -1)
		fail("kill");
}

/* Of a group: it stops, goes on and is killed, and each is told once. */
static void group(void)
{
	const pid_t pid = start_sleeper();
	struct told told;

	if (setpgid(pid, pid) == -1)
		fail("setpgid");
	told = collect(P_PGID, (id_t)pid, WEXITED | WSTOPPED | WCONTINUED | WNOHANG);
	check_nothing(&told);
	told = collect(P_PGID, 0, WEXITED);
	check_error(&told, ECHILD); /* none in our own */

	signal_to(pid, SIGSTOP);
	told = collect(P_PGID, (id_t)pid, WSTOPPED | WNOWAIT);
	check_stop(&told, pid, CLD_STOPPED, SIGSTOP);
	told = collect(P_PGID, (id_t)pid, WUNTRACED);
	check_stop(&told, pid, CLD_STOPPED, SIGSTOP);
	told = collect(P_PGID, (id_t)pid, WUNTRACED | WEXITED | WNOHANG);
	check_nothing(&told);

	signal_to(pid, SIGCONT);
	told = collect(P_PGID, (id_t)pid, WCONTINUED);
	check_continue(&told, pid);
	told = collect(P_PGID, (id_t)pid, WCONTINUED | WNOHANG);
	check_nothing(&told);

	signal_to(pid, SIGKILL);
	told = collect(P_PGID, (id_t)pid, WEXITED | WSTOPPED | WCONTINUED);
	check_kill(&told, pid, SIGKILL);
	told = collect(P_PGID, (id_t)pid, WEXITED);
	check_error(&told, ECHILD);
}

/* The old calls tell the same by status words. */
static void status_words(void)
{
	const pid_t pid = start_sleeper();
	int status = -1;

	signal_to(pid, SIGSTOP);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	signal_to(pid, SIGCONT);
	CHECK(wait4(WAIT_MYPGRP, &status, WCONTINUED, NULL) == pid);
	CHECK(WIFCONTINUED(status) && !WIFSIGNALED(status) && !WIFEXITED(status));
	signal_to(pid, SIGTERM);
	CHECK(wait4(WAIT_ANY, &status, 0, NULL) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && !WIFCONTINUED(status));
	CHECK(wait(&status) == -1 && errno == ECHILD);
}

/* Of a session; ended ones are left where they are by WNOWAIT. */
static void session(void)
{
	struct told told;
	siginfo_t info;
	pid_t pid;

	pid = start();
	if (pid == 0)
		_exit(setsid() == -1 ? 1 : 3);
	told = collect(P_PID, (id_t)pid, WEXITED | WNOWAIT);
	check_exit(&told, pid, 3);
	told = collect(P_SID, 0, WEXITED);
	check_error(&told, ECHILD); /* none in our own any more */
	memset(&info, 0xa5, sizeof(info));
	CHECK(waitid(P_SID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 3);
	told = collect(P_SID, (id_t)pid, WEXITED);
	check_exit(&told, pid, 3);
	told = collect(P_SID, (id_t)pid, WEXITED | WNOHANG);
	check_error(&told, ECHILD);

	pid = start();
	if (pid == 0)
		_exit(4);
	told = collect(P_SID, 0, WEXITED);
	check_exit(&told, pid, 4);
}

static void user_and_group_of_users(void)
{
	struct told told;
	pid_t pid = start();

	if (pid == 0)
		_exit(5);
	told = collect(P_UID, (id_t)geteuid() + 1, WEXITED | WNOHANG);
	check_error(&told, ECHILD);
	told = collect(P_UID, geteuid(), WEXITED);
	check_exit(&told, pid, 5);
	pid = start();
	if (pid == 0)
		abort();
	told = collect(P_GID, (id_t)getegid() + 1, WEXITED | WNOHANG);
	check_error(&told, ECHILD);
	told = collect(P_GID, getegid(), WEXITED);
	check_kill(&told, pid, SIGABRT);
}

/* A tracer's stops are its own kind. */
static void traps(void)
{
	struct told told;
	const pid_t pid = start();

	if (pid == 0) {
		if (ptrace(PT_TRACE_ME, 0, NULL, 0) == -1)
			_exit(1);
		raise(SIGUSR1);
		_exit(6);
	}
	told = collect(P_PID, (id_t)pid, WTRAPPED | WNOWAIT);
	check_stop(&told, pid, CLD_TRAPPED, SIGUSR1);
	told = collect(P_ALL, 0, WTRAPPED | WEXITED);
	check_stop(&told, pid, CLD_TRAPPED, SIGUSR1);
	/* As if SIGUSR1 had not come. */
	if (ptrace(PT_CONTINUE, pid, NULL, 0) == -1)
		fail("ptrace");
	told = collect(P_PID, (id_t)pid, WTRAPPED | WEXITED);
	check_exit(&told, pid, 6);
}

static void touch(int pages)
{
	volatile char *memory = malloc((size_t)pages * PAGE);
	int i;

	if (!memory)
		_exit(1);
	for (i = 0; i < pages; i++)
		memory[i * PAGE] = 1;
}

/* What a child has used, and what its own children have. */
static void usage(void)
{
	struct told told;
	struct rusage both;
	int status;
	const pid_t pid = start();

	if (pid == 0) {
		const pid_t grandchild = start();

		if (grandchild == 0) {
			touch(4 * PAGES);
			_exit(0);
		}
		touch(PAGES);
		_exit(waitpid(grandchild, &status, 0) == grandchild ? status : 1);
	}
	told = collect(P_PID, (id_t)pid, WEXITED | WNOWAIT);
	check_exit(&told, pid, 0);
	CHECK(told.usage.wru_self.ru_minflt >= PAGES);
	CHECK(told.usage.wru_self.ru_minflt < told.usage.wru_children.ru_minflt);
	CHECK(told.usage.wru_children.ru_minflt >= 4 * PAGES);
	CHECK(wait4(pid, &status, 0, &both) == pid);
	CHECK(both.ru_minflt == told.usage.wru_self.ru_minflt + told.usage.wru_children.ru_minflt);
}

static void errors(void)
{
	struct told told;
	siginfo_t info;
	const pid_t pid = start_sleeper();

	told = collect(P_PID, (id_t)pid, WNOHANG);
	check_error(&told, EINVAL); /* for what? */
	told = collect((idtype_t)77, (id_t)pid, WEXITED);
	check_error(&told, EINVAL);
	told = collect(P_PID, (id_t)pid, WEXITED | 0x1000);
	check_error(&told, EINVAL);
	CHECK(waitid(P_PID, (id_t)pid, &info, 0) == -1 && errno == EINVAL);
	memset(&info, 0xa5, sizeof(info));
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0);
	CHECK(is_zero(&info, sizeof(info)));
	signal_to(pid, SIGKILL);
	CHECK(wait6(P_PID, (id_t)pid, NULL, WEXITED, NULL, NULL) == pid);
}

static volatile int shared_word;

static int in_shared_memory(void *arg)
{
	shared_word = *(int *)arg;
	return 7;
}

/* A process in our memory; by RFLINUXTHPN one that only who asks for such is told of. */
static void rforked(void)
{
	static char stack[64 * 1024];
	int word = 1234, status = -1;
	struct told told;
	pid_t pid;

	pid = rfork_thread(RFPROC | RFMEM | RFSIGSHARE | RFTHREAD, stack + sizeof(stack),
			   in_shared_memory, &word);
	if (pid == -1)
		fail("rfork_thread");
	told = collect(P_PID, (id_t)pid, WEXITED);
	check_exit(&told, pid, 7);
	CHECK(shared_word == 1234);

	signal(SIGUSR1, SIG_IGN); /* which tells of its end */
	word = 4321;
	pid = rfork_thread(RFPROC | RFMEM | RFFDG | RFLINUXTHPN, stack + sizeof(stack),
			   in_shared_memory, &word);
	if (pid == -1)
		fail("rfork_thread");
	CHECK(wait4(pid, &status, WNOHANG, NULL) == -1 && errno == ECHILD);
	CHECK(wait4(pid, &status, WLINUXCLONE, NULL) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	CHECK(shared_word == 4321);
	CHECK(rfork_thread(RFMEM, stack + sizeof(stack), in_shared_memory, &word) == -1 &&
	      errno == EINVAL);
}

int main(void)
{
	group();
	status_words();
	session();
	user_and_group_of_users();
	traps();
	usage();
	errors();
	rforked();
	printf("wait_kinds: ends, stops, continues, traps, usage and rfork_thread are right\n");
	return 0;
}
