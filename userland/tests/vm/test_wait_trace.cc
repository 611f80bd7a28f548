// SPDX-License-Identifier: BSD-2-Clause
// Tracers: whom they trace are their children to wait for, stop by stop and at the end, and
// what their real parents are told of that.
#include "vm_wait.h"

#include <sys/ptrace.h>

#include <map>
#include <set>
#include <utility>

using namespace vm;

namespace
{

bool seize(pid_t tid, unsigned long options = 0)
{
	return ptrace(PTRACE_SEIZE, tid, 0, options) == 0;
}

bool go_on(pid_t tid, int sig = 0)
{
	return ptrace(PTRACE_CONT, tid, 0, sig) == 0;
}

bool let_go(pid_t tid, int sig = 0)
{
	return ptrace(PTRACE_DETACH, tid, 0, sig) == 0;
}

// A child of ours, traced by a process that is none, which does body(child) and must find
// nothing wrong.
template <class F> class Tracer
{
public:
	Tracer(pid_t child, F body)
	{
		pid_ = spawn_orphan([&, child]() -> int {
			body(child);
			*good_ = !testing::Test::HasFailure();
			fflush(nullptr);
			done_.give();
			rest();
		});
	}
	~Tracer()
	{
		finish();
		kill(pid_, SIGKILL);
	}
	// Until its body is over; it goes on to exist, and to trace.
	void finish()
	{
		if (finished_)
			return;
		done_.take();
		finished_ = true;
		EXPECT_TRUE(*good_);
	}
	void die()
	{
		finish();
		kill(pid_, SIGKILL);
	}

private:
	pid_t pid_;
	Shared<std::atomic<bool>> good_{false};
	Tokens done_;
	bool finished_ = false;
};

// Linux's two ways to begin: by each it stops, for the tracer to see.
constexpr bool kBySeizing[] = {false, true};

void attach(pid_t tid, bool by_seizing)
{
	if (by_seizing)
		ASSERT_TRUE(seize(tid) && ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0);
	else
		ASSERT_EQ(ptrace(PTRACE_ATTACH, tid, 0, 0), 0);
}

Want attached(pid_t tid, bool by_seizing)
{
	return by_seizing ? trapped(tid, SIGTRAP, PTRACE_EVENT_STOP) : trapped(tid, SIGSTOP);
}

} // namespace

// ---- our own children ------------------------------------------------------------------

// The stops of whom one traces come without being asked for; wait6 has a word for them.
VM_TEST(WaitTrace, TrapsOfOurOwnChild)
{
	const pid_t pid = spawn([]() -> int {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		rest();
	});
	expect_wait4(pid, 0, trapped(pid, SIGSTOP));
	expect_wait4(-1, WNOHANG, nothing());
	for (int sig : {SIGUSR1, SIGTERM, SIGCHLD, SIGTSTP, SIGRTMIN}) {
		for (auto [idtype, id] :
		     {std::pair(P_ALL, id_t(0)), {P_PID, id_of(pid)}, {P_SID, 0}}) {
			ASSERT_TRUE(go_on(pid));
			kill(pid, sig);
			expect_wait6(idtype, id, WTRAPPED | WNOWAIT, trapped(pid, sig));
			expect_wait6(idtype, id, WEXITED | WCONTINUED | WNOHANG, nothing());
			expect_wait6(idtype, id, WTRAPPED, trapped(pid, sig));
			expect_wait6(idtype, id, WTRAPPED | WUNTRACED | WNOHANG, nothing());
		}
		ASSERT_TRUE(go_on(pid));
		kill(pid, sig);
		expect_wait4(-1, 0, trapped(pid, sig));
		expect_wait4(-1, WUNTRACED | WCONTINUED | WNOHANG, nothing());
	}
	kill(pid, SIGKILL);
	expect_wait4(-1, 0, killed(pid, SIGKILL));
}

