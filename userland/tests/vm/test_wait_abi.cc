// SPDX-License-Identifier: BSD-2-Clause
// BSDPROC_WAIT as the ABI has it: who collects what by himself.
#include "vm_device.h"
#include "vm_wait.h"

#include <sys/ptrace.h>

#include <cstddef>
#include <thread>

using namespace vm;

namespace
{

using Wait = struct bsdproc_wait;

constexpr uint32_t kKinds =
	BSDPROC_WEXITED | BSDPROC_WUNTRACED | BSDPROC_WCONTINUED | BSDPROC_WTRAPPED;

Wait args_for(uint32_t idtype, uint64_t id, uint32_t options)
{
	Wait w = {};
	w.idtype = idtype;
	w.id = id;
	w.options = options;
	return w;
}

// What it says; pid -errno, and nothing written, if it fails.
Wait ask(const Device &dev, uint32_t idtype, uint64_t id, uint32_t options)
{
	Wait w = args_for(idtype, id, options);
	const Wait asked = w;
	if (dev(BSDPROC_WAIT, &w) != 0) {
		const int error = errno;
		EXPECT_EQ(memcmp(&w, &asked, sizeof(w)), 0);
		w.pid = -error;
		return w;
	}
	// What was asked is still there.
	EXPECT_EQ(memcmp(&w, &asked, offsetof(Wait, pid)), 0);
	EXPECT_EQ(w.wrusage, asked.wrusage);
	EXPECT_EQ(w.info, asked.info);
	EXPECT_EQ(w.reserved, 0u);
	return w;
}

Wait ask_any(const Device &dev, uint32_t options)
{
	return ask(dev, BSDPROC_P_ALL, 0, options | BSDPROC_WNOHANG);
}

void expect_says(const Wait &w, const Want &want)
{
	EXPECT_EQ(w.pid, want.result);
	if (want.result < 0)
		return;
	EXPECT_EQ(w.what, static_cast<uint32_t>(want.kind));
	EXPECT_EQ(w.xstat, want.status);
	EXPECT_EQ(w.uid, want.uid);
	EXPECT_EQ(w.flags & ~BSDPROC_WAIT_SHARED, 0u);
}

// By the word of the ABI. True: it was there.
bool collect(const Wait &w, int more = 0)
{
	siginfo_t info{};
	const int what = w.what == BSDPROC_WTRAPPED ? WSTOPPED : static_cast<int>(w.what);
	const long got =
		syscall(SYS_waitid, P_PID, w.pid, &info, what | WNOHANG | __WALL | more, nullptr);
	if (got != 0 && errno != ECHILD)
		die("waitid");
	return got == 0 && info.si_pid == w.pid;
}

pid_t zombie(int code, unsigned long flags = SIGCHLD)
{
	pid_t pid = spawn_flags(flags, [=] { return code; });
	native_peek(pid);
	return pid;
}

pid_t stopped_child()
{
	pid_t pid = resting_child();
	stop(pid);
	return pid;
}

} // namespace

