// SPDX-License-Identifier: BSD-2-Clause
// Stops and continues, one after the other: whom they wake, what is left of them, and to whom
// they go when parents and groups change.
#include "vm_wait.h"

#include <sys/ptrace.h>

#include <thread>
#include <vector>

using namespace vm;

namespace
{

// Waits in a thread of its own, which sleeps in that when this returns.
class Sleeper
{
public:
	template <class F> explicit Sleeper(F wait)
	{
		thread_ = std::thread([this, wait] {
			tid_ = gettid_raw();
			wait();
			done_ = true;
		});
		while (tid_ == 0)
			sched_yield();
		until_asleep();
	}
	~Sleeper() { thread_.join(); }
	Sleeper(const Sleeper &) = delete;
	Sleeper &operator=(const Sleeper &) = delete;

	void until_asleep() { until_waiting(tid_); }
	bool done() const { return done_; }

private:
	std::atomic<pid_t> tid_{0};
	std::atomic<bool> done_{false};
	std::thread thread_;
};

struct Named {
	const char *name;
	idtype_t idtype;
	id_t id;
};

// All that a child at home is.
std::vector<Named> names_of(pid_t pid)
{
	return {{"all", P_ALL, 0},
		{"pid", P_PID, id_of(pid)},
		{"group", P_PGID, id_of(getpgrp())},
		{"own group", P_PGID, 0},
		{"session", P_SID, id_of(getsid(0))},
		{"user", P_UID, geteuid()},
		{"user's group", P_GID, getegid()}};
}

void be_subreaper()
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

constexpr int kAll = WEXITED | WUNTRACED | WCONTINUED;

} // namespace

VM_TEST(WaitStop, StopsWakeSleepers)
{
	const pid_t pid = resting_child();
	for (const Named &name : names_of(pid))
		for (int sig : {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU}) {
			SCOPED_TRACE(name.name);
			{
				Sleeper sleeper([&] {
					expect_wait6(name.idtype, name.id, WUNTRACED,
						     stopped(pid, sig));
				});
				kill(pid, sig);
			}
			expect_wait6(name.idtype, name.id, kAll | WNOHANG, nothing());
			kill(pid, SIGCONT);
			expect_wait6(name.idtype, name.id, WCONTINUED, continued(pid));
		}
	finish(pid);
}

VM_TEST(WaitStop, ContinuesWakeSleepers)
{
	const pid_t pid = resting_child();
	for (const Named &name : names_of(pid)) {
		SCOPED_TRACE(name.name);
		stop(pid);
		expect_wait6(name.idtype, name.id, WUNTRACED, stopped(pid, SIGSTOP));
		{
			Sleeper sleeper([&] {
				expect_wait6(name.idtype, name.id, WCONTINUED, continued(pid));
			});
			kill(pid, SIGCONT);
		}
		expect_wait6(name.idtype, name.id, kAll | WNOHANG, nothing());
	}
	finish(pid);
}

// Wait4's ways to say it.
VM_TEST(WaitStop, Wait4Sleeps)
{
	const pid_t pid = resting_child();
	for (pid_t id : {pid, -1, 0, -getpgrp()}) {
		{
			Sleeper sleeper(
				[&] { expect_wait4(id, WUNTRACED, stopped(pid, SIGSTOP)); });
			kill(pid, SIGSTOP);
		}
		Sleeper sleeper([&] { expect_wait4(id, WCONTINUED, continued(pid)); });
		kill(pid, SIGCONT);
	}
	finish(pid);
}

// What a sleeper does not ask for passes it by.
VM_TEST(WaitStop, SleepsOnThroughWhatItDoesNotAskFor)
{
	for (idtype_t idtype : {P_ALL, P_PID}) {
		const pid_t pid = resting_child();
		{
			Sleeper sleeper([&] {
				expect_wait6(idtype, id_of(pid), WCONTINUED, continued(pid));
			});
			stop(pid);
			sleeper.until_asleep();
			EXPECT_FALSE(sleeper.done());
			kill(pid, SIGCONT);
		}
		Sleeper sleeper(
			[&] { expect_wait6(idtype, id_of(pid), WEXITED, killed(pid, SIGKILL)); });
		stop(pid);
		sleeper.until_asleep();
		kill(pid, SIGCONT);
		until_reportable(pid, WCONTINUED);
		sleeper.until_asleep();
		EXPECT_FALSE(sleeper.done());
		kill(pid, SIGKILL);
	}
}

