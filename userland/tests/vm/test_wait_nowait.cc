// SPDX-License-Identifier: BSD-2-Clause
// WNOWAIT: who only looks takes nothing from anybody, nor hides it, nor holds it.
#include "vm_wait.h"

#include <sys/ptrace.h>

#include <memory>
#include <vector>

using namespace vm;

namespace
{

constexpr int kKinds = kAll | WTRAPPED;

// All ways to look, and to look again.
void expect_seen(pid_t pid, const Want &want)
{
	for (int more : {WNOWAIT, WNOWAIT | WNOHANG})
		for (int i = 0; i < 2; i++) {
			expect_wait6(P_ALL, 0, kKinds | more, want);
			expect_wait6(P_PID, id_of(pid), want.kind | more, want);
			expect_waitid(P_PGID, 0, kKinds | more, want);
			expect_wait4(-1, WUNTRACED | WCONTINUED | more, want);
		}
}

} // namespace

// A life, looked at all along, and then taken one by one.
VM_TEST(WaitNowait, EachReportStays)
{
	const pid_t pid = resting_child();
	stop(pid);
	expect_seen(pid, stopped(pid, SIGSTOP));
	kill(pid, SIGCONT);
	expect_seen(pid, continued(pid));
	stop(pid, SIGTSTP);
	expect_seen(pid, stopped(pid, SIGTSTP));
	expect_wait6(P_ALL, 0, kKinds, stopped(pid, SIGTSTP));
	expect_wait6(P_ALL, 0, kKinds | WNOWAIT | WNOHANG, nothing());
	kill(pid, SIGKILL);
	native_peek(pid);
	expect_seen(pid, killed(pid, SIGKILL));
	expect_wait6(P_ALL, 0, kKinds, killed(pid, SIGKILL));
	expect_wait6(P_ALL, 0, kKinds | WNOWAIT, failed(ECHILD));
}

// The same by whom a native wait may take it from.
VM_TEST(WaitNowait, BesideNativeWaits)
{
	const pid_t pid = resting_child();
	stop(pid);
	expect_seen(pid, stopped(pid, SIGSTOP));
	native_take(pid, WSTOPPED);
	expect_wait6(P_ALL, 0, kKinds | WNOWAIT | WNOHANG, nothing());
	kill(pid, SIGCONT);
	expect_seen(pid, continued(pid));
	native_take(pid, WCONTINUED);
	expect_wait6(P_ALL, 0, kKinds | WNOWAIT | WNOHANG, nothing());
	kill(pid, SIGTERM);
	native_peek(pid);
	expect_seen(pid, killed(pid, SIGTERM));
	EXPECT_EQ(native_reap(pid), SIGTERM);
	expect_wait6(P_ALL, 0, kKinds | WNOWAIT | WNOHANG, failed(ECHILD));
}

// All who look are told, and who takes it is too; nobody sees that there is no child before.
VM_TEST(WaitNowait, SleepersAllSee)
{
	for (int kind : {WUNTRACED, WCONTINUED, WEXITED})
		for (int round = 0; round < rounds(20); round++) {
			const pid_t pid = resting_child();
			Want want = killed(pid, SIGKILL);
			if (kind == WUNTRACED)
				want = stopped(pid, SIGSTOP);
			if (kind == WCONTINUED) {
				stop(pid);
				native_take(pid, WSTOPPED);
				want = continued(pid);
			}
			{
				std::vector<std::unique_ptr<Sleeper>> sleepers;
				for (int i = 0; i < 5; i++)
					sleepers.push_back(std::make_unique<Sleeper>([&, i] {
						expect_wait6(i & 1 ? P_ALL : P_PID, id_of(pid),
							     kind | WNOWAIT, want);
					}));
				kill(pid, kind == WEXITED     ? SIGKILL
					  : kind == WUNTRACED ? SIGSTOP
							      : SIGCONT);
			}
			expect_wait6(P_ALL, 0, kind, want);
			if (kind != WEXITED)
				finish(pid);
		}
}

// Threads that look all the time and one that takes: as long as it has not, all see it, and
// what they see is whole. After it there is no child.
VM_TEST(WaitNowait, LookersBesideATaker)
{
	for (int round = 0; round < rounds(100); round++) {
		const pid_t pid = spawn([] { return 5; });
		native_peek(pid);
		std::atomic<bool> taken{false}, taking{false};
		std::atomic<int> seen{0}, wrong{0};
		std::vector<std::thread> lookers;
		for (int i = 0; i < 3; i++)
			lookers.emplace_back([&, i] {
				bool over;
				do {
					over = taken;
					const bool early = !taking;
					siginfo_t info{};
					const int got =
						bsd_waitid(i ? P_ALL : P_PID, id_of(pid), &info,
							   WEXITED | WNOHANG | WNOWAIT);
					if (got == 0 && info.si_pid == pid && info.si_status == 5)
						(over ? wrong : seen)++;
					else if (got == -1 && errno == ECHILD)
						wrong += early && !taking;
					else // hidden by the claim of the one who takes it
						wrong += got != 0 || over || (early && !taking);
				} while (!over);
			});
		while (seen < 10)
			sched_yield();
		taking = true;
		int status = -1;
		if (round & 1)
			EXPECT_EQ(bsd_wait4(-1, &status, 0, nullptr), pid);
		else
			status = native_reap(pid);
		EXPECT_EQ(status, 5 << 8);
		taken = true;
		for (auto &looker : lookers)
			looker.join();
		ASSERT_EQ(wrong, 0);
	}
}

