// SPDX-License-Identifier: BSD-2-Clause
/*
 * The waits of libbsdproc by Linux's own waitid, as far as that goes. What it has no word for
 * (sessions and users; exits alone, of who traces) is looked for in /proc, and waited for by
 * looking again and again.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bsdproc.h"

#define KINDS (WEXITED | WUNTRACED | WCONTINUED | WTRAPPED)
#define CLONES ((int)WLINUXCLONE)
#define EVERYTHING (WEXITED | WSTOPPED | WCONTINUED | __WALL)

struct target {
	idtype_t idtype;
	id_t id;
	int options;
};

static int fail(int error)
{
	errno = error;
	return -1;
}

static int native(idtype_t idtype, id_t id, siginfo_t *info, int options, struct rusage *ru)
{
	info->si_pid = 0;
	return (int)syscall(SYS_waitid, idtype, id, info, options, ru);
}

static int kind_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_STOPPED:
		return WUNTRACED;
	case CLD_TRAPPED:
		return WTRAPPED;
	case CLD_CONTINUED:
		return WCONTINUED;
	default:
		return WEXITED;
	}
}

static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	case CLD_STOPPED:
	case CLD_TRAPPED:
		return info->si_status << 8 | 0x7f;
	default:
		return info->si_status;
	}
}

/* ---- one task, as /proc has it ------------------------------------------------ */

struct task {
	pid_t leader, parent, group, session, tracer;
	int exit_signal;
	uid_t uid, gid;
};

static bool slurp(pid_t tid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

static bool read_task(pid_t tid, struct task *t)
{
	char text[8192], *at;

	if (!slurp(tid, "stat", text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 2, "%*c %d %d %d", &t->parent, &t->group, &t->session) != 3)
		return false;
	for (int field = 2; field < 38; field++)
		at = strchr(at + 1, ' ');
	t->exit_signal = atoi(at);
	if (!slurp(tid, "status", text, sizeof(text)))
		return false;
	at = strstr(text, "\nTgid:");
	t->leader = at ? atoi(at + 6) : 0;
	at = strstr(text, "\nTracerPid:");
	t->tracer = at ? atoi(at + 11) : 0;
	at = strstr(text, "\nUid:");
	if (!at || sscanf(at, "\nUid: %*u %u", &t->uid) != 1)
		return false;
	at = strstr(text, "\nGid:");
	return at && sscanf(at, "\nGid: %*u %u", &t->gid) == 1;
}

static bool is_thread_of_ours(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
	return tid && access(path, F_OK) == 0;
}

static bool is_wanted(const struct target *w, pid_t tid, bool leads)
{
	struct task t;
	bool traced;

	if (!read_task(tid, &t))
		return false;
	traced = is_thread_of_ours(t.tracer);
	if (!traced && (!leads || t.parent != getpid() ||
			(t.exit_signal != SIGCHLD) != !!(w->options & CLONES)))
		return false;
	switch ((int)w->idtype) {
	case P_PID:
		return (id_t)tid == w->id;
	case P_PGID:
		return (id_t)t.group == w->id;
	case P_SID:
		return (id_t)t.session == w->id;
	case P_UID:
		return t.uid == w->id;
	case P_GID:
		return t.gid == w->id;
	}
	return true;
}

/* Of one that is wanted: -1, it will never say anything; 0, nothing now; 1, that is it. */
static int ask(const struct target *w, pid_t tid, siginfo_t *info, struct rusage *ru)
{
	int kind;

	if (native(P_PID, (id_t)tid, info, EVERYTHING | WNOHANG | WNOWAIT, ru) == -1)
		return -1;
	if (!info->si_pid)
		return 0;
	kind = kind_of(info);
	if (!(w->options & (kind == WTRAPPED ? WTRAPPED | WUNTRACED : kind)))
		return kind == WEXITED ? -1 : 0;
	if (w->options & WNOWAIT)
		return 1;
	if (kind == WTRAPPED)
		kind = WSTOPPED;
	return native(P_PID, (id_t)tid, info, kind | WNOHANG | __WALL, ru) == 0 && info->si_pid;
}

/* ---- all of them ----------------------------------------------------------------- */

struct look {
	const struct target *w;
	siginfo_t *info;
	struct rusage *ru;
	int best; /* of what was said */
};

static void look_at(struct look *look, pid_t tid, bool leads)
{
	int said;

	if (look->best == 1 || !is_wanted(look->w, tid, leads))
		return;
	said = ask(look->w, tid, look->info, look->ru);
	look->best = said > look->best ? said : look->best;
}

/* Calls each(number, arg) for the numbers that are names in a directory. */
static void for_numbers(const char *path, void (*each)(pid_t, void *), void *arg)
{
	DIR *dir = opendir(path);

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (isdigit((unsigned char)entry->d_name[0]))
			each(atoi(entry->d_name), arg);
	closedir(dir);
}

/* Of which thread's children. */
struct family {
	void (*each)(pid_t, void *);
	void *arg;
};

static void children_of_thread(pid_t tid, void *arg)
{
	struct family *family = arg;
	char path[64], text[65536], *at = text, *end;

	snprintf(path, sizeof(path), "task/%d/children", tid);
	if (!slurp(getpid(), path, text, sizeof(text)))
		return;
	for (pid_t pid; (pid = (pid_t)strtol(at, &end, 10)) > 0; at = end)
		family->each(pid, family->arg);
}

static void for_children(void (*each)(pid_t, void *), void *arg)
{
	struct family family = {each, arg};

	for_numbers("/proc/self/task", children_of_thread, &family);
}

static void child_of_ours(pid_t pid, void *look)
{
	look_at(look, pid, true);
}

static void is_traced(pid_t pid, void *traced)
{
	struct task t;

	*(bool *)traced |= read_task(pid, &t) && is_thread_of_ours(t.tracer);
}

static void thread_of_anybody(pid_t tid, void *look)
{
	look_at(look, tid, false);
}

static void threads_of_process(pid_t pid, void *look)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	for_numbers(path, thread_of_anybody, look);
}

