// SPDX-License-Identifier: BSD-2-Clause
// Scenarios about one thing each: handlers, threads, cancellation, errors and the like.
#ifndef DIFF_SCENES_H
#define DIFF_SCENES_H

#include "diff_call.h"

#include <pthread.h>
#include <sys/prctl.h>

namespace diff
{

inline void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction act = {};
	act.sa_handler = handler;
	act.sa_flags = flags;
	if (sigaction(sig, &act, nullptr) != 0)
		die("sigaction");
}

inline void count_signal(int)
{
	stage->handled++;
}

inline Form any_form(Random &r)
{
	return r.pick({Form::wait, Form::waitpid, Form::wait3, Form::wait4, Form::waitid});
}

// For one that has ended or will.
inline Call for_end(Form form, Target target)
{
	return {form, form == Form::wait || form == Form::wait3 ? Target{} : target,
		form == Form::waitid ? WEXITED : 0};
}

// ---- handlers ---------------------------------------------------------------------

// What a handler's own waits have found.
inline std::vector<std::string> *found_by_handler;

inline void reap_all(int)
{
	const int saved = errno;
	for (;;) {
		const Result result = perform({Form::waitpid, {}, WNOHANG});
		found_by_handler->push_back(result.text);
		if (result.n < 0)
			break;
	}
	errno = saved;
	stage->handled++;
}

inline void say_what_handlers_found()
{
	for (const std::string &text : *found_by_handler)
		say("the handler: %s", text.c_str());
	found_by_handler->clear();
}

// A handler of SIGCHLD that collects all it can get, beside a wait that sleeps: what wakes that
// one is its own.
inline void handler_reaps(Random &r)
{
	std::vector<std::string> found;
	found_by_handler = &found;
	const bool restart = r.one_in(2);
	handle(SIGCHLD, reap_all, restart ? SA_RESTART : 0);
	const int second = make_child();
	say("a handler reaps, %s SA_RESTART", restart ? "with" : "without");

	if (r.one_in(2)) {
		const int n = make_child();
		say("#%d ends under a wait for it", n);
		Plan plan;
		plan.order(n, kExit | r.below(256)).begin();
		say(perform(for_end(any_form(r), {Target::child, n})));
		plan.end();
		say_what_handlers_found();
	}
	const int first = make_child();
	say("#%d ends under a wait for #%d", second, first);
	const int code = r.below(256);
	Plan plan;
	plan.order(second, kExit | code);
	if (restart)
		plan.handled(stage->handled + 1).asleep().order(first, kExit | 2);
	plan.begin();
	say(perform(for_end(r.pick({Form::waitpid, Form::wait4, Form::waitid}),
			    {Target::child, first})));
	plan.end();
	say_what_handlers_found();
	signal(SIGCHLD, SIG_DFL);
	finish();
}

// The signal was blocked, and is not when the child is collected already, or is not yet.
inline void handler_late(Random &r)
{
	std::vector<std::string> found;
	found_by_handler = &found;
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	handle(SIGCHLD, reap_all, 0);
	sigprocmask(SIG_BLOCK, &chld, nullptr);
	const int n = make_child();
	make_child();
	give_order(n, kExit | 5);
	until_ended(children[static_cast<size_t>(n)].pid);
	say("SIGCHLD is blocked");
	if (r.one_in(2))
		say(perform(for_end(any_form(r), {Target::child, n})));
	sigset_t mask;
	sigprocmask(SIG_UNBLOCK, &chld, &mask);
	say("blocked before: %d %d", sigismember(&mask, SIGCHLD), sigismember(&mask, SIGUSR1));
	say_what_handlers_found();
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
	signal(SIGCHLD, SIG_DFL);
	finish();
}