// SIGCHLD is ignored from between the look and the wait on: what was a zombie is one still.
VM_TEST(WaitNowait, SigchldIgnoredAfterTheLook)
{
	for (bool ignore : {true, false}) {
		signal(SIGCHLD, SIG_DFL);
		const pid_t pid = spawn([] { return 5; });
		expect_wait6(P_ALL, 0, kKinds | WNOWAIT, exited(pid, 5));
		struct sigaction act = {};
		act.sa_handler = ignore ? SIG_IGN : SIG_DFL;
		act.sa_flags = ignore ? 0 : SA_NOCLDWAIT;
		sigaction(SIGCHLD, &act, nullptr);
		expect_wait6(P_ALL, 0, kKinds | WNOWAIT, exited(pid, 5));
		expect_wait6(P_PID, id_of(pid), WEXITED, exited(pid, 5));
		expect_wait6(P_ALL, 0, kKinds | WNOWAIT, failed(ECHILD));
	}
}

// Nobody is a zombie then, so who looks sleeps until the last is gone; its stops are told.
VM_TEST(WaitNowait, SigchldIgnored)
{
	for (bool ignore : {true, false}) {
		struct sigaction act = {};
		act.sa_handler = ignore ? SIG_IGN : SIG_DFL;
		act.sa_flags = ignore ? 0 : SA_NOCLDWAIT;
		sigaction(SIGCHLD, &act, nullptr);
		const pid_t pid = resting_child();
		stop(pid);
		expect_seen(pid, stopped(pid, SIGSTOP));
		expect_wait6(P_ALL, 0, kKinds, stopped(pid, SIGSTOP));
		{
			Sleeper sleeper(
				[&] { expect_wait6(P_ALL, 0, kKinds | WNOWAIT, continued(pid)); });
			kill(pid, SIGCONT);
		}
		expect_wait6(P_PID, id_of(pid), kKinds, continued(pid));
		Sleeper any([&] { expect_wait6(P_ALL, 0, kKinds | WNOWAIT, failed(ECHILD)); });
		Sleeper one([&] { expect_wait6(P_PID, id_of(pid), WUNTRACED, failed(ECHILD)); });
		kill(pid, SIGKILL);
	}
}

// No handler is run for stops with SA_NOCLDSTOP, and the waits are told all the same.
VM_TEST(WaitNowait, NoSignalsForStops)
{
	static std::atomic<int> handled;
	struct sigaction act = {};
	act.sa_handler = [](int) { handled++; };
	act.sa_flags = SA_NOCLDSTOP | SA_RESTART;
	sigaction(SIGCHLD, &act, nullptr);
	const pid_t pid = resting_child();
	for (int i = 0; i < rounds(10); i++) {
		{
			Sleeper sleeper([&] {
				expect_wait6(P_ALL, 0, WUNTRACED | WNOWAIT, stopped(pid, SIGSTOP));
				expect_wait6(P_ALL, 0, WUNTRACED, stopped(pid, SIGSTOP));
			});
			kill(pid, SIGSTOP);
		}
		Sleeper sleeper([&] { expect_wait4(-1, WCONTINUED, continued(pid)); });
		kill(pid, SIGCONT);
	}
	EXPECT_EQ(handled, 0);
	kill(pid, SIGKILL);
	expect_wait4(-1, WUNTRACED | WCONTINUED, killed(pid, SIGKILL));
	while (handled == 0)
		sched_yield();
}

// A zombie that was looked at dies its second death with its parent, and its next parent gets it.
VM_TEST(WaitNowait, OrphanThatWasLookedAt)
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (int i = 0; i < rounds(20); i++) {
		Shared<std::atomic<pid_t>> orphan{0};
		const pid_t parent = spawn([&] {
			*orphan = spawn([] { return 6; });
			return bsd_waitid(P_ALL, 0, nullptr, WEXITED | WNOWAIT) == 0 ? 3 : 4;
		});
		expect_wait6(P_PID, id_of(parent), kKinds | WNOWAIT, exited(parent, 3));
		expect_wait6(P_PID, id_of(parent), kKinds, exited(parent, 3));
		expect_wait6(P_ALL, 0, kKinds | WNOWAIT, exited(*orphan, 6));
		expect_wait6(P_ALL, 0, kKinds, exited(*orphan, 6));
	}
}
