// SPDX-License-Identifier: BSD-2-Clause
// The claim between BSDPROC_WAIT and the reap: whatever becomes of the claimant, the child
// is reported once, and not never.
#include "vm_device.h"
#include "vm_test.h"

#include <climits>
#include <thread>

using namespace vm;

namespace
{

pid_t zombie(int code)
{
	pid_t pid = spawn([=] { return code; });
	native_peek(pid);
	return pid;
}

void expect_report(pid_t pid, int code, pid_t id = 0)
{
	int status = -1;
	EXPECT_EQ(bsd_wait4(id ? id : pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, code << 8);
}

} // namespace

VM_TEST(WaitClaim, ClaimThenReap)
{
	Device dev;
	pid_t pid = zombie(31);
	struct bsdproc_wait w = claim(dev, pid);
	EXPECT_EQ(w.pid, pid);
	EXPECT_EQ(w.xstat, 31 << 8);
	EXPECT_EQ(w.uid, getuid());
	EXPECT_EQ(native_reap(pid), 31 << 8);
	EXPECT_ERRNO(bsd_wait4(pid, nullptr, 0, nullptr), ECHILD);
}

VM_TEST(WaitClaim, ClaimHidesFromOthers)
{
	Device dev;
	pid_t pid = zombie(32);
	ASSERT_EQ(claim(dev, pid).pid, pid);
	std::thread([&] {
		for (pid_t id : {pid, -1, 0})
			EXPECT_EQ(bsd_wait4(id, nullptr, WNOHANG, nullptr), 0);
	}).join();
	EXPECT_EQ(native_reap(pid), 32 << 8);
}

VM_TEST(WaitClaim, NextCallGivesItBack)
{
	Device dev;
	pid_t pid = zombie(33), other = zombie(34);
	ASSERT_EQ(claim(dev, pid).pid, pid);
	EXPECT_EQ(claim(dev, pid).pid, pid);
	EXPECT_EQ(claim(dev, other).pid, other);
	std::thread([&] { expect_report(pid, 33); }).join();
	expect_report(other, 34);
}

VM_TEST(WaitClaim, ReapedEndsIt)
{
	Device dev;
	EXPECT_EQ(dev(BSDPROC_REAPED, nullptr), 0); // with no claim at all
	pid_t pid = zombie(46);
	struct bsdproc_wait w = claim(dev, pid);
	EXPECT_EQ(w.pid, pid);
	EXPECT_EQ(w.flags & BSDPROC_WAIT_SHARED, 0u);
	// Said without having reaped: then the claim is simply given back.
	EXPECT_EQ(dev(BSDPROC_REAPED, nullptr), 0);
	std::thread([&] {
		Device second;
		struct bsdproc_wait again = claim(second, pid);
		EXPECT_EQ(again.pid, pid);
		EXPECT_EQ(again.flags & BSDPROC_WAIT_SHARED, unsigned(BSDPROC_WAIT_SHARED));
		EXPECT_EQ(native_reap(pid), 46 << 8);
		EXPECT_EQ(second(BSDPROC_REAPED, nullptr), 0);
	}).join();
	EXPECT_ERRNO(bsd_wait4(pid, nullptr, 0, nullptr), ECHILD);
}

VM_TEST(WaitClaim, FailedNextCallGivesItBack)
{
	Device dev;
	// No child of ours, and numbers that nobody has.
	for (const uint64_t nobody :
	     {static_cast<uint64_t>(getpid()), uint64_t(INT_MAX), uint64_t(1) << 40}) {
		pid_t pid = zombie(35);
		ASSERT_EQ(claim(dev, pid).pid, pid);
		struct bsdproc_wait w = {};
		w.idtype = BSDPROC_P_PID;
		w.id = nobody;
		EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), ECHILD);
		std::thread([&] { expect_report(pid, 35); }).join();
	}
}

VM_TEST(WaitClaim, DeadClaimantGivesItBack)
{
	for (int i = 0; i < rounds(100); i++) {
		pid_t pid = zombie(36);
		std::thread claimant([&] {
			Device dev;
			EXPECT_EQ(claim(dev, pid).pid, pid);
		});
		claimant.join();
		expect_report(pid, 36);
	}
}

// A waiter is already asleep when the claimant dies.
VM_TEST(WaitClaim, DeadClaimantWakesSleeper)
{
	for (int i = 0; i < rounds(100); i++) {
		Tokens claimed, die_now;
		pid_t pid = zombie(37);
		std::thread claimant([&] {
			Device dev;
			EXPECT_EQ(claim(dev, pid).pid, pid);
			claimed.give();
			die_now.take();
		});
		claimed.take();
		std::atomic<pid_t> tid{0};
		std::thread sleeper([&] {
			tid = gettid_raw();
			expect_report(pid, 37, i & 1 ? -1 : pid);
		});
		while (tid == 0)
			sched_yield();
		until_waiting(tid);
		die_now.give();
		claimant.join();
		sleeper.join();
	}
}

VM_TEST(WaitClaim, NextCallWakesSleeper)
{
	for (int i = 0; i < rounds(100); i++) {
		Tokens claimed, next, end;
		pid_t pid = zombie(38), other = zombie(39);
		std::thread claimant([&] {
			Device dev;
			EXPECT_EQ(claim(dev, pid).pid, pid);
			claimed.give();
			next.take();
			EXPECT_EQ(claim(dev, other).pid, other);
			end.take();
		});
		claimed.take();
		std::atomic<pid_t> tid{0};
		std::thread sleeper([&] {
			tid = gettid_raw();
			expect_report(pid, 38);
		});
		while (tid == 0)
			sched_yield();
		until_waiting(tid);
		next.give();
		sleeper.join();
		end.give();
		claimant.join();
		expect_report(other, 39);
	}
}

