// SPDX-License-Identifier: BSD-2-Clause
// Variant symbols: levels and their order, what is not taken, fork, exec and exit, and all of
// it at once.
#include "vm_device.h"
#include "vm_thread.h"
#include "vm_varsym.h"

#include <thread>
#include <vector>

using namespace vm;

VM_TEST(Varsym, ProcessBeforeUserBeforeSystem)
{
	Clean clean;
	EXPECT_EQ(get("test"), "?" + std::to_string(ENOENT));
	set("test", "sys", VARSYM_SYS);
	EXPECT_EQ(get("test"), "sys");
	set("test", "user", VARSYM_USER);
	EXPECT_EQ(get("test"), "user");
	set("test", "proc");
	EXPECT_EQ(get("test"), "proc");
	EXPECT_EQ(get("test", VARSYM_SYS_MASK), "sys");
	EXPECT_EQ(get("test", VARSYM_USER_MASK | VARSYM_SYS_MASK), "user");
	EXPECT_EQ(list(), "test=proc");
	EXPECT_EQ(list(VARSYM_USER), "test=user");
	EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, "test", nullptr), 0);
	EXPECT_EQ(get("test"), "user");
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "test", nullptr), ENOENT);
}

VM_TEST(Varsym, ShortBuffers)
{
	set("test", "value");
	char buf[8];
	memset(buf, 'x', sizeof(buf));
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, 0), 6);
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", nullptr, 0), 6);
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, -1), 6);
	EXPECT_EQ(std::string(buf, 8), "xxxxxxxx");
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, 5), 6);
	EXPECT_EQ(std::string(buf, 8), std::string("\0xxxxxxx", 8));
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, 6), 6);
	EXPECT_EQ(std::string(buf, 8), std::string("value\0xx", 8));
	// A list is whole symbols.
	set("b", "2");
	int marker = 0;
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, buf, -1, &marker), EOVERFLOW);
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, buf, 8, &marker), EOVERFLOW);
	EXPECT_EQ(marker, 0);
	char more[14];
	EXPECT_EQ(bsd_varsym_list(VARSYM_PROC, more, sizeof(more), &marker), 11);
	EXPECT_EQ(std::string(more, 11), std::string("test\0value\0", 11));
	EXPECT_EQ(marker, 1);
	EXPECT_EQ(bsd_varsym_list(VARSYM_PROC, more, sizeof(more), &marker), 4);
	EXPECT_EQ(marker, -1);
}

VM_TEST(Varsym, WhatIsNotTaken)
{
	char buf[16];
	int marker = 0;
	for (int level : {-1, 0, 4, 5}) {
		EXPECT_ERRNO(bsd_varsym_set(level, "a", "b"), EINVAL);
		EXPECT_ERRNO(bsd_varsym_list(level, buf, sizeof(buf), &marker), EINVAL);
	}
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK | 1, "a", buf, sizeof(buf)), EINVAL);
	EXPECT_ERRNO(bsd_varsym_get(1 << 4, "a", buf, sizeof(buf)), EINVAL);
	EXPECT_ERRNO(bsd_varsym_get(0, "a", buf, sizeof(buf)), ENOENT);

	const std::string name(MAXVARSYM_NAME - 1, 'n'), data(MAXVARSYM_DATA - 1, 'd');
	EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, name.c_str(), data.c_str()), 0);
	EXPECT_EQ(get(name.c_str()), data);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, (name + "n").c_str(), ""), ENAMETOOLONG);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "a", (data + "d").c_str()), ENAMETOOLONG);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, (name + "n").c_str(), buf, sizeof(buf)),
		     ENAMETOOLONG);

	Device dev;
	struct bsdproc_varsym_set s = {VARSYM_PROC, 1, uintptr_t("a"), 0};
	EXPECT_ERRNO(dev(BSDPROC_VARSYM_SET, &s), EINVAL);
	struct bsdproc_varsym_get g = {VARSYM_PROC_MASK, 0, uintptr_t("a"), 0, 0, 1};
	EXPECT_ERRNO(dev(BSDPROC_VARSYM_GET, &g), EINVAL);
}

VM_TEST(Varsym, BadAddresses)
{
	char *pages = static_cast<char *>(
		mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	munmap(pages + 4096, 4096);
	char *edge = pages + 4096, *bad = edge;
	char buf[64];
	int marker = 0;
	set("test", "value");
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, nullptr, "b"), EFAULT);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, bad, "b"), EFAULT);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "test", bad), EFAULT);
	edge[-1] = 'a'; // goes on where nothing is
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "test", edge - 1), EFAULT);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, edge - 1, buf, sizeof(buf)), EFAULT);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, "test", edge - 5, 6), EFAULT);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, "test", nullptr, 1), EFAULT);
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, edge - 10, 64, &marker), EFAULT);
	EXPECT_EQ(marker, 0);
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, buf, sizeof(buf), nullptr), EFAULT);
	EXPECT_EQ(list(), "test=value");
	// Just before it all is well.
	edge[-1] = 0;
	set(edge - 1, "nameless");
	EXPECT_EQ(get(""), "nameless");
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", edge - 6, 6), 6);
	EXPECT_STREQ(edge - 6, "value");
}