VM_TEST(WaitAbi, WhatItIs)
{
	Device dev;
	expect_says(ask_any(dev, 0), failed(ECHILD));
	const pid_t ended = zombie(21);
	expect_says(ask_any(dev, 0), exited(ended, 21)); // the default
	expect_says(ask_any(dev, BSDPROC_WUNTRACED), failed(ECHILD));
	Wait w = ask_any(dev, kKinds);
	expect_says(w, exited(ended, 21));
	EXPECT_TRUE(collect(w));

	const pid_t child = resting_child();
	expect_says(ask_any(dev, kKinds), nothing());
	stop(child);
	expect_says(ask_any(dev, 0), nothing());
	expect_says(ask_any(dev, kKinds & ~BSDPROC_WUNTRACED), nothing());
	w = ask_any(dev, BSDPROC_WUNTRACED);
	expect_says(w, stopped(child, SIGSTOP));
	EXPECT_TRUE(collect(w));
	EXPECT_FALSE(collect(w));
	expect_says(ask_any(dev, kKinds), nothing());

	kill(child, SIGCONT);
	// Asleep, if need be, until it has gone on.
	expect_says(ask(dev, BSDPROC_P_ALL, 0, BSDPROC_WCONTINUED | BSDPROC_WNOWAIT),
		    continued(child));
	expect_says(ask_any(dev, kKinds & ~BSDPROC_WCONTINUED), nothing());
	w = ask_any(dev, kKinds);
	expect_says(w, continued(child));
	EXPECT_TRUE(collect(w));
	EXPECT_FALSE(collect(w));

	ASSERT_EQ(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
	kill(child, SIGUSR1);
	until_halted(child);
	expect_says(ask_any(dev, BSDPROC_WEXITED | BSDPROC_WCONTINUED), nothing());
	expect_says(ask_any(dev, BSDPROC_WUNTRACED), trapped(child, SIGUSR1));
	w = ask_any(dev, BSDPROC_WTRAPPED);
	expect_says(w, trapped(child, SIGUSR1));
	EXPECT_TRUE(collect(w));
	EXPECT_FALSE(collect(w));
	finish(child);
}

// What the pointers point to: usage, of the child itself and of its children, of an end
// alone; what waitid will fill is zero.
VM_TEST(WaitAbi, WhatThePointersPointTo)
{
	Device dev;
	const pid_t ended = zombie(22), halted = resting_child();
	stop(halted);
	for (uint32_t options : {BSDPROC_WEXITED, BSDPROC_WUNTRACED, BSDPROC_WCONTINUED})
		for (uint32_t more : {BSDPROC_WNOWAIT, 0u}) {
			Poisoned<int> status;
			Poisoned<struct rusage> ru;
			Poisoned<struct rusage[2]> wrusage;
			Poisoned<siginfo_t> info;
			Wait w = args_for(BSDPROC_P_ALL, 0, options | more | BSDPROC_WNOHANG);
			w.status = uintptr_t(status.get());
			w.rusage = uintptr_t(ru.get());
			w.wrusage = uintptr_t(wrusage.get());
			w.info = uintptr_t(info.get());
			ASSERT_EQ(dev(BSDPROC_WAIT, &w), 0);
			EXPECT_EQ(w.pid, options == BSDPROC_WEXITED     ? ended
					 : options == BSDPROC_WUNTRACED ? halted
									: 0);
			EXPECT_TRUE(status.is(w.xstat));
			siginfo_t none;
			memset(&none, 0, sizeof(none));
			EXPECT_TRUE(info.is(none));
			const struct rusage zero[2] = {};
			if (options == BSDPROC_WEXITED) {
				EXPECT_TRUE(is_usage(*ru.get()));
				EXPECT_TRUE(wrusage.fenced() && ru.fenced());
				EXPECT_EQ(memcmp(ru.get(), wrusage.get(), sizeof(zero[0])), 0);
				EXPECT_EQ(memcmp(*wrusage.get() + 1, zero, sizeof(zero[0])), 0);
			} else {
				EXPECT_TRUE(ru.is(zero[0]));
				EXPECT_TRUE(wrusage.is(zero));
			}
		}
	finish(halted);
}

VM_TEST(WaitAbi, Refused)
{
	Device dev;
	const pid_t ended = zombie(23);
	const uint32_t known =
		kKinds | BSDPROC_WNOHANG | BSDPROC_WNOWAIT | BSDPROC_WALL | BSDPROC_WLINUXCLONE;
	for (uint32_t idtype : {3u, 4u, 16u, 17u, 18u, 20u, 23u, 0xffffffffu})
		expect_says(ask(dev, idtype, 0, BSDPROC_WNOHANG), failed(EINVAL));
	for (int bit = 0; bit < 32; bit++)
		if (!(1u << bit & known))
			expect_says(ask_any(dev, 1u << bit), failed(EINVAL));
	expect_says(ask_any(dev, BSDPROC_WALL | BSDPROC_WLINUXCLONE), failed(EINVAL));
	for (int field = 0; field < 2; field++) {
		Wait w = args_for(BSDPROC_P_ALL, 0, BSDPROC_WNOHANG);
		(field ? w.reserved : w.flags) = 1;
		EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), EINVAL);
		EXPECT_EQ(w.pid, 0);
	}
	expect_says(ask_any(dev, 0), exited(ended, 23));
}