// The end of the last child that could stop.
VM_TEST(WaitStop, TheLastEndsWhileItsStopIsWaitedFor)
{
	for (idtype_t idtype : {P_ALL, P_PID, P_PGID, P_SID, P_UID}) {
		const pid_t pid = resting_child();
		const id_t id = idtype == P_PID ? id_of(pid) : idtype == P_UID ? geteuid() : 0;
		{
			Sleeper sleeper([&] {
				expect_wait6(idtype, id, WUNTRACED | WCONTINUED, failed(ECHILD));
			});
			kill(pid, SIGKILL);
		}
		expect_wait6(idtype, id, WEXITED, killed(pid, SIGKILL));
	}
}

// It is there when kill() has returned, as a native wait would have it: the child need not
// have run yet.
VM_TEST(WaitStop, AContinueIsThereWithItsSignal)
{
	const pid_t pid = resting_child();
	for (int i = 0; i < rounds(100); i++)
		for (const Named &name : names_of(pid)) {
			SCOPED_TRACE(name.name);
			stop(pid);
			expect_wait6(name.idtype, name.id, WUNTRACED, stopped(pid, SIGSTOP));
			expect_wait6(name.idtype, name.id, kAll | WNOHANG, nothing());
			kill(pid, SIGCONT);
			expect_wait6(name.idtype, name.id, WCONTINUED | WNOHANG, continued(pid));
			if (testing::Test::HasFailure())
				return;
		}
}

VM_TEST(WaitStop, OfAStopThatIsOverOnlyTheContinueIsLeft)
{
	const pid_t pid = resting_child();
	for (const Named &name : names_of(pid)) {
		SCOPED_TRACE(name.name);
		stop(pid);
		expect_wait6(name.idtype, name.id, WUNTRACED | WNOWAIT, stopped(pid, SIGSTOP));
		kill(pid, SIGCONT);
		expect_wait6(name.idtype, name.id, WUNTRACED | WEXITED | WNOHANG, nothing());
		expect_wait6(name.idtype, name.id, WUNTRACED | WCONTINUED, continued(pid));
		expect_wait6(name.idtype, name.id, kAll | WNOHANG, nothing());
		// And the other way round.
		stop(pid);
		kill(pid, SIGCONT);
		stop(pid, SIGTSTP);
		expect_wait6(name.idtype, name.id, WCONTINUED | WNOHANG, nothing());
		expect_wait6(name.idtype, name.id, kAll, stopped(pid, SIGTSTP));
		kill(pid, SIGCONT);
		expect_wait6(name.idtype, name.id, kAll, continued(pid));
	}
	finish(pid);
}

// A second stop signal to one that is stopped is none, nor is SIGCONT to one that runs.
VM_TEST(WaitStop, SignalsThatChangeNothing)
{
	const pid_t pid = resting_child();
	kill(pid, SIGCONT);
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	stop(pid);
	expect_wait6(P_ALL, 0, kAll, stopped(pid, SIGSTOP));
	kill(pid, SIGSTOP);
	kill(pid, SIGTSTP);
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	kill(pid, SIGCONT);
	expect_wait6(P_ALL, 0, kAll, continued(pid));
	kill(pid, SIGCONT);
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	finish(pid);
}

// By signals that are pending when it goes on.
VM_TEST(WaitStop, KilledWhileStopped)
{
	for (int sig : {SIGKILL, SIGTERM})
		for (bool reported : {false, true}) {
			const pid_t pid = resting_child();
			stop(pid);
			if (reported)
				expect_wait6(P_ALL, 0, kAll, stopped(pid, SIGSTOP));
			kill(pid, sig);
			if (sig == SIGTERM) {
				expect_wait6(P_PID, id_of(pid), WEXITED | WNOHANG, nothing());
				kill(pid, SIGCONT);
			}
			native_peek(pid);
			expect_wait6(P_ALL, 0, WUNTRACED | WCONTINUED, failed(ECHILD));
			expect_wait6(P_ALL, 0, kAll, killed(pid, sig));
		}
}

