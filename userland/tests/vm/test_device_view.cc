// SPDX-License-Identifier: BSD-2-Clause
// LIST and GETPROC: what they show, of whom, and to whom.
#include "vm_device.h"
#include "vm_test.h"

#include <grp.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr uid_t kNobody = 65534, kSomebody = 65533;

std::vector<int32_t> list(const Device &dev)
{
	std::vector<int32_t> pids(64);
	for (;;) {
		struct bsdproc_list l = {};
		l.pids = reinterpret_cast<uint64_t>(pids.data());
		l.room = static_cast<uint32_t>(pids.size());
		if (dev(BSDPROC_LIST, &l) != 0)
			return {};
		if (l.count <= l.room) {
			pids.resize(l.count);
			return pids;
		}
		pids.resize(l.count * 2);
	}
}

bool listed(const std::vector<int32_t> &pids, pid_t pid)
{
	return std::count(pids.begin(), pids.end(), pid) == 1;
}

bool all_zero(const struct bsdproc_rusage &ru)
{
	struct bsdproc_rusage zero = {};
	return memcmp(&ru, &zero, sizeof(ru)) == 0;
}

void become(uid_t uid)
{
	if (setgroups(0, nullptr) != 0 || setgid(uid) != 0 || setuid(uid) != 0)
		die("setuid");
}

int worker(int code)
{
	native_reap(spawn([] { return 0; }));
	return code;
}

} // namespace

VM_TEST(DeviceView, List)
{
	Device dev;
	Tokens go;
	pid_t living = spawn([&] {
		go.take();
		return 0;
	});
	pid_t zombie = spawn([] { return 0; });
	native_peek(zombie);
	auto pids = list(dev);
	for (pid_t pid : {getpid(), getppid(), living, zombie, 1})
		EXPECT_TRUE(listed(pids, pid)) << pid;
	EXPECT_EQ(std::count(pids.begin(), pids.end(), 0), 0);
	// Each once, the lowest first.
	EXPECT_EQ(std::adjacent_find(pids.begin(), pids.end(), std::greater_equal()), pids.end());
	native_reap(zombie);
	go.give();
	native_reap(living);
	pids = list(dev);
	EXPECT_FALSE(listed(pids, zombie));
	EXPECT_FALSE(listed(pids, living));
}