// A sleeper is woken by them, one in another thread than the tracing one, too.
VM_TEST(WaitTrace, TrapsWakeSleepers)
{
	const pid_t pid = resting_child();
	ASSERT_TRUE(seize(pid));
	for (idtype_t idtype : {P_ALL, P_PID, P_PGID, P_SID, P_UID}) {
		const id_t id = idtype == P_PID ? id_of(pid) : idtype == P_UID ? geteuid() : 0;
		for (int kinds : {WTRAPPED, WUNTRACED, WTRAPPED | WEXITED}) {
			{
				Sleeper sleeper([&] {
					expect_wait6(idtype, id, kinds, trapped(pid, SIGUSR1));
				});
				kill(pid, SIGUSR1);
			}
			ASSERT_TRUE(go_on(pid));
		}
	}
	Sleeper sleeper([&] { expect_wait4(-1, 0, killed(pid, SIGKILL)); });
	kill(pid, SIGKILL);
}

// The stop of the whole process is one for the tracer as well, and its going on another.
VM_TEST(WaitTrace, GroupStopOfOurOwnChild)
{
	const pid_t pid = resting_child();
	ASSERT_TRUE(seize(pid));
	kill(pid, SIGSTOP);
	expect_wait6(P_ALL, 0, kAll, trapped(pid, SIGSTOP));
	ASSERT_TRUE(go_on(pid, SIGSTOP));
	expect_wait6(P_ALL, 0, kAll, trapped(pid, SIGSTOP, PTRACE_EVENT_STOP));
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	ASSERT_EQ(ptrace(PTRACE_LISTEN, pid, 0, 0), 0);
	expect_wait6(P_ALL, 0, kAll | WTRAPPED | WNOHANG, nothing());
	kill(pid, SIGCONT);
	expect_wait6(P_PID, id_of(pid), WTRAPPED, trapped(pid, SIGTRAP, PTRACE_EVENT_STOP));
	expect_wait6(P_PID, id_of(pid), WCONTINUED, continued(pid));
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	ASSERT_TRUE(go_on(pid));
	finish(pid);
}

// Attached to while stopped: what was told as a stop is not told again as one, but as a trap.
VM_TEST(WaitTrace, AttachToAStoppedChild)
{
	for (bool reported : {false, true})
		for (bool by_seizing : kBySeizing) {
			const pid_t pid = resting_child();
			stop(pid);
			if (reported)
				expect_wait6(P_ALL, 0, WUNTRACED, stopped(pid, SIGSTOP));
			attach(pid, by_seizing);
			const Want want = by_seizing ? trapped(pid, SIGSTOP, PTRACE_EVENT_STOP)
						     : trapped(pid, SIGSTOP);
			expect_wait6(P_ALL, 0, WTRAPPED, want);
			expect_wait6(P_ALL, 0, WUNTRACED | WNOHANG, nothing());
			kill(pid, SIGKILL);
			expect_wait6(P_ALL, 0, kAll, killed(pid, SIGKILL));
		}
}

// ---- somebody else's -----------------------------------------------------------------

// The tracer is told each stop and the end; after that, once, the parent.
VM_TEST(WaitTrace, AStrangersChild)
{
	for (bool by_seizing : kBySeizing) {
		const pid_t child = resting_child();
		Tokens killed_now;
		Tracer tracer(child, [&](pid_t pid) {
			expect_wait4(-1, WNOHANG, failed(ECHILD));
			attach(pid, by_seizing);
			expect_wait4(-1, 0, attached(pid, by_seizing));
			// It has no children, and waits all the same.
			expect_wait4(-1, WNOHANG, nothing());
			expect_wait6(P_ALL, 0, WUNTRACED | WNOHANG, nothing());
			expect_wait6(P_PGID, id_of(getpgid(pid)), WEXITED | WNOHANG, nothing());
			ASSERT_TRUE(go_on(pid));
			kill(pid, SIGUSR1);
			expect_wait6(P_PID, id_of(pid), WTRAPPED, trapped(pid, SIGUSR1));
			ASSERT_TRUE(go_on(pid));
			kill(pid, SIGUSR2);
			expect_wait6(P_SID, id_of(getsid(pid)), WUNTRACED, trapped(pid, SIGUSR2));
			kill(pid, SIGKILL);
			killed_now.give();
			expect_wait6(P_ALL, 0, WEXITED | WNOWAIT, killed(pid, SIGKILL));
			expect_wait6(P_ALL, 0, WTRAPPED, failed(ECHILD));
			expect_wait6(P_ALL, 0, WEXITED, killed(pid, SIGKILL));
			expect_wait6(P_ALL, 0, WEXITED, failed(ECHILD));
			expect_wait4(pid, 0, failed(ECHILD));
		});
		killed_now.take();
		expect_wait6(P_ALL, 0, kAll, killed(child, SIGKILL));
		expect_wait6(P_ALL, 0, kAll, failed(ECHILD));
		tracer.finish();
	}
}