// ---- before anybody has asked -----------------------------------------------------

// Each case is a process that has never asked for stops.
VM_TEST(WaitStop, BeforeTheFirstWaitForStops)
{
	std::vector<pid_t> pids;
	for (int i = 0; i < 5; i++) {
		pids.push_back(resting_child());
		stop(pids.back());
	}
	kill(pids[0], SIGCONT);
	kill(pids[1], SIGKILL);
	native_peek(pids[1]);
	native_take(pids[2], WSTOPPED);
	expect_wait6(P_ALL, 0, WCONTINUED, continued(pids[0]));
	expect_wait6(P_ALL, 0, WEXITED, killed(pids[1], SIGKILL));
	std::vector<pid_t> got;
	for (int i = 0; i < 2; i++) {
		siginfo_t info{};
		ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, WUNTRACED), 0);
		EXPECT_EQ(info.si_code, CLD_STOPPED);
		got.push_back(info.si_pid);
	}
	EXPECT_TRUE((got[0] == pids[3] && got[1] == pids[4]) ||
		    (got[0] == pids[4] && got[1] == pids[3]));
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
}

// The waits before it were for ends alone.
VM_TEST(WaitStop, BeforeTheFirstWaitForStopsAndAfterOthers)
{
	const pid_t pid = resting_child();
	expect_wait4(-1, WNOHANG, nothing());
	stop(pid);
	expect_wait4(-1, WNOHANG, nothing());
	expect_wait4(-1, WUNTRACED, stopped(pid, SIGSTOP));
	kill(pid, SIGCONT);
	expect_wait4(-1, WUNTRACED | WNOHANG, nothing());
	expect_wait4(-1, WCONTINUED, continued(pid));
	finish(pid);
}

VM_TEST(WaitStop, AfterExec)
{
	const std::string target = sibling("exec_target");
	int in[2], out[2];
	ASSERT_EQ(pipe(in), 0);
	ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
	const pid_t pid = spawn([&] {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(target.c_str(), "exec_target", "hold", "17", nullptr);
		return 98;
	});
	char c;
	ASSERT_EQ(read(out[0], &c, 1), 1);
	{
		Sleeper sleeper([&] { expect_wait6(P_ALL, 0, kAll, stopped(pid, SIGSTOP)); });
		kill(pid, SIGSTOP);
	}
	kill(pid, SIGCONT);
	expect_wait6(P_PID, id_of(pid), kAll, continued(pid));
	finish(pid);
}

// All threads have stopped before it is said, whichever took the signal.
VM_TEST(WaitStop, ProcessOfManyThreads)
{
	for (bool leader_ends : {false, true}) {
		Tokens ready;
		const pid_t pid = spawn([&]() -> int {
			for (int i = 0; i < 5; i++)
				std::thread([&] {
					ready.give();
					rest();
				}).detach();
			if (leader_ends)
				exit_thread_raw(0);
			rest();
		});
		ready.take(5);
		if (leader_ends)
			until_state(pid, 'Z');
		for (const Named &name : names_of(pid)) {
			SCOPED_TRACE(name.name);
			{
				Sleeper sleeper([&] {
					expect_wait6(name.idtype, name.id, kAll,
						     stopped(pid, SIGSTOP));
				});
				kill(pid, SIGSTOP);
			}
			Sleeper sleeper(
				[&] { expect_wait6(name.idtype, name.id, kAll, continued(pid)); });
			kill(pid, SIGCONT);
		}
		finish(pid);
	}
}

// ---- parents and groups that change -------------------------------------------------

// What its parent was not told yet its next parent is, once.
VM_TEST(WaitStop, StoppedChildOfADyingParent)
{
	be_subreaper();
	for (bool reported : {false, true})
		for (int i = 0; i < rounds(20); i++) {
			Shared<std::atomic<pid_t>> orphan{0};
			const pid_t parent = spawn([&] {
				*orphan = resting_child();
				stop(*orphan);
				if (reported)
					bsd_wait6(P_ALL, 0, nullptr, WUNTRACED, nullptr, nullptr);
				return 3;
			});
			if (i & 1) // it may have looked before
				expect_wait6(P_ALL, 0, WUNTRACED | WNOHANG, nothing());
			expect_wait6(P_PID, id_of(parent), kAll, exited(parent, 3));
			if (!reported)
				expect_wait6(P_ALL, 0, kAll, stopped(*orphan, SIGSTOP));
			expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
			kill(*orphan, SIGCONT);
			expect_wait6(P_ALL, 0, kAll, continued(*orphan));
			finish(*orphan);
		}
}