// A signal that is nobody's end.
inline void interrupted(Random &r)
{
	const bool restart = r.one_in(2);
	handle(SIGUSR1, count_signal, restart ? SA_RESTART : 0);
	const int n = make_child();
	Call call =
		for_end(any_form(r), {r.pick({Target::child, Target::any, Target::own_group}), n});
	if (call.form != Form::wait)
		call.options |= r.pick({0, WUNTRACED, WCONTINUED | __WALL});
	say("a signal, %s SA_RESTART", restart ? "with" : "without");
	Plan plan;
	plan.signal(getpid(), SIGUSR1).handled(1);
	if (restart)
		plan.asleep().order(n, kExit | 9);
	plan.begin();
	say(perform(call));
	plan.end();
	say("handled %d times", stage->handled.load());
	finish();
}

// A child's stop interrupts who does not wait for that.
inline void interrupted_by_stop(Random &r)
{
	const bool restart = r.one_in(2), told = r.one_in(2);
	handle(SIGCHLD, count_signal, (restart ? SA_RESTART : 0) | (told ? 0 : SA_NOCLDSTOP));
	const int n = make_child();
	const pid_t pid = children[static_cast<size_t>(n)].pid;
	say("stops of #%d, %s SA_RESTART, %s", n, restart ? "with" : "without",
	    told ? "told" : "not told");
	Plan plan;
	plan.signal(pid, SIGSTOP);
	if (told)
		plan.handled(1);
	else
		plan.state(pid, 'T');
	if (restart || !told)
		plan.asleep().signal(pid, SIGKILL);
	plan.begin();
	say(perform(for_end(any_form(r), {Target::child, n})));
	plan.end();
	signal(SIGCHLD, SIG_DFL);
	finish();
}

// ---- children that leave no zombies -------------------------------------------------

inline void ignored(Random &r)
{
	const int way = r.below(3);
	if (way == 0)
		signal(SIGCHLD, SIG_IGN);
	else
		handle(SIGCHLD, way == 1 ? SIG_DFL : count_signal, SA_NOCLDWAIT);
	const int first = make_child(), second = make_child();
	say("ends are ignored, way %d", way);
	say(perform({Form::waitpid, {}, WNOHANG}));
	const Form form = any_form(r);
	Plan plan;
	plan.order(first, kExit | 1);
	if (way == 2)
		plan.handled(1);
	else
		plan.asleep().order(second, kDie | SIGTERM);
	plan.begin();
	say(perform(for_end(form, {})));
	plan.end();
	until_dead(children[static_cast<size_t>(first)].pid);
	say(perform({Form::waitid, {Target::child, first}, WEXITED | WNOHANG}));
	say(perform({Form::waitid, {Target::child, second}, WEXITED | WNOHANG}));
	signal(SIGCHLD, SIG_IGN);
	finish();
}

// Ignored only when it has ended: it stays to be waited for.
inline void ignored_later(Random &r)
{
	const int n = make_child();
	give_order(n, kExit | 3);
	until_ended(children[static_cast<size_t>(n)].pid);
	signal(SIGCHLD, SIG_IGN);
	say("ignored later");
	say(perform(for_end(any_form(r), {Target::child, n})));
	finish();
}

// ---- relatives ------------------------------------------------------------------------

// A grandchild comes to us when its parent has ended.
inline void orphan(Random &r)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	const int parent = make_child();
	const int grandchild = static_cast<int>(children.size());
	children.push_back({});
	give_order(parent, kFork | grandchild);
	children.back().pid = until_known(grandchild);
	say("#%d has made #%d", parent, grandchild);
	say(perform({Form::waitpid, {Target::child, grandchild}, WNOHANG}));
	const bool dead = r.one_in(2);
	if (dead) {
		give_order(grandchild, kExit | 20);
		until_state(children[static_cast<size_t>(grandchild)].pid, 'Z');
		say("#%d has ended", grandchild);
		say(perform({Form::waitpid, {}, WNOHANG}));
	}
	say("#%d ends", parent);
	give_order(parent, kExit | 21);
	until_ended(children[static_cast<size_t>(parent)].pid);
	say(perform(for_end(r.pick({Form::waitpid, Form::waitid}), {Target::child, parent})));
	say(perform({Form::wait4, {Target::child, grandchild}, WNOHANG}));
	if (!dead) {
		Plan plan;
		plan.order(grandchild, kExit | 22).begin();
		say(perform(for_end(any_form(r), {})));
		plan.end();
	}
	finish();
}