// Ids are as wide as the field is, and no more of them mean something than it says.
VM_TEST(WaitAbi, Ids)
{
	Device dev;
	const pid_t child = resting_child();
	const uint64_t high = uint64_t(1) << 32, all_ones = ~uint64_t(0);
	const struct {
		uint32_t idtype;
		uint64_t id;
		bool zero; // 0 is the caller's own
	} own[] = {
		{BSDPROC_P_PID, uint64_t(child), false},
		{BSDPROC_P_PGID, uint64_t(getpgrp()), true},
		{BSDPROC_P_SID, uint64_t(getsid(0)), true},
		{BSDPROC_P_UID, geteuid(), geteuid() == 0},
		{BSDPROC_P_GID, getegid(), getegid() == 0},
	};
	for (const auto &one : own) {
		SCOPED_TRACE(one.idtype);
		const uint32_t options = kKinds | BSDPROC_WNOHANG;
		expect_says(ask(dev, one.idtype, one.id, options), nothing());
		expect_says(ask(dev, one.idtype, one.id | high, options), failed(ECHILD));
		expect_says(ask(dev, one.idtype, 0, options),
			    one.zero ? nothing() : failed(ECHILD));
		for (uint64_t id : {all_ones, all_ones >> 32, all_ones >> 33, high, high << 31})
			expect_says(ask(dev, one.idtype, id, options), failed(ECHILD));
	}
	finish(child);
}

VM_TEST(WaitAbi, AllKindsOfChildren)
{
	Device dev;
	const pid_t clone = zombie(24, 0);
	expect_says(ask_any(dev, 0), failed(ECHILD));
	expect_says(ask_any(dev, BSDPROC_WLINUXCLONE), exited(clone, 24));
	Wait w = ask_any(dev, BSDPROC_WALL);
	expect_says(w, exited(clone, 24));
	EXPECT_TRUE(collect(w));
	const pid_t plain = zombie(25);
	expect_says(ask_any(dev, BSDPROC_WLINUXCLONE), failed(ECHILD));
	expect_says(ask_any(dev, BSDPROC_WALL), exited(plain, 25));
	const pid_t living = spawn_flags(0, []() -> int { rest(); });
	expect_says(ask(dev, BSDPROC_P_PID, uint64_t(living), BSDPROC_WALL | BSDPROC_WNOHANG),
		    nothing());
	native_reap(plain);
	expect_says(ask_any(dev, BSDPROC_WALL), nothing());
	stop(living);
	expect_says(ask_any(dev, BSDPROC_WALL | BSDPROC_WUNTRACED), stopped(living, SIGSTOP));
	finish(living);
}

// ---- claims ------------------------------------------------------------------------

// Who only looks holds nothing, whatever else he held; who takes an end does.
VM_TEST(WaitAbi, NoClaimOnWhatIsLeft)
{
	Device dev;
	const pid_t pid = zombie(26);
	const auto others_see = [&](const Want &want) {
		std::thread([&] { expect_says(ask_any(dev, BSDPROC_WNOWAIT), want); }).join();
	};
	expect_says(ask_any(dev, BSDPROC_WNOWAIT), exited(pid, 26));
	others_see(exited(pid, 26));
	expect_says(ask_any(dev, 0), exited(pid, 26));
	others_see(nothing());
	expect_says(ask_any(dev, BSDPROC_WNOWAIT), exited(pid, 26));
	others_see(exited(pid, 26));
}

// A claim hides the end from those, too, that would only look.
VM_TEST(WaitAbi, ClaimHidesFromWhoLooks)
{
	Device dev;
	const pid_t pid = zombie(27);
	expect_says(ask_any(dev, 0), exited(pid, 27));
	std::thread([&] {
		expect_says(ask_any(dev, BSDPROC_WNOWAIT), nothing());
		expect_says(
			ask(dev, BSDPROC_P_PID, uint64_t(pid), BSDPROC_WNOWAIT | BSDPROC_WNOHANG),
			nothing());
		expect_wait6(P_ALL, 0, WEXITED | WNOWAIT | WNOHANG, nothing());
	}).join();
	EXPECT_EQ(dev(BSDPROC_REAPED, nullptr), 0);
	std::thread([&] { expect_wait6(P_ALL, 0, WEXITED | WNOWAIT, exited(pid, 27)); }).join();
}