VM_TEST(WaitStop, ContinuedChildOfADyingParent)
{
	be_subreaper();
	for (int i = 0; i < rounds(20); i++) {
		Shared<std::atomic<pid_t>> orphan{0};
		const pid_t parent = spawn([&] {
			*orphan = resting_child();
			stop(*orphan);
			kill(*orphan, SIGCONT);
			until_reportable(*orphan, WCONTINUED);
			return 3;
		});
		expect_wait6(P_PID, id_of(parent), kAll, exited(parent, 3));
		expect_wait6(i & 1 ? P_ALL : P_PID, id_of(*orphan), kAll, continued(*orphan));
		expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
		finish(*orphan);
	}
}

// Its parent's end leaves its group without anybody to see to it: Linux hangs it up and has
// it go on, and of that the next parent is told.
VM_TEST(WaitStop, OrphanedGroup)
{
	be_subreaper();
	for (int i = 0; i < rounds(20); i++) {
		Shared<std::atomic<pid_t>> orphan{0};
		const pid_t parent = spawn([&] {
			setsid();
			*orphan = spawn([]() -> int {
				signal(SIGHUP, SIG_IGN);
				setpgid(0, 0);
				raise(SIGSTOP);
				rest();
			});
			until_reportable(*orphan, WSTOPPED);
			return 3;
		});
		expect_wait6(P_PID, id_of(parent), kAll, exited(parent, 3));
		expect_wait6(P_ALL, 0, WUNTRACED | WCONTINUED, continued(*orphan));
		expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
		finish(*orphan);
	}
}

// The group that counts is the one at the time of the wait.
VM_TEST(WaitStop, StoppedChildThatChangesItsGroup)
{
	const pid_t pid = resting_child(), leader = resting_child();
	ASSERT_EQ(setpgid(leader, leader), 0);
	ASSERT_EQ(setpgid(pid, pid), 0);
	const id_t first = id_of(pid), second = id_of(leader);
	for (int i = 0; i < 3; i++) {
		stop(pid);
		expect_wait6(P_PGID, first, kAll | WNOWAIT, stopped(pid, SIGSTOP));
		expect_wait6(P_PGID, second, kAll | WNOHANG, nothing());
		ASSERT_EQ(setpgid(pid, leader), 0);
		expect_wait6(P_PGID, first, kAll, failed(ECHILD));
		expect_wait6(P_PGID, second, kAll, stopped(pid, SIGSTOP));
		kill(pid, SIGCONT);
		ASSERT_EQ(setpgid(pid, pid), 0);
		expect_wait6(P_PGID, second, kAll | WNOHANG, nothing());
		expect_wait6(P_PGID, first, kAll, continued(pid));
	}
	finish(pid);
	finish(leader);
}

// Asleep for the one group while the other's members stop.
VM_TEST(WaitStop, SleepersOfTwoGroups)
{
	const pid_t pids[2] = {resting_child(), resting_child()};
	for (pid_t pid : pids)
		ASSERT_EQ(setpgid(pid, pid), 0);
	for (int i = 0; i < rounds(20); i++) {
		{
			Sleeper first([&] {
				expect_wait6(P_PGID, id_of(pids[0]), WUNTRACED,
					     stopped(pids[0], SIGSTOP));
			});
			{
				Sleeper second([&] {
					expect_wait6(P_PGID, id_of(pids[1]), WUNTRACED,
						     stopped(pids[1], SIGTSTP));
				});
				kill(pids[1], SIGTSTP);
			}
			first.until_asleep();
			EXPECT_FALSE(first.done());
			kill(pids[0], SIGSTOP);
		}
		for (pid_t pid : pids) {
			kill(pid, SIGCONT);
			expect_wait6(P_PID, id_of(pid), WCONTINUED, continued(pid));
		}
	}
	for (pid_t pid : pids)
		finish(pid);
}