// While the tracer has the zombie the parent neither gets it nor is told that there is none.
VM_TEST(WaitTrace, TheTracersWaitComesFirst)
{
	for (int kinds : {WEXITED, kAll}) {
		const pid_t child = resting_child();
		Tokens dead, seen;
		Tracer tracer(child, [&](pid_t pid) {
			ASSERT_TRUE(seize(pid));
			kill(pid, SIGTERM);
			expect_wait4(-1, 0, trapped(pid, SIGTERM));
			ASSERT_TRUE(go_on(pid, SIGTERM));
			native_peek(pid);
			dead.give();
			seen.take();
			expect_wait4(-1, 0, killed(pid, SIGTERM));
		});
		dead.take();
		for (int i = 0; i < 3; i++) {
			expect_wait6(P_ALL, 0, kinds | WNOHANG, nothing());
			expect_wait6(P_PID, id_of(child), kinds | WNOHANG | WNOWAIT, nothing());
		}
		Sleeper sleeper([&] { expect_wait6(P_ALL, 0, kinds, killed(child, SIGTERM)); });
		seen.give();
	}
}

// Its single threads, whose numbers are no processes': one stops, one ends, before their process.
VM_TEST(WaitTrace, SingleThreads)
{
	Shared<std::atomic<pid_t>> tids[2] = {Shared<std::atomic<pid_t>>{0},
					      Shared<std::atomic<pid_t>>{0}};
	Tokens end_thread;
	const pid_t child = spawn([&]() -> int {
		std::thread([&] {
			*tids[0] = gettid_raw();
			rest();
		}).detach();
		std::thread([&] {
			*tids[1] = gettid_raw();
			end_thread.take();
			exit_thread_raw(3);
		}).detach();
		rest();
	});
	for (auto &tid : tids)
		while (*tid == 0)
			sched_yield();
	Tracer tracer(child, [&](pid_t pid) {
		const pid_t rests = *tids[0], ends = *tids[1];
		ASSERT_TRUE(seize(rests) && seize(ends));
		expect_wait4(-1, WNOHANG, nothing());
		expect_wait4(pid, WNOHANG, failed(ECHILD)); // the process is not traced
		expect_wait4(rests, WNOHANG, nothing());
		syscall(SYS_tgkill, pid, rests, SIGUSR1);
		expect_wait6(P_ALL, 0, WTRAPPED | WNOWAIT, trapped(rests, SIGUSR1));
		expect_wait6(P_PID, id_of(ends), WTRAPPED | WNOHANG, nothing());
		expect_wait6(P_PID, id_of(rests), WTRAPPED, trapped(rests, SIGUSR1));
		expect_wait4(-1, WNOHANG, nothing());
		end_thread.give();
		expect_wait6(P_PID, id_of(ends), WTRAPPED, failed(ECHILD));
		siginfo_t info{};
		ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
		EXPECT_EQ(info.si_pid, ends);
		int status = -1;
		EXPECT_EQ(bsd_wait4(-1, &status, 0, nullptr), ends);
		EXPECT_EQ(status, 3 << 8);
		expect_wait4(ends, WNOHANG, failed(ECHILD));
		expect_wait4(-1, WNOHANG, nothing());
		ASSERT_TRUE(let_go(rests));
		expect_wait4(-1, WNOHANG, failed(ECHILD));
	});
	tracer.finish();
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	finish(child);
}