// Another thread becomes the leader, with its number, while somebody makes the list.
VM_TEST(DeviceView, ListedThroughoutExecs)
{
	Device dev;
	const std::string target = sibling("exec_target");
	// Before LIST went by numbers, one look in 200 missed it; an exec is good for 20.
	const std::string times = std::to_string(std::max(rounds(200), 100));
	const pid_t pid = spawn([&] {
		execl(target.c_str(), "exec_target", "again", times.c_str(), nullptr);
		return 99;
	});
	int looks = 0, missed = 0;
	for (siginfo_t info{}; !info.si_pid; looks++) {
		missed += !listed(list(dev), pid);
		ASSERT_EQ(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	}
	EXPECT_EQ(missed, 0) << "of " << looks;
	EXPECT_EQ(native_reap(pid), 0);
}

VM_TEST(DeviceView, ListWithTooLittleRoom)
{
	Device dev;
	int32_t pids[8];
	for (uint32_t room = 0; room < 4; room++) {
		std::fill(std::begin(pids), std::end(pids), -7);
		struct bsdproc_list l = {};
		l.pids = reinterpret_cast<uint64_t>(pids);
		l.room = room;
		ASSERT_EQ(dev(BSDPROC_LIST, &l), 0);
		EXPECT_GT(l.count, room);
		for (uint32_t i = 0; i < 8; i++) {
			EXPECT_EQ(pids[i] == -7, i >= room);
		}
	}
	struct bsdproc_list l = {};
	EXPECT_EQ(dev(BSDPROC_LIST, &l), 0);
	EXPECT_GT(l.count, 2u);
	l.room = 4;
	l.pids = 16;
	EXPECT_ERRNO(dev(BSDPROC_LIST, &l), EFAULT);
	l.room = 0xffffffff;
	l.pids = 16;
	EXPECT_EQ(dev(BSDPROC_LIST, &l), -1);
}

VM_TEST(DeviceView, NobodyThere)
{
	Device dev;
	pid_t gone = spawn([] { return 0; });
	native_reap(gone);
	for (pid_t pid : {gone, -1, -2, -getpid(), static_cast<pid_t>(0x80000000), 0x7fffffff})
		EXPECT_EQ(get_proc(dev, pid).error, ESRCH) << pid;
}

VM_TEST(DeviceView, KernelThread)
{
	if (slurp("/proc/2/comm") != "kthreadd\n")
		GTEST_SKIP() << "no kernel thread is in sight here";
	Device dev;
	EXPECT_EQ(get_proc(dev, 2).error, ESRCH);
	EXPECT_FALSE(listed(list(dev), 2));
}

VM_TEST(DeviceView, ThreadIsNotAProcess)
{
	Device dev;
	std::atomic<pid_t> tid{0};
	Tokens end;
	std::thread thread([&] {
		tid = gettid_raw();
		end.take();
	});
	while (tid == 0)
		sched_yield();
	EXPECT_EQ(get_proc(dev, tid).error, ESRCH);
	EXPECT_FALSE(listed(list(dev), tid));
	end.give();
	thread.join();
}

VM_TEST(DeviceView, Self)
{
	Device dev;
	ASSERT_EQ(setpgid(0, 0), 0);
	Proc proc = get_proc(dev, 0);
	ASSERT_EQ(proc.error, 0);
	EXPECT_EQ(proc.k.pid, getpid());
	EXPECT_EQ(proc.k.ppid, getppid());
	EXPECT_EQ(proc.k.pgid, getpgrp());
	EXPECT_EQ(proc.k.sid, getsid(0));
	EXPECT_EQ(proc.k.stat, unsigned(BSDPROC_SACTIVE));
	EXPECT_EQ(proc.k.nthreads, 1u);
	EXPECT_EQ(proc.k.nlwps, 1u);
	EXPECT_EQ(proc.k.nchildren, 0u);
	EXPECT_EQ(proc.k.sigparent, SIGCHLD);
	EXPECT_EQ(proc.k.ruid, getuid());
	EXPECT_EQ(proc.k.egid, getegid());
	EXPECT_EQ(proc.k.vmsharers, 1u);
	ASSERT_EQ(proc.lwps.size(), 1u);
	EXPECT_EQ(proc.lwps[0].lwpid, 1);
	EXPECT_EQ(proc.lwps[0].tid, gettid_raw());
	EXPECT_EQ(proc.lwps[0].stat, unsigned(BSDPROC_LSRUN));
	EXPECT_EQ(proc.lwps[0].flags, unsigned(BSDPROC_LWP_MAIN));
	EXPECT_EQ(slurp("/proc/self/comm"), std::string(proc.k.comm) + "\n");
}

VM_TEST(DeviceView, ChildrenAndZombies)
{
	Device dev;
	Tokens go, there;
	pid_t living = spawn([&] {
		setsid();
		there.give();
		go.take();
		return 0;
	});
	pid_t zombie = spawn([] { return worker(9); });
	native_peek(zombie);
	there.take();
	Proc self = get_proc(dev, 0);
	EXPECT_EQ(self.k.nchildren, 2u);
	EXPECT_EQ(self.k.nzombies, 1u);
	Proc child = get_proc(dev, living);
	EXPECT_EQ(child.k.ppid, getpid());
	EXPECT_EQ(child.k.sid, living);
	EXPECT_EQ(child.k.pgid, living);
	Proc dead = get_proc(dev, zombie);
	EXPECT_EQ(dead.k.stat, unsigned(BSDPROC_SZOMB));
	EXPECT_EQ(dead.k.xstat, 9 << 8);
	EXPECT_EQ(dead.k.nthreads, 0u);
	EXPECT_GT(dead.k.ru.minflt, 0u);
	EXPECT_GT(dead.k.cru.minflt, 0u);
	uint64_t before = self.k.cru.minflt;
	EXPECT_EQ(bsd_wait4(zombie, nullptr, 0, nullptr), zombie);
	self = get_proc(dev, 0);
	EXPECT_EQ(self.k.cru.minflt - before, dead.k.ru.minflt + dead.k.cru.minflt);
	EXPECT_EQ(self.k.nchildren, 1u);
	EXPECT_EQ(self.k.nzombies, 0u);
	go.give();
	native_reap(living);
}

VM_TEST(DeviceView, LwpsWithTooLittleRoom)
{
	Device dev;
	Tokens end;
	std::atomic<int> started{0};
	std::vector<std::thread> threads;
	for (int t = 0; t < 5; t++)
		threads.emplace_back([&] {
			started++;
			end.take();
		});
	while (started < 5)
		sched_yield();
	struct bsdproc_klwp lwps[8];
	for (uint32_t room = 0; room <= 8; room++) {
		memset(lwps, 0x33, sizeof(lwps));
		struct bsdproc_getproc g = {};
		g.room = room;
		g.lwps = reinterpret_cast<uint64_t>(lwps);
		ASSERT_EQ(dev(BSDPROC_GETPROC, &g), 0);
		EXPECT_EQ(g.kproc.nlwps, 6u);
		EXPECT_EQ(g.kproc.nthreads, 6u);
		for (uint32_t i = 0; i < 8; i++) {
			EXPECT_EQ(lwps[i].lwpid != 0x33333333, i < std::min(room, 6u));
		}
	}
	struct bsdproc_getproc g = {};
	g.room = 6;
	g.lwps = 16;
	EXPECT_ERRNO(dev(BSDPROC_GETPROC, &g), EFAULT);
	end.give(5);
	for (auto &thread : threads)
		thread.join();
}

// A stranger sees who is there, not how it fares.
VM_TEST(DeviceView, StrangersUsageAndStatus)
{
	Tokens look, looked;
	pid_t zombie = spawn([] { return worker(9); });
	native_peek(zombie);
	for (uid_t uid : {uid_t(0), kNobody}) {
		pid_t viewer = spawn([&] {
			become(uid);
			Device dev;
			Proc proc = get_proc(dev, zombie);
			Proc parent = get_proc(dev, getppid());
			if (proc.error || parent.error || proc.k.pid != zombie ||
			    proc.k.stat != BSDPROC_SZOMB)
				return 1;
			bool hidden = proc.k.xstat == 0 && all_zero(proc.k.ru) &&
				      all_zero(proc.k.cru) && all_zero(parent.k.ru);
			bool shown = proc.k.xstat == 9 << 8 && !all_zero(proc.k.ru) &&
				     !all_zero(proc.k.cru) && !all_zero(parent.k.ru);
			return (uid == 0 ? shown : hidden) ? 0 : 2;
		});
		EXPECT_EQ(native_reap(viewer), 0) << "uid " << uid;
	}
	native_reap(zombie);
}

VM_TEST(DeviceView, OnesOwnWithoutPrivilege)
{
	pid_t viewer = spawn([] {
		become(kNobody);
		pid_t zombie = spawn([] { return worker(9); });
		native_peek(zombie);
		Device dev;
		Proc proc = get_proc(dev, zombie);
		Proc self = get_proc(dev, 0);
		if (proc.error || self.error)
			return 1;
		if (proc.k.xstat != 9 << 8 || proc.k.ru.minflt == 0)
			return 2;
		if (self.k.ru.minflt == 0 || self.k.ruid != kNobody)
			return 3;
		int status = -1;
		if (bsd_wait4(zombie, &status, 0, nullptr) != zombie || status != 9 << 8)
			return 4;
		return 0;
	});
	EXPECT_EQ(native_reap(viewer), 0);
}

// A child that has become another user is still its parent's to wait for.
VM_TEST(DeviceView, WaitForAChildOfAnotherUser)
{
	pid_t parent = spawn([] {
		pid_t child = spawn([] {
			become(kSomebody);
			return 9;
		});
		if (setresuid(kNobody, kNobody, kNobody) != 0)
			return 1;
		Device dev;
		int status = -1;
		struct bsdproc_wait w = claim(dev, child);
		if (w.pid != child || w.xstat != 9 << 8 || w.uid != kSomebody)
			return 2;
		return bsd_wait4(child, &status, 0, nullptr) == child && status == 9 << 8 ? 0 : 3;
	});
	EXPECT_EQ(native_reap(parent), 0);
}

// LIST and GETPROC while everything moves: each answer hangs together.
VM_TEST(DeviceView, WhileEverythingMoves)
{
	std::atomic<bool> end{false};
	std::thread forker([&] {
		for (int i = 0; i < rounds(300); i++)
			native_reap(spawn([] {
				std::thread([] {}).join();
				return 0;
			}));
		end = true;
	});
	Device dev;
	int wrong = 0;
	do {
		for (pid_t pid : list(dev)) {
			Proc proc = get_proc(dev, pid);
			if (proc.error) {
				wrong += proc.error != ESRCH;
				continue;
			}
			wrong += proc.k.pid != pid || proc.k.stat < BSDPROC_SIDL ||
				 proc.k.stat > BSDPROC_SZOMB || proc.k.nthreads > proc.k.nlwps;
			for (auto &lwp : proc.lwps)
				wrong += lwp.lwpid < 1 || lwp.tid < 1 || lwp.stat < BSDPROC_LSRUN ||
					 lwp.stat > BSDPROC_LSZOMB;
		}
	} while (!end);
	forker.join();
	EXPECT_EQ(wrong, 0);
}