VM_TEST(Varsym, TheLimitOfALevel)
{
	const std::string data(MAXVARSYM_DATA - 1, 'd');
	int n = 0;
	while (bsd_varsym_set(VARSYM_PROC, ("s" + std::to_string(100 + n)).c_str(), data.c_str()) ==
	       0)
		n++;
	EXPECT_EQ(errno, E2BIG);
	EXPECT_EQ(n, (MAXVARSYM_SET + 314) / 315); // 56 + 4 + 255
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "", ""), E2BIG);
	const std::string all = list();
	in_child([&] {
		EXPECT_EQ(list(), all);
		EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "", ""), E2BIG);
		EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, "s100", nullptr), 0);
		set("", "");
	});
	EXPECT_EQ(list(), all);
}

// ---- lives ----------------------------------------------------------------------------

VM_TEST(Varsym, InheritedByEachKindOfFork)
{
	set("test", "1");
	const auto expect_and_change = [] {
		const bool right = list() == "test=1";
		bsd_varsym_set(VARSYM_PROC, "test", "child's");
		return right && list() == "test=child's" ? 0 : 1;
	};
	EXPECT_EQ(native_reap(spawn(expect_and_change)), 0);
	EXPECT_EQ(native_reap(spawn_flags(0, expect_and_change)), 0);
	EXPECT_EQ(native_reap(spawn_vfork(expect_and_change)), 0);
	EXPECT_EQ(list(), "test=1");
	// By a thread, which is gone when the child looks.
	Shared<std::atomic<pid_t>> child;
	Tokens gone;
	std::thread([&] {
		*child = spawn([&] {
			gone.take();
			return list() == "test=1" ? 0 : 1;
		});
	}).join();
	gone.give();
	EXPECT_EQ(native_reap(*child), 0);
}

// With CLONE_PARENT the maker is not the parent.
VM_TEST(Varsym, InheritedFromTheMaker)
{
	set("test", "parent");
	Shared<std::atomic<pid_t>> sibling;
	in_child([&] {
		set("test", "maker");
		*sibling = spawn_flags(CLONE_PARENT | SIGCHLD,
				       [] { return list() == "test=maker" ? 0 : 1; });
	});
	EXPECT_EQ(native_reap(*sibling), 0);
	EXPECT_EQ(list(), "test=parent");
}

VM_TEST(Varsym, KeptByExec)
{
	const std::string tool = sibling("../bin/bsdvarsym");
	set("test", "kept");
	const std::string command = "test \"$('" + tool + "' -p -q test)\" = kept";
	EXPECT_EQ(native_reap(spawn([&] {
			  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
			  return 9;
		  })),
		  0);
	// By a thread that does not lead.
	EXPECT_EQ(native_reap(spawn([&] {
			  std::thread([&] {
				  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
			  }).join();
			  return 9;
		  })),
		  0);
}

// ---- all at once ------------------------------------------------------------------------

// Threads set, delete and list while others fork; no child sees half of anything, and none
// of what its relatives do after its birth.
VM_TEST(Varsym, ThreadsAtOnce)
{
	std::atomic<bool> stop{false};
	std::vector<std::thread> threads;
	set("base", "0");
	for (int t = 0; t < 3; t++)
		threads.emplace_back([&, t] {
			const std::string name = "t" + std::to_string(t);
			for (unsigned i = 0; !stop; i++) {
				const std::string value(i % 200, char('a' + t));
				set(name.c_str(), value.c_str());
				EXPECT_EQ(get(name.c_str()), value);
				EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, name.c_str(), nullptr), 0);
			}
		});
	threads.emplace_back([&] {
		while (!stop)
			EXPECT_NE(list().find("base=0"), std::string::npos);
	});
	for (int i = rounds(200); i > 0; i--) {
		const auto child = [&] {
			const std::string mine = list();
			bsd_varsym_set(VARSYM_PROC, "own", "1");
			if (mine.find("base=0") == std::string::npos)
				return 1;
			return list() == mine + " own=1" ? 0 : 2;
		};
		EXPECT_EQ(native_reap(i % 3 ? spawn(child) : spawn_vfork(child)), 0);
	}
	stop = true;
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(list(), "base=0");
}