/*
 * Whom we trace may be anywhere, and no file says where. So it is noted when somebody begins
 * to trace who is not a child, or may come to.
 */
static atomic_bool traces_others;

long ptrace(enum __ptrace_request request, ...)
{
	const long makers = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	struct task t;
	va_list args;
	pid_t pid;
	long addr, data;

	va_start(args, request);
	pid = va_arg(args, pid_t);
	addr = va_arg(args, long);
	data = va_arg(args, long);
	va_end(args);
	if ((request == PTRACE_SEIZE || request == PTRACE_ATTACH) &&
	    (!read_task(pid, &t) || t.parent != getpid() || t.leader != pid))
		traces_others = true;
	if ((request == PTRACE_SEIZE || request == PTRACE_SETOPTIONS) && data & makers)
		traces_others = true;
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static bool traces_anybody(void)
{
	bool traced = traces_others;

	for_children(is_traced, &traced);
	return traced;
}

static int look_around(const struct target *w, siginfo_t *info, struct rusage *ru)
{
	for (;;) {
		struct look look = {w, info, ru, -1};

		for_children(child_of_ours, &look);
		if (traces_others)
			for_numbers("/proc", threads_of_process, &look);
		if (look.best == -1)
			return fail(ECHILD);
		if (look.best == 1)
			return 0;
		info->si_pid = 0;
		if (w->options & WNOHANG)
			return 0;
		/* What is not waited for may keep it awake. */
		if (native(P_ALL, 0, info, EVERYTHING | WNOWAIT, NULL) == -1)
			return -1;
		sched_yield();
	}
}

/* ---- the calls ------------------------------------------------------------------ */

/* What there is to report is in info; si_pid 0: nothing. */
static int wait_for(struct target w, siginfo_t *info, struct rusage *ru)
{
	const bool plain = w.idtype == P_ALL || w.idtype == P_PID || w.idtype == P_PGID;
	const int options = w.options & (WNOHANG | WNOWAIT | WEXITED | WUNTRACED | WCONTINUED);

	/* Linux reports the stops of who is traced, whatever it is asked for. */
	if (plain && w.options & KINDS & ~WTRAPPED &&
	    (w.options & (WTRAPPED | WUNTRACED) || !traces_anybody()))
		return native(w.idtype, w.id, info, options | (w.options & CLONES ? __WCLONE : 0),
			      ru);
	return look_around(&w, info, ru);
}

static pid_t wait_all(struct target w, int *status, struct rusage *ru, siginfo_t *info)
{
	siginfo_t said = {0};
	struct rusage usage;

	if (wait_for(w, &said, &usage) == -1)
		return -1;
	if (!said.si_pid)
		memset(&said, 0, sizeof(said));
	if (status)
		*status = said.si_pid ? status_of(&said) : 0;
	if (!said.si_pid || kind_of(&said) != WEXITED)
		memset(&usage, 0, sizeof(usage));
	if (ru)
		*ru = usage;
	if (info)
		*info = said;
	return said.si_pid;
}

pid_t bsd_wait6(idtype_t idtype, id_t id, int *status, int options, struct __wrusage *wru,
		siginfo_t *info)
{
	struct target w = {idtype, id, options};
	struct rusage ru;
	pid_t got;

	if (!(options & KINDS) || options & ~(KINDS | WNOHANG | WNOWAIT | CLONES))
		return fail(EINVAL);
	switch ((int)idtype) {
	case P_PID:
		if (id)
			break;
		w.idtype = P_PGID;
		/* fallthrough */
	case P_PGID:
		w.id = id ? id : (id_t)getpgrp();
		break;
	case P_SID:
		w.id = id ? id : (id_t)getsid(0);
		break;
	case P_ALL:
	case P_UID:
	case P_GID:
		break;
	default:
		return fail(EINVAL);
	}
	if ((w.idtype == P_PID || w.idtype == P_PGID) && w.id > INT_MAX)
		return fail(ECHILD);
	got = wait_all(w, status, &ru, info);
	if (got != -1 && wru) {
		memset(wru, 0, sizeof(*wru));
		wru->wru_self = ru;
	}
	return got;
}

int bsd_waitid(idtype_t idtype, id_t id, siginfo_t *info, int options)
{
	return bsd_wait6(idtype, id, NULL, options, NULL, info) == -1 ? -1 : 0;
}

pid_t bsd_wait4(pid_t pid, int *status, int options, struct rusage *ru)
{
	struct target w = {P_PGID, (id_t) - (long long)pid, options | WEXITED | WTRAPPED};

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOWAIT | CLONES))
		return fail(EINVAL);
	if (pid == INT_MIN)
		return fail(ECHILD);
	if (pid == -1)
		w.idtype = P_ALL;
	if (pid == 0)
		w.id = (id_t)getpgrp();
	if (pid > 0) {
		w.idtype = P_PID;
		w.id = (id_t)pid;
	}
	return wait_all(w, status, ru, NULL);
}

pid_t bsd_wait3(int *status, int options, struct rusage *ru)
{
	return bsd_wait4(-1, status, options, ru);
}

pid_t bsd_waitpid(pid_t pid, int *status, int options)
{
	return bsd_wait4(pid, status, options, NULL);
}

pid_t bsd_wait(int *status)
{
	return bsd_wait4(-1, status, 0, NULL);
}
