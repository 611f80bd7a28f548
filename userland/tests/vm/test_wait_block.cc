// SPDX-License-Identifier: BSD-2-Clause
// Waiters that sleep: what wakes them, what interrupts them, and what does not.
#include "vm_test.h"

#include <algorithm>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

std::atomic<int> handled;

void count_signal(int)
{
	handled++;
}

void handle(int sig, int flags)
{
	struct sigaction act = {};
	act.sa_handler = count_signal;
	act.sa_flags = flags;
	if (sigaction(sig, &act, nullptr) != 0)
		die("sigaction");
}

// Forks `helper` before the waiter sleeps; it acts on us once we do.
template <class F> pid_t once_waiting(F act)
{
	pid_t self = getpid();
	return spawn([=] {
		until_waiting(self);
		act(self);
		return 0;
	});
}

} // namespace

VM_TEST(WaitBlock, ChildWakesSleeper)
{
	pid_t self = getpid();
	for (int i = 0; i < rounds(200); i++) {
		pid_t pid = spawn([=] {
			until_waiting(self);
			return i & 0xff;
		});
		int status = -1;
		EXPECT_EQ(bsd_wait4(i & 1 ? -1 : pid, &status, 0, nullptr), pid);
		EXPECT_EQ(status, exit_status(i));
	}
}

// The child ends somewhere between the scan and the sleep: a lost wake-up hangs here. A look
// right before the wait says who was first; by that the next round's delay is corrected, so
// that the rounds keep close to the moment in question, whatever the machine.
VM_TEST(WaitBlock, ChildEndsWhileWaiterGoesToSleep)
{
	// Enough to find that place also where all else is scaled down. Up to the first end that
	// was seen the delay doubles.
	int delay = 1000, before = 0, total = std::max(rounds(1500), 150);
	for (int i = 0; i < total; i++) {
		Shared<Barrier> start(2);
		pid_t pid = spawn([&] {
			start->meet();
			return i & 0xff;
		});
		int status = -1;
		siginfo_t info{};
		start->meet();
		spin(delay);
		waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
		ASSERT_EQ(bsd_wait4(i & 1 ? pid : -1, &status, 0, nullptr), pid);
		ASSERT_EQ(status, exit_status(i));
		bool ended = info.si_pid != 0;
		before += ended;
		delay += ended ? -(delay / 16 + 1) : before ? delay / 16 + 1 : delay;
		delay = std::clamp(delay, 0, 50'000'000);
	}
	EXPECT_GT(before, total / 5);
	EXPECT_LT(before, total - total / 5);
}

VM_TEST(WaitBlock, HandlerInterrupts)
{
	handle(SIGUSR1, 0);
	Tokens go;
	pid_t child = spawn([&] {
		go.take();
		return 4;
	});
	pid_t helper = once_waiting([](pid_t self) { kill(self, SIGUSR1); });
	EXPECT_ERRNO(bsd_wait4(child, nullptr, 0, nullptr), EINTR);
	EXPECT_EQ(handled, 1);
	go.give();
	int status = -1;
	EXPECT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
	EXPECT_EQ(status, 4 << 8);
	native_reap(helper);
}

VM_TEST(WaitBlock, InterruptedWaitWritesNothing)
{
	handle(SIGUSR1, 0);
	Tokens go;
	pid_t child = spawn([&] {
		go.take();
		return 4;
	});
	pid_t helper = once_waiting([](pid_t self) { kill(self, SIGUSR1); });
	int status = 0x5a5a5a5a;
	EXPECT_ERRNO(bsd_wait4(child, &status, 0, nullptr), EINTR);
	EXPECT_EQ(status, 0x5a5a5a5a);
	go.give();
	native_reap(child);
	native_reap(helper);
}

VM_TEST(WaitBlock, HandlerWithRestart)
{
	handle(SIGUSR1, SA_RESTART);
	Tokens go;
	pid_t child = spawn([&] {
		go.take();
		return 4;
	});
	pid_t helper = once_waiting([&](pid_t self) {
		for (int i = 1; i <= 20; i++) {
			kill(self, SIGUSR1);
			until_waiting(self);
		}
		go.give();
	});
	int status = -1;
	EXPECT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
	EXPECT_EQ(status, 4 << 8);
	EXPECT_GT(handled, 0);
	native_reap(helper);
}

// SIGCHLD's own handler, without SA_RESTART: the child beats the interruption.
VM_TEST(WaitBlock, HandlerForSigchld)
{
	handle(SIGCHLD, 0);
	pid_t self = getpid();
	for (int i = 0; i < rounds(100); i++) {
		pid_t pid = spawn([=] {
			until_waiting(self);
			return 9;
		});
		int status = -1;
		EXPECT_EQ(bsd_wait_hard(pid, &status), pid);
		EXPECT_EQ(status, 9 << 8);
	}
	EXPECT_GT(handled, 0);
}