// What a child and its own have used, to the last page fault. Time and switches may still grow,
// as it has to leave its CPU.
inline void usage(Random &r)
{
	const int n = make_child();
	const pid_t pid = children[static_cast<size_t>(n)].pid;
	const int heir = static_cast<int>(children.size());
	give_order(n, kFork | heir);
	until_known(heir);
	give_order(heir, kExit | 0);
	give_order(n, kReap | heir);
	until_ended(pid);
	struct rusage want, got;
	memset(&got, 0x5a, sizeof(got));
	native_peek(pid, &want);
	int status = 0;
	const bool any = r.one_in(2);
	const pid_t pid_got = any ? wait3(&status, 0, &got) : wait4(pid, &status, 0, &got);
	const bool same = want.ru_minflt == got.ru_minflt && want.ru_majflt == got.ru_majflt &&
			  want.ru_maxrss == got.ru_maxrss && want.ru_inblock == got.ru_inblock &&
			  want.ru_oublock == got.ru_oublock;
	say("%s: status %#x, usage %s, faults %s", name_of(pid_got).c_str(),
	    static_cast<unsigned>(status), same ? "right" : "wrong",
	    got.ru_minflt > 0 ? "some" : "none");
	finish();
}

// Nobody may wait for a sibling, nor for a parent.
inline void sibling(Random &r)
{
	const int one = make_child(), other = make_child();
	const bool dead = r.one_in(2);
	if (dead) {
		give_order(one, kExit | 4);
		until_ended(children[static_cast<size_t>(one)].pid);
	}
	say("#%d waits for #%d", other, one);
	give_order(other, kAsk | one);
	until_ended(children[static_cast<size_t>(other)].pid);
	say(perform(for_end(Form::waitid, {Target::child, other})));
	say(perform({Form::waitpid, {Target::child, one}, WNOHANG}));
	finish();
}

// exec makes a clone child a plain one.
inline void exec_clears(Random &r)
{
	const int n = make_child(r.pick<unsigned long>({0, SIGUSR2}));
	const pid_t pid = children[static_cast<size_t>(n)].pid;
	say("#%d, a clone child, is to exec", n);
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG | kClone}));
	give_order(n, kExec);
	// clock_nanosleep. Its name alone is there before the exec is over.
	const std::string proc = "/proc/" + std::to_string(pid), asleep = "230 ";
	while (slurp(proc + "/comm") != "sleep\n" || slurp(proc + "/syscall").find(asleep) != 0)
		sched_yield();
	say("it has");
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG | kClone}));
	kill(pid, SIGTERM);
	say(perform(for_end(any_form(r), {Target::child, n})));
	finish();
}

// ---- the waiter's own troubles ----------------------------------------------------------

// Stopped itself, it does not see what it waits for until it goes on.
inline void stopped_waiter(Random &r)
{
	const int n = make_child();
	const pid_t self = gettid_raw();
	say("stopped in a wait");
	Plan plan;
	plan.signal(getpid(), SIGSTOP).state(self, 'T').order(n, kExit | 8);
	plan.state(children[static_cast<size_t>(n)].pid, 'Z').signal(getpid(), SIGCONT);
	plan.begin();
	say(perform(for_end(any_form(r), {Target::child, n})));
	plan.end();
	finish();
}