// What several processes of a user set at once is all there.
VM_TEST(Varsym, ProcessesOfAUserAtOnce)
{
	ASSERT_EQ(seteuid(kOther), 0);
	const int n = 4, times = rounds(100);
	std::vector<pid_t> pids;
	for (int p = 0; p < n; p++)
		pids.push_back(spawn([p, times] {
			const std::string name = "p" + std::to_string(p);
			for (int i = 0; i < times; i++) {
				if (bsd_varsym_set(VARSYM_USER, name.c_str(),
						   std::to_string(i).c_str()) != 0)
					return 1;
				if (get(name.c_str(), VARSYM_USER_MASK) != std::to_string(i))
					return 2;
			}
			return 0;
		}));
	for (pid_t pid : pids)
		EXPECT_EQ(native_reap(pid), 0);
	for (int p = 0; p < n; p++) {
		const std::string name = "p" + std::to_string(p);
		EXPECT_EQ(get(name.c_str(), VARSYM_USER_MASK), std::to_string(times - 1));
		EXPECT_EQ(bsd_varsym_set(VARSYM_USER, name.c_str(), nullptr), 0);
	}
	EXPECT_EQ(list(VARSYM_USER), "");
}

// ---- nothing is left --------------------------------------------------------------------

namespace
{

// Sets that are as large as can be are in these. -1: this kernel does not tell.
long large_objects()
{
	long sum = -1;
	for (const char *cache : {"kmalloc-8k", "kmalloc-cg-8k"}) {
		const std::string dir = std::string("/sys/kernel/slab/") + cache + "/";
		const int fd = open((dir + "shrink").c_str(), O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, "1", 1) != 1)
			die("shrink");
		close(fd);
		sum = (sum < 0 ? 0 : sum) + atol(slurp(dir + "objects").c_str());
	}
	return sum;
}

void fill(int first)
{
	const std::string data(MAXVARSYM_DATA - 1, 'd'), pad(MAXVARSYM_NAME - 5, 'n');
	while (bsd_varsym_set(VARSYM_PROC, (pad + std::to_string(first)).c_str(), data.c_str()) ==
	       0)
		first++;
	EXPECT_EQ(errno, E2BIG);
}

} // namespace

// Each child has the maker's set, then one of its own, and dies by whatever.
VM_TEST(Varsym, FreedWhenTheirProcessesEnd)
{
	const long before = large_objects();
	if (before < 0)
		GTEST_SKIP() << "no /sys/kernel/slab here";
	const int n = rounds(200);
	fill(1000);
	std::vector<pid_t> pids;
	Tokens changed, go;
	for (int i = 0; i < n; i++)
		pids.push_back(spawn([&, i] {
			if (i % 2)
				bsd_varsym_set(VARSYM_PROC, "", nullptr);
			if (i % 4) {
				char name[16];
				snprintf(name, sizeof(name), "%d", i);
				bsd_varsym_set(VARSYM_PROC, ("n" + std::string(name)).c_str(), "");
				const std::string first = list().substr(0, MAXVARSYM_NAME - 1);
				bsd_varsym_set(VARSYM_PROC, first.c_str(), nullptr);
				if (list().size() < 4096)
					return 1;
			}
			changed.give();
			go.take();
			return 0;
		}));
	changed.take(n);
	const long during = large_objects();
	EXPECT_GE(during, before + n * 3 / 4 - 64);
	EXPECT_LE(during, before + n + 64); // a quarter share their maker's
	for (int i = 0; i < n; i += 3)
		kill(pids[i], SIGKILL);
	go.give(n);
	for (int i = 0; i < n; i++)
		native_peek(pids[i]);
	// They are zombies, all of them, and have none any more.
	EXPECT_LE(large_objects(), before + 64);
	for (pid_t pid : pids)
		native_reap(pid);
}

VM_TEST(Varsym, ThousandsOfForksShareOneSet)
{
	const long before = large_objects();
	if (before < 0)
		GTEST_SKIP() << "no /sys/kernel/slab here";
	const int n = rounds(2000);
	fill(1000);
	const std::string all = list();
	for (int i = 0; i < n;) {
		std::vector<pid_t> pids;
		Tokens come, go;
		for (int j = 0; j < 250 && i < n; j++, i++)
			pids.push_back(spawn([&] {
				const bool right = list() == all;
				come.give();
				go.take();
				return right ? 0 : 1;
			}));
		come.take(static_cast<int>(pids.size()));
		EXPECT_LE(large_objects(), before + 64);
		go.give(static_cast<int>(pids.size()));
		for (pid_t pid : pids)
			EXPECT_EQ(native_reap(pid), 0);
	}
}