VM_TEST(WaitBlock, IgnoredSignalDoesNotInterrupt)
{
	signal(SIGUSR2, SIG_IGN);
	Tokens go;
	pid_t child = spawn([&] {
		go.take();
		return 2;
	});
	pid_t helper = once_waiting([&](pid_t self) {
		kill(self, SIGUSR2);
		go.give();
	});
	int status = -1;
	EXPECT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
	EXPECT_EQ(status, 2 << 8);
	native_reap(helper);
}

VM_TEST(WaitBlock, StoppedWaiterStaysStopped)
{
	Tokens go;
	pid_t waiter = spawn([&] {
		pid_t child = spawn([&] {
			go.take();
			return 3;
		});
		int status = -1;
		pid_t got = bsd_wait4(child, &status, 0, nullptr);
		return got == child && status == 3 << 8 ? 0 : 1;
	});
	until_waiting(waiter);
	kill(waiter, SIGSTOP);
	until_state(waiter, 'T');
	go.give();
	// Not one of ours: its zombie is seen through /proc alone.
	std::string list = slurp("/proc/" + std::to_string(waiter) + "/task/" +
				 std::to_string(waiter) + "/children");
	pid_t child = static_cast<pid_t>(atoi(list.c_str()));
	ASSERT_GT(child, 0);
	until_state(child, 'Z');
	EXPECT_EQ(state_of(waiter), 'T');
	kill(waiter, SIGCONT);
	EXPECT_EQ(native_reap(waiter), 0);
}

VM_TEST(WaitBlock, KilledWaiterDies)
{
	pid_t waiter = spawn([] {
		pid_t child = spawn([] { return pause(); });
		bsd_wait4(child, nullptr, 0, nullptr);
		return 1;
	});
	until_waiting(waiter);
	kill(waiter, SIGKILL);
	EXPECT_EQ(native_reap(waiter), SIGKILL);
}

// Its threads sleep in waits while another execs, exits or is killed.
VM_TEST(WaitBlock, SleepersDieWithTheirProcess)
{
	std::string target = sibling("exec_target");
	for (int i = 0; i < rounds(60); i++) {
		pid_t process = spawn([&] {
			pid_t child = spawn([] {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				return pause();
			});
			std::atomic<pid_t> tids[3] = {};
			for (auto &tid : tids)
				std::thread([&] {
					tid = gettid_raw();
					bsd_wait4(&tid == tids ? child : -1, nullptr, 0, nullptr);
					_exit(90);
				}).detach();
			for (auto &tid : tids) {
				while (tid == 0)
					sched_yield();
				until_waiting(tid);
			}
			if (i % 3 == 0)
				execl(target.c_str(), "exec_target", "lwp", "8", nullptr);
			if (i % 3 == 1)
				kill(getpid(), SIGKILL);
			return 8;
		});
		int status = -1;
		ASSERT_EQ(bsd_wait4(process, &status, 0, nullptr), process);
		ASSERT_EQ(status, i % 3 == 1 ? SIGKILL : 8 << 8);
	}
}

VM_TEST(WaitBlock, SleepersForTheSamePid)
{
	constexpr int kThreads = 8;
	for (int round = 0; round < rounds(50); round++) {
		Tokens go;
		pid_t pid = spawn([&] {
			go.take();
			return 21;
		});
		std::atomic<int> got{0}, none{0}, wrong{0};
		std::atomic<pid_t> tids[kThreads] = {};
		std::vector<std::thread> threads;
		for (int i = 0; i < kThreads; i++)
			threads.emplace_back([&, i] {
				int status = -1;
				tids[i] = gettid_raw();
				pid_t who = bsd_wait4(pid, &status, 0, nullptr);
				if (who == pid && status == 21 << 8)
					got++;
				else if (who == -1 && errno == ECHILD)
					none++;
				else
					wrong++;
			});
		for (auto &tid : tids) {
			while (tid == 0)
				sched_yield();
			until_waiting(tid);
		}
		go.give();
		for (auto &thread : threads)
			thread.join();
		ASSERT_EQ(got, 1);
		ASSERT_EQ(none, kThreads - 1);
		ASSERT_EQ(wrong, 0);
	}
}

// The one that a sleeper waits for goes to a native wait: the sleeper learns that it is gone.
VM_TEST(WaitBlock, NativeReapWakesSleeper)
{
	for (int round = 0; round < rounds(100); round++) {
		Tokens go;
		pid_t pid = spawn([&] {
			go.take();
			return 1;
		});
		std::atomic<pid_t> tid{0};
		int native = 0, bsd = 0, strange = 0;
		std::thread sleeper([&] {
			int status = -1;
			tid = gettid_raw();
			pid_t who = bsd_wait4(pid, &status, 0, nullptr);
			if (who == pid && status == 1 << 8)
				bsd++;
			else if (who != -1 || errno != ECHILD)
				strange++;
		});
		while (tid == 0)
			sched_yield();
		until_waiting(tid);
		go.give();
		int status = -1;
		pid_t who = waitpid(pid, &status, 0);
		if (who == pid && status == 1 << 8)
			native++;
		else if (who != -1 || errno != ECHILD)
			strange++;
		sleeper.join();
		ASSERT_EQ(native + bsd, 1);
		ASSERT_EQ(strange, 0);
	}
}