// A child of vfork() in our memory, with a family of its own.
inline void in_vfork(Random &r)
{
	static volatile long got;
	static volatile int status, error;
	const bool threads = r.one_in(2), kill_it = r.one_in(3);
	std::atomic<int> word{0};
	std::thread other;
	if (threads)
		other = std::thread([&word] { be_told(word); });
	const int ours = make_child();
	give_order(ours, kExit | 12);
	until_ended(children[static_cast<size_t>(ours)].pid);
	say("in a child of vfork%s", threads ? ", beside a thread" : "");
	got = 0;
	status = 0;
	error = 0;
	const pid_t pid = spawn_vfork([&]() -> int {
		const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (child == 0)
			syscall(SYS_exit_group, 31);
		int s = 0;
		got = waitpid(static_cast<pid_t>(child), &s, 0) == child;
		status = s;
		got = got + (waitpid(-1, &s, 0) == -1);
		error = errno;
		if (kill_it)
			kill(static_cast<pid_t>(syscall(SYS_getpid)), SIGKILL);
		return 13;
	});
	add_child({pid});
	say("it got %ld, status %#x, errno %d", got, static_cast<unsigned>(status), error);
	say(perform({Form::wait4, {Target::child, ours}, 0}));
	say(perform(for_end(any_form(r), {})));
	if (threads) {
		tell(word, 1);
		other.join();
	}
	finish();
}

// Every descriptor that we do not know is closed, or another file.
inline void descriptors(Random &r)
{
	const int n = make_child(), other = make_child();
	give_order(n, kExit | 14);
	say(perform(for_end(Form::waitpid, {Target::child, n})));
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const auto keep = [null](int fd) {
		return fd == null || fd <= STDERR_FILENO || fd == ask_fd[1] || fd == done_fd[0];
	};
	const bool taken = r.one_in(2);
	for (int fd = 0; fd < 600; fd++)
		if (!keep(fd) && (taken ? dup2(null, fd) : close(fd)) < 0 && taken)
			die("dup2");
	say("all descriptors are %s", taken ? "taken" : "closed");
	give_order(other, kExit | 15);
	say(perform(for_end(any_form(r), {Target::child, other})));
	const int more = make_child();
	give_order(more, kDie | SIGTERM);
	say(perform(for_end(any_form(r), {Target::child, more})));
	int files = 0;
	struct stat st, of_null;
	fstat(null, &of_null);
	for (int fd = STDERR_FILENO + 1; fd < 600; fd++)
		files += fstat(fd, &st) == 0 && st.st_rdev == of_null.st_rdev;
	say("%d of them are ours", files);
	finish();
}

// What Linux says to arguments that make no sense.
inline void errors(Random &r)
{
	const int n = make_child();
	const bool dead = r.one_in(2);
	if (dead) {
		give_order(n, kExit | 16);
		until_ended(children[static_cast<size_t>(n)].pid);
	}
	say("#%d %s", n, dead ? "has ended" : "lives");
	for (int i = 0; i < 14; i++) {
		Call call = {r.pick(
			{Form::waitpid, Form::wait3, Form::wait4, Form::waitid, Form::waitid})};
		call.target = {r.pick({Target::any, Target::child, Target::self, Target::nobody,
				       Target::own_group}),
			       n};
		call.options = WNOHANG;
		call.options |= r.pick({0, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT, 0x20, 0x800,
					__WALL | kClone, WEXITED | WNOWAIT});
		call.status = r.pick({To::memory, To::null, To::nowhere});
		call.usage = r.pick({To::memory, To::null, To::nowhere});
		say(perform(call));
	}
	for (idtype_t type : {P_PID, P_PGID, P_ALL, P_PIDFD}) {
		const id_t id = r.pick<id_t>({0, 0x80000000u, 0xffffffffu, 0x7fffffffu});
		siginfo_t info = {};
		errno = 0;
		const int got = waitid(type, id, &info, WSTOPPED | WNOHANG);
		say("waitid(%d, %#x) = %d errno %d signo %d", type, id, got, errno, info.si_signo);
	}
	// If it was collected to where nothing can be written, it is gone without a trace.
	finish();
}

} // namespace diff

#endif // DIFF_SCENES_H