// A stop of the whole process is its parent's too, once all its threads have stopped; stops
// for the tracer never are.
VM_TEST(WaitTrace, WhatTheParentIsToldMeanwhile)
{
	const pid_t child = resting_child();
	Tokens step[3], next;
	Tracer tracer(child, [&](pid_t pid) {
		ASSERT_TRUE(seize(pid));
		kill(pid, SIGSTOP);
		expect_wait4(-1, 0, trapped(pid, SIGSTOP));
		step[0].give();
		next.take();
		ASSERT_TRUE(go_on(pid, SIGSTOP));
		expect_wait4(-1, 0, trapped(pid, SIGSTOP, PTRACE_EVENT_STOP));
		step[1].give();
		next.take();
		ASSERT_EQ(ptrace(PTRACE_LISTEN, pid, 0, 0), 0);
		kill(pid, SIGCONT);
		expect_wait4(-1, 0, trapped(pid, SIGTRAP, PTRACE_EVENT_STOP));
		step[2].give();
		next.take();
		ASSERT_TRUE(let_go(pid));
	});
	step[0].take();
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	{
		Sleeper sleeper(
			[&] { expect_wait6(P_ALL, 0, WUNTRACED, stopped(child, SIGSTOP)); });
		next.give();
	}
	step[1].take();
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	{
		Sleeper sleeper([&] { expect_wait6(P_ALL, 0, kAll, continued(child)); });
		next.give();
	}
	step[2].take();
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	next.give();
	tracer.finish();
	finish(child);
}

// Let go while stopped: it runs, or stops for its parent, as the tracer has it.
VM_TEST(WaitTrace, LetGoWhileStopped)
{
	for (bool by_seizing : kBySeizing)
		for (int sig : {0, SIGSTOP, SIGTERM}) {
			const pid_t child = resting_child();
			Tokens may;
			Tracer tracer(child, [&](pid_t pid) {
				attach(pid, by_seizing);
				expect_wait4(pid, 0, attached(pid, by_seizing));
				ASSERT_TRUE(go_on(pid));
				kill(pid, SIGUSR1);
				expect_wait4(pid, 0, trapped(pid, SIGUSR1));
				may.take();
				ASSERT_TRUE(let_go(pid, sig));
				expect_wait4(-1, WNOHANG, failed(ECHILD));
			});
			const Want want =
				sig == SIGSTOP ? stopped(child, SIGSTOP) : killed(child, SIGTERM);
			if (sig) {
				Sleeper sleeper([&] { expect_wait6(P_ALL, 0, kAll, want); });
				may.give();
			} else {
				may.give();
			}
			tracer.finish();
			if (sig == SIGTERM)
				continue;
			expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
			finish(child);
		}
}

// The stop that its parent was not told of before is there when the tracer has gone.
VM_TEST(WaitTrace, TheTracerDiesWhileItIsStopped)
{
	for (bool in_group : {false, true}) {
		const pid_t child = resting_child();
		Tracer tracer(child, [&](pid_t pid) {
			ASSERT_TRUE(seize(pid));
			kill(pid, SIGSTOP);
			expect_wait4(-1, 0, trapped(pid, SIGSTOP));
			if (!in_group)
				return;
			ASSERT_TRUE(go_on(pid, SIGSTOP));
			expect_wait4(-1, 0, trapped(pid, SIGSTOP, PTRACE_EVENT_STOP));
		});
		tracer.finish();
		if (!in_group)
			expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
		tracer.die();
		if (in_group) {
			expect_wait6(P_ALL, 0, kAll, stopped(child, SIGSTOP));
			kill(child, SIGCONT);
			expect_wait6(P_ALL, 0, kAll, continued(child));
		} else {
			// It goes on as if it had never been sent the signal.
			until_state(child, 'S');
			expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
		}
		finish(child);
	}
}

VM_TEST(WaitTrace, TheTracerDiesWithTheZombie)
{
	for (int i = 0; i < rounds(20); i++) {
		const pid_t child = resting_child();
		Tracer tracer(child, [&](pid_t pid) {
			ASSERT_TRUE(seize(pid));
			kill(pid, SIGKILL);
			if (i & 1)
				expect_wait6(P_ALL, 0, WEXITED | WNOWAIT, killed(pid, SIGKILL));
			else
				native_peek(pid);
		});
		tracer.finish();
		expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
		Sleeper sleeper([&] {
			expect_wait6(i & 2 ? P_ALL : P_PID, id_of(child), kAll,
				     killed(child, SIGKILL));
		});
		tracer.die();
	}
}

