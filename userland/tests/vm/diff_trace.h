// SPDX-License-Identifier: BSD-2-Clause
// Scenarios of a tracer: what it traces reports stops that nobody else sees.
#ifndef DIFF_TRACE_H
#define DIFF_TRACE_H

#include "diff_scenes.h"

namespace diff
{

// What is known to come is waited for in any form.
inline void say_event(Random &r, int n, int events = WEXITED)
{
	Call call = {r.pick({Form::waitpid, Form::wait4, Form::waitid}), {Target::child, n}};
	call.options = __WALL | (call.form == Form::waitid ? events : 0);
	say(perform(call));
}

inline void let_go_on(int n, int sig = 0)
{
	if (ptrace(PTRACE_CONT, children[static_cast<size_t>(n)].pid, 0, sig) != 0)
		say("#%d cannot go on: %d", n, errno);
}

inline int event_child(int n)
{
	unsigned long pid = 0;
	ptrace(PTRACE_GETEVENTMSG, children[static_cast<size_t>(n)].pid, 0, &pid);
	return add_child({static_cast<pid_t>(pid)});
}

// A child that asks to be traced, and stops for it.
inline int make_traced()
{
	const int n = static_cast<int>(children.size());
	return add_child({spawn([n]() -> int {
		signal(SIGCHLD, SIG_DFL);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		obey(n, stage->orders[n]);
	})});
}

inline void traced(Random &r)
{
	const int n = make_traced();
	const pid_t pid = children[static_cast<size_t>(n)].pid;
	const long follow = r.one_in(2) ? PTRACE_O_TRACEFORK : 0,
		   last = r.one_in(2) ? PTRACE_O_TRACEEXIT : 0;
	say("#%d is traced, %#lx", n, follow | last);
	say_event(r, n, r.pick({WEXITED, WSTOPPED, WEXITED | WCONTINUED}));
	ptrace(PTRACE_SETOPTIONS, pid, 0, follow | last);
	say(perform({Form::wait4, {Target::child, n}, WNOHANG | WUNTRACED}));
	let_go_on(n);

	for (int i = r.below(3); i > 0; i--) {
		const int sig = r.pick({SIGTERM, SIGUSR1, SIGSTOP, SIGCHLD, SIGTRAP});
		say("#%d gets signal %d", n, sig);
		give_order(n, kRaise | sig);
		if (r.one_in(2)) {
			say(perform({Form::waitid, {Target::child, n}, WSTOPPED | WNOWAIT}));
			say_event(r, n, WSTOPPED);
		} else {
			say_event(r, n);
		}
		let_go_on(n);
	}
	if (follow) {
		const int heir = static_cast<int>(children.size());
		give_order(n, kFork | heir);
		say_event(r, n);
		event_child(n);
		say_event(r, heir, WSTOPPED);
		let_go_on(n);
		let_go_on(heir);
		say("#%d ends", heir);
		give_order(heir, kExit | 51);
		if (last) {
			say_event(r, heir, WSTOPPED);
			let_go_on(heir);
		}
		// Its parent has it still, and gets a signal, which is the tracer's to see.
		say_event(r, heir);
		say_event(r, n);
		let_go_on(n, SIGCHLD);
	}
	const bool kill_it = !last && r.one_in(2);
	say("#%d %s", n, kill_it ? "is killed" : "ends");
	if (kill_it)
		kill(pid, SIGKILL);
	else
		give_order(n, kExit | 52);
	if (last) {
		say_event(r, n);
		let_go_on(n);
	}
	say_event(r, n);
	finish();
}

// Somebody else's child, attached to.
inline void attached(Random &r)
{
	const int parent = make_child(), n = static_cast<int>(children.size());
	children.push_back({});
	give_order(parent, kFork | n);
	const pid_t pid = children.back().pid = until_known(n);
	const bool seize = r.one_in(2);
	say("#%d, a grandchild, is %s", n, seize ? "seized" : "attached to");
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
	if (seize) {
		ptrace(PTRACE_SEIZE, pid, 0, 0);
		say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
		ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	} else {
		ptrace(PTRACE_ATTACH, pid, 0, 0);
	}
	say_event(r, n, r.pick({WSTOPPED, WEXITED | WSTOPPED}));
	if (seize) {
		// A stop of all its threads, which the tracer is told of in two steps.
		let_go_on(n);
		kill(pid, SIGSTOP);
		say_event(r, n);
		let_go_on(n, SIGSTOP);
		say_event(r, n);
	}
	if (r.one_in(2)) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		say("let go");
		say(perform({Form::waitpid, {Target::child, n}, WNOHANG | WUNTRACED}));
		kill(pid, SIGKILL);
		until_state(pid, 'Z');
	} else {
		kill(pid, SIGKILL);
		say_event(r, n);
	}
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
	// Its parent gets it after all.
	give_order(parent, kAsk | n);
	say(perform(for_end(any_form(r), {Target::child, parent})));
	children[static_cast<size_t>(n)].state = Child::gone;
	finish();
}

// A thread, which to its tracer is a child like any other.
inline void traced_thread(Random &r)
{
	const int n = make_traced();
	const pid_t pid = children[static_cast<size_t>(n)].pid;
	say("#%d makes a thread, traced", n);
	say_event(r, n);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE);
	let_go_on(n);
	give_order(n, kThread);
	say_event(r, n);
	const int thread = event_child(n);
	say_event(r, thread, WSTOPPED);
	let_go_on(thread);
	let_go_on(n);
	say(perform({Form::waitpid, {Target::child, thread}, WNOHANG}));
	const bool alone = r.one_in(2);
	tell(stage->second[n], (alone ? kEndThread : kExit) | 53);
	say_event(r, thread);
	if (alone)
		give_order(n, kDie | SIGTERM);
	if (alone) {
		say_event(r, n);
		let_go_on(n, SIGTERM);
	}
	say_event(r, n);
	finish();
}

} // namespace diff

#endif // DIFF_TRACE_H