// Nobody claims a stop. Of those who were told of it one collects it.
VM_TEST(WaitAbi, AStopIsNotClaimed)
{
	Device dev;
	const pid_t pid = stopped_child();
	Wait mine = ask_any(dev, BSDPROC_WUNTRACED), other = {};
	std::thread([&] { other = ask_any(dev, BSDPROC_WUNTRACED); }).join();
	expect_says(mine, stopped(pid, SIGSTOP));
	expect_says(other, stopped(pid, SIGSTOP));
	EXPECT_EQ(mine.flags, 0u);
	std::thread([&] { EXPECT_TRUE(collect(other)); }).join();
	EXPECT_FALSE(collect(mine));
	expect_says(ask_any(dev, BSDPROC_WUNTRACED), nothing());
	finish(pid);
}

// Between being told and collecting it is another one, of the same kind or of none.
VM_TEST(WaitAbi, AStopThatIsOver)
{
	Device dev;
	const pid_t pid = stopped_child();
	Wait w = ask_any(dev, BSDPROC_WUNTRACED);
	kill(pid, SIGCONT);
	EXPECT_FALSE(collect(w));
	expect_says(ask_any(dev, BSDPROC_WUNTRACED), nothing());
	stop(pid);
	EXPECT_TRUE(collect(w));
	kill(pid, SIGCONT);
	w = ask_any(dev, BSDPROC_WCONTINUED);
	expect_says(w, continued(pid));
	stop(pid);
	EXPECT_FALSE(collect(w));
	w = ask_any(dev, BSDPROC_WUNTRACED);
	kill(pid, SIGKILL);
	native_peek(pid);
	EXPECT_FALSE(collect(w));
	expect_says(ask_any(dev, BSDPROC_WUNTRACED), failed(ECHILD));
	expect_says(ask_any(dev, BSDPROC_WUNTRACED | BSDPROC_WEXITED), killed(pid, SIGKILL));
}

// Who was told of a stop and dies before collecting it leaves it to the others.
VM_TEST(WaitAbi, WhoIsToldAndDiesLeavesIt)
{
	const pid_t pid = resting_child();
	for (int i = 0; i < rounds(50); i++) {
		stop(pid);
		std::thread([&] {
			Device dev;
			expect_says(ask_any(dev, BSDPROC_WUNTRACED), stopped(pid, SIGSTOP));
		}).join();
		expect_wait6(i & 1 ? P_ALL : P_PID, id_of(pid), WUNTRACED, stopped(pid, SIGSTOP));
		kill(pid, SIGCONT);
		std::thread([&] {
			Device dev;
			expect_says(ask_any(dev, BSDPROC_WCONTINUED), continued(pid));
		}).join();
		expect_wait6(i & 1 ? P_ALL : P_PID, id_of(pid), WCONTINUED, continued(pid));
	}
	finish(pid);
}

// The same with others asleep already, who are awake as soon as the careless one.
VM_TEST(WaitAbi, WhoIsToldAndDiesLeavesItToSleepers)
{
	const pid_t pid = resting_child();
	for (int i = 0; i < rounds(50); i++) {
		std::atomic<pid_t> tid{0};
		std::atomic<bool> over{false};
		std::thread sleeper([&] {
			tid = gettid_raw();
			expect_wait6(i & 1 ? P_ALL : P_PID, id_of(pid), WUNTRACED,
				     stopped(pid, SIGSTOP));
			over = true;
		});
		while (tid == 0)
			sched_yield();
		until_waiting(tid);
		std::thread careless([&] {
			Device dev;
			while (!over && ask_any(dev, BSDPROC_WUNTRACED).pid == 0)
				sched_yield();
		});
		kill(pid, SIGSTOP);
		careless.join();
		sleeper.join();
		kill(pid, SIGCONT);
		expect_wait6(P_ALL, 0, WCONTINUED, continued(pid));
	}
	finish(pid);
}