// The thread that traces ends, and with it the tracing; the others have nobody to wait for.
VM_TEST(WaitTrace, TheTracingThreadEnds)
{
	const pid_t stranger = spawn_orphan([]() -> int { rest(); });
	Tokens attached, end;
	std::thread tracing([&] {
		ASSERT_TRUE(seize(stranger));
		attached.give();
		end.take();
	});
	attached.take();
	expect_wait4(-1, WNOHANG, nothing());
	kill(stranger, SIGUSR1);
	expect_wait6(P_ALL, 0, WTRAPPED, trapped(stranger, SIGUSR1));
	end.give();
	tracing.join();
	// It is past its last word to us, and will be gone.
	pid_t got;
	while ((got = bsd_wait4(-1, nullptr, WNOHANG, nullptr)) == 0)
		sched_yield();
	EXPECT_EQ(got, -1);
	EXPECT_EQ(errno, ECHILD);
	kill(stranger, SIGKILL);
}

// ---- events ----------------------------------------------------------------------------

namespace
{

// Forks, vforks, makes a thread and execs.
int busy_life(const std::string &target)
{
	native_reap(spawn([] { return 5; }));
	native_reap(spawn_vfork([] { return 6; }));
	std::thread([] {}).join();
	execl(target.c_str(), "exec_target", "exit", "9", nullptr);
	return 98;
}

struct Told {
	std::map<int, int> events; // and how often
	std::multiset<int> ends;   // wait statuses
	std::set<pid_t> who;
};

// Traces it and all that comes of it, until there is none.
Told trace_life(pid_t pid)
{
	Told told;
	for (;;) {
		Poisoned<int> status;
		Poisoned<siginfo_t> info;
		const pid_t got =
			bsd_wait6(P_ALL, 0, status.get(), WEXITED | WTRAPPED, nullptr, info.get());
		if (got < 0)
			break;
		const int word = *status.get();
		const siginfo_t &said = *info.get();
		told.who.insert(got);
		EXPECT_EQ(said.si_pid, got);
		EXPECT_EQ(said.si_signo, SIGCHLD);
		EXPECT_EQ(said.si_uid, getuid());
		if ((word & 0xff) != 0x7f) {
			EXPECT_EQ(said.si_code, CLD_EXITED);
			EXPECT_EQ(said.si_status << 8, word);
			told.ends.insert(word);
			continue;
		}
		EXPECT_EQ(said.si_code, CLD_TRAPPED);
		EXPECT_EQ(said.si_status, word >> 8);
		const int event = word >> 16, sig = word >> 8 & 0xff;
		EXPECT_EQ(sig, event ? SIGTRAP : SIGCHLD);
		told.events[event]++;
		EXPECT_TRUE(go_on(got, event ? 0 : sig)) << got << " of " << pid;
	}
	EXPECT_EQ(errno, ECHILD);
	return told;
}

constexpr unsigned long kEvents = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				  PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT;

void expect_whole_life(const Told &told)
{
	EXPECT_EQ(told.who.size(), 4u);
	EXPECT_EQ(told.ends, (std::multiset<int>{0, 5 << 8, 6 << 8, 9 << 8}));
	std::map<int, int> events = told.events;
	events.erase(0); // SIGCHLDs are as many as do not come together
	EXPECT_EQ(events, (std::map<int, int>{{PTRACE_EVENT_FORK, 1},
					      {PTRACE_EVENT_VFORK, 1},
					      {PTRACE_EVENT_CLONE, 1},
					      {PTRACE_EVENT_EXEC, 1},
					      {PTRACE_EVENT_VFORK_DONE, 1},
					      {PTRACE_EVENT_EXIT, 4},
					      {PTRACE_EVENT_STOP, 3}}));
}

} // namespace

// What each event is, is in the status; who was made under trace is traced, child or not.
VM_TEST(WaitTrace, EventsOfOurOwnChild)
{
	const std::string target = sibling("exec_target");
	Tokens go;
	const pid_t pid = spawn([&] {
		go.take();
		return busy_life(target);
	});
	ASSERT_TRUE(seize(pid, kEvents));
	go.give();
	expect_whole_life(trace_life(pid));
}

VM_TEST(WaitTrace, EventsOfAStrangersChild)
{
	const std::string target = sibling("exec_target");
	Tokens go;
	const pid_t child = spawn([&] {
		go.take();
		return busy_life(target);
	});
	Tracer tracer(child, [&](pid_t pid) {
		ASSERT_TRUE(seize(pid, kEvents));
		go.give();
		expect_whole_life(trace_life(pid));
	});
	// Its parent hears of its end alone.
	expect_wait4(child, kAll & ~WEXITED, exited(child, 9));
	expect_wait4(-1, WNOHANG, failed(ECHILD));
}