// Others who sleep for a claimed child learn that it was reaped.
VM_TEST(WaitClaim, ReapWakesSleeper)
{
	for (int i = 0; i < rounds(100); i++) {
		Device dev;
		pid_t pid = zombie(40);
		ASSERT_EQ(claim(dev, pid).pid, pid);
		std::atomic<pid_t> tid{0};
		std::thread sleeper([&] {
			tid = gettid_raw();
			EXPECT_ERRNO(bsd_wait4(i & 1 ? -1 : pid, nullptr, 0, nullptr), ECHILD);
		});
		while (tid == 0)
			sched_yield();
		until_waiting(tid);
		EXPECT_EQ(native_reap(pid), 40 << 8);
		sleeper.join();
	}
}

VM_TEST(WaitClaim, KilledProcessLeavesItToTheReaper)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < rounds(50); i++) {
		Shared<std::atomic<pid_t>> child;
		Tokens claimed;
		pid_t middle = spawn([&] {
			Device dev;
			*child = zombie(41);
			if (claim(dev, *child).pid != *child)
				return 1;
			claimed.give();
			return pause();
		});
		claimed.take();
		kill(middle, SIGKILL);
		int status = -1;
		ASSERT_EQ(bsd_wait4(middle, &status, 0, nullptr), middle);
		ASSERT_EQ(status, SIGKILL);
		expect_report(*child, 41);
	}
}

VM_TEST(WaitClaim, ExecWithAClaim)
{
	std::string target = sibling("exec_target");
	for (bool leader : {true, false}) {
		pid_t middle = spawn([&] {
			pid_t pid = zombie(42);
			auto go = [&] {
				Device dev;
				if (claim(dev, pid).pid == pid)
					execl(target.c_str(), "exec_target", "wait",
					      std::to_string(pid).c_str(), "42", nullptr);
				_exit(98);
			};
			if (leader)
				go();
			std::thread(go).join();
			return 97;
		});
		int status = -1;
		EXPECT_EQ(bsd_wait4(middle, &status, 0, nullptr), middle);
		EXPECT_EQ(status, 0);
	}
}

// Claimed, then reaped natively by another: the claimant's next call is told the truth.
VM_TEST(WaitClaim, NativeReapInBetween)
{
	Device dev;
	for (int i = 0; i < rounds(100); i++) {
		pid_t pid = zombie(43);
		ASSERT_EQ(claim(dev, pid).pid, pid);
		std::thread([&] { EXPECT_EQ(native_reap(pid), 43 << 8); }).join();
		EXPECT_ERRNO(bsd_wait4(pid, nullptr, 0, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, WNOHANG, nullptr), ECHILD);
	}
}

VM_TEST(WaitClaim, ClosedHandleKeepsTheClaim)
{
	pid_t pid = zombie(44);
	{
		Device dev;
		ASSERT_EQ(claim(dev, pid).pid, pid);
	}
	std::thread([&] { EXPECT_EQ(bsd_wait4(pid, nullptr, WNOHANG, nullptr), 0); }).join();
	expect_report(pid, 44);
}

VM_TEST(WaitClaim, BadAddressesClaimNothing)
{
	Device dev;
	pid_t pid = zombie(45);
	for (int which = 0; which < 2; which++) {
		struct bsdproc_wait w = {};
		w.idtype = BSDPROC_P_PID;
		w.id = static_cast<uint64_t>(pid);
		(which ? w.status : w.rusage) = 16;
		EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), EFAULT);
		std::thread([&] {
			Device second;
			EXPECT_EQ(claim(second, pid).pid, pid);
		}).join();
	}
	// The struct's own page may be read but not written: the outcome has nowhere to go.
	long page = sysconf(_SC_PAGESIZE);
	void *p = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(p, MAP_FAILED);
	auto *w = new (p) bsdproc_wait{};
	w->idtype = BSDPROC_P_PID;
	w->id = static_cast<uint64_t>(pid);
	ASSERT_EQ(mprotect(p, page, PROT_READ), 0);
	EXPECT_ERRNO(dev(BSDPROC_WAIT, w), EFAULT);
	std::thread([&] { expect_report(pid, 45); }).join();
}

// Claimants that die, that wait again, that reap, all over the same children.
VM_TEST(WaitClaim, CarelessClaimants)
{
	const int children = rounds(600);
	std::atomic<int> reported{0}, strange{0};
	std::atomic<bool> end{false};
	std::thread careless([&] {
		while (!end)
			std::thread([] {
				Device dev;
				struct bsdproc_wait w = {};
				w.idtype = BSDPROC_P_ALL;
				w.options = BSDPROC_WNOHANG;
				dev(BSDPROC_WAIT, &w);
			}).join();
	});
	std::thread waiters[3];
	Tokens go;
	spawn([&] {
		go.take();
		return 7;
	});
	for (auto &waiter : waiters)
		waiter = std::thread([&] {
			int status = -1;
			while (bsd_wait4(-1, &status, 0, nullptr) > 0)
				reported += status == 7 << 8;
			strange += errno != ECHILD;
		});
	for (int i = 0; i < children; i++)
		spawn([] { return 7; });
	go.give();
	for (auto &waiter : waiters)
		waiter.join();
	end = true;
	careless.join();
	EXPECT_EQ(reported, children + 1);
	EXPECT_EQ(strange, 0);
}
