// SPDX-License-Identifier: BSD-2-Clause
// EXTEXIT_SETINT: where the int may be, that all of it arrives, and that nobody dies of a
// bad address.
#include "vm_test.h"
#include "vm_thread.h"

#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr int kLwp = EXTEXIT_LWP | EXTEXIT_SETINT;
constexpr int kProc = EXTEXIT_PROC | EXTEXIT_SETINT;
constexpr int kMark = 0x12345678;
const long kPage = sysconf(_SC_PAGESIZE);

char *map_pages(int pages, int prot, int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1)
{
	void *p = mmap(nullptr, static_cast<size_t>(pages * kPage), prot, flags, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return static_cast<char *>(p);
}

int load(const void *at)
{
	int value;
	memcpy(&value, at, sizeof(value));
	return value;
}

int load_volatile(const void *at)
{
	__asm__ volatile("" ::: "memory");
	return load(at);
}

void until_stored(const void *at, int value)
{
	while (load_volatile(at) != value)
		sched_yield();
}

void end_thread(void *at, int value = kMark, int how = kLwp)
{
	std::thread([=] {
		bsd_extexit(how, value, at);
		_exit(90);
	}).detach();
}

void expect_end(pid_t pid, int want)
{
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, want);
}

} // namespace

VM_TEST(ExtexitSetint, BadAddresses)
{
	char *none = map_pages(1, PROT_NONE);
	char *readable = map_pages(1, PROT_READ);
	char *pair = map_pages(2, PROT_READ | PROT_WRITE);
	char *mixed = map_pages(2, PROT_READ | PROT_WRITE);
	ASSERT_EQ(munmap(pair + kPage, static_cast<size_t>(kPage)), 0);
	ASSERT_EQ(mprotect(mixed + kPage, static_cast<size_t>(kPage), PROT_READ), 0);
	memset(pair, 0x33, static_cast<size_t>(kPage));
	memset(mixed, 0x33, static_cast<size_t>(kPage));

	const uintptr_t bad[] = {
		0,
		1,
		8,
		reinterpret_cast<uintptr_t>(none),
		reinterpret_cast<uintptr_t>(readable),
		reinterpret_cast<uintptr_t>(pair + kPage),
		reinterpret_cast<uintptr_t>(pair + kPage - 1),
		reinterpret_cast<uintptr_t>(pair + kPage - 3),
		reinterpret_cast<uintptr_t>(mixed + kPage - 2),
		0x00007fffffffeffful,
		0x0000800000000000ul,
		0x8000000000000000ul,
		0xffff888000000000ul,
		0xffffffff81000000ul,
		~0ul,
		~0ul - 3,
	};
	// With and without a thread beside us: the check is not where the verdict is.
	for (int round = 0; round < 2; round++) {
		for (uintptr_t at : bad)
			for (int how : {kLwp, kProc})
				EXPECT_ERRNO(bsd_extexit(how, kMark, reinterpret_cast<void *>(at)),
					     EFAULT);
		if (round == 0)
			std::thread([] {
				for (;;)
					pause();
			}).detach();
	}
	for (long i = kPage - 8; i < kPage; i++) {
		EXPECT_EQ(pair[i], 0x33);
		EXPECT_EQ(mixed[i], 0x33);
	}
	EXPECT_EQ(load(readable), 0);
}

VM_TEST(ExtexitSetint, RefusedProcessEndsAsItWishes)
{
	pid_t pid = spawn([] {
		std::thread([] {
			if (bsd_extexit(kProc, 5, reinterpret_cast<void *>(8)) != -1 ||
			    errno != EFAULT)
				_exit(91);
		}).join();
		return 7;
	});
	expect_end(pid, 7 << 8);
}

VM_TEST(ExtexitSetint, AllOfTheInt)
{
	volatile int mark = 0;
	for (int value : {kMark, -1, 1, 256, static_cast<int>(0x80000000), 0x01000000, 0}) {
		mark = ~value;
		end_thread(const_cast<int *>(&mark), value);
		until_stored(const_cast<int *>(&mark), value);
	}
}

VM_TEST(ExtexitSetint, OnlyTheInt)
{
	alignas(8) char area[24];
	for (int at = 4; at < 12; at++) {
		memset(area, 0x33, sizeof(area));
		end_thread(area + at);
		until_stored(area + at, kMark);
		for (int i = 0; i < 24; i++)
			if (i < at || i >= at + 4) {
				EXPECT_EQ(area[i], 0x33) << i;
			}
	}
}

VM_TEST(ExtexitSetint, AcrossPages)
{
	char *p = map_pages(2, PROT_READ | PROT_WRITE);
	for (int back = 1; back < 4; back++) {
		memset(p + kPage - 8, 0, 16);
		end_thread(p + kPage - back);
		until_stored(p + kPage - back, kMark);
		EXPECT_EQ(p[kPage - back - 1], 0);
		EXPECT_EQ(p[kPage - back + 4], 0);
	}
}

// Pages that nobody has touched: private, of a file, and shared with a fork's copy.
VM_TEST(ExtexitSetint, UntouchedPages)
{
	char *p = map_pages(3, PROT_READ | PROT_WRITE);
	end_thread(p);
	until_stored(p, kMark);
	end_thread(p + 2 * kPage - 2);
	until_stored(p + 2 * kPage - 2, kMark);
}

VM_TEST(ExtexitSetint, PrivateCopyAfterFork)
{
	char *p = map_pages(1, PROT_READ | PROT_WRITE);
	p[0] = 1;
	Tokens look, looked;
	pid_t pid = spawn([&] {
		look.take();
		return load(p) == 1 ? 0 : 1;
	});
	end_thread(p);
	until_stored(p, kMark);
	look.give();
	expect_end(pid, 0);
}

VM_TEST(ExtexitSetint, SharedFile)
{
	char name[] = "/tmp/bsdproc-setint-XXXXXX";
	int fd = mkstemp(name);
	ASSERT_GE(fd, 0);
	unlink(name);
	ASSERT_EQ(ftruncate(fd, 2 * kPage), 0);
	char *p = map_pages(2, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	end_thread(p + 100);
	until_stored(p + 100, kMark);
	end_thread(p + kPage - 2, kMark + 1);
	until_stored(p + kPage - 2, kMark + 1);
	int in_file = 0;
	EXPECT_EQ(pread(fd, &in_file, 4, 100), 4);
	EXPECT_EQ(in_file, kMark);
	EXPECT_EQ(pread(fd, &in_file, 4, kPage - 2), 4);
	EXPECT_EQ(in_file, kMark + 1);
	close(fd);
}

// Beyond the end of the file there is no page to store to.
VM_TEST(ExtexitSetint, BeyondTheFile)
{
	char name[] = "/tmp/bsdproc-setint-XXXXXX";
	int fd = mkstemp(name);
	ASSERT_GE(fd, 0);
	unlink(name);
	ASSERT_EQ(ftruncate(fd, 1), 0);
	char *p = map_pages(2, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	EXPECT_ERRNO(bsd_extexit(kLwp, kMark, p + kPage), EFAULT);
	EXPECT_ERRNO(bsd_extexit(kProc, kMark, p + kPage), EFAULT);
	close(fd);
}

VM_TEST(ExtexitSetint, ProcessStoresAtOnce)
{
	Shared<std::atomic<int>> mark;
	for (int how : {kProc, kLwp}) {
		*mark = 0;
		pid_t pid = spawn([&] {
			bsd_extexit(how, kMark, &*mark);
			return 90;
		});
		expect_end(pid, exit_status(kMark));
		EXPECT_EQ(*mark, kMark);
	}
}

VM_TEST(ExtexitSetint, ProcessFromAnotherThread)
{
	Shared<std::atomic<int>> mark;
	pid_t pid = spawn([&] {
		end_thread(&*mark, 0x155, kProc);
		for (;;)
			pause();
		return 90;
	});
	expect_end(pid, 0x55 << 8);
	EXPECT_EQ(*mark, 0x155);
}

// The leader is a zombie without memory of its own; others still have it.
VM_TEST(ExtexitSetint, LeaderEndedBefore)
{
	Shared<std::atomic<int>> mark;
	for (int i = 0; i < rounds(30); i++) {
		*mark = 0;
		pid_t pid = spawn([&] {
			pid_t leader = gettid_raw();
			std::thread([&, leader] {
				until_state(leader, 'Z');
				end_thread(&*mark);
				until_stored(&*mark, kMark);
				bsd_extexit(EXTEXIT_LWP, 33, nullptr);
				_exit(91);
			}).detach();
			bsd_extexit(EXTEXIT_LWP, 1, nullptr);
			return 92;
		});
		expect_end(pid, 33 << 8);
		ASSERT_EQ(*mark, kMark);
	}
}

VM_TEST(ExtexitSetint, LeaderItself)
{
	Shared<std::atomic<int>> mark;
	pid_t pid = spawn([&] {
		pid_t leader = gettid_raw();
		std::thread([&, leader] {
			until_stored(&*mark, kMark);
			until_state(leader, 'Z');
			_exit(34);
		}).detach();
		bsd_extexit(kLwp, kMark, &*mark);
		return 92;
	});
	expect_end(pid, 34 << 8);
}

// The page goes away between the check and the store: the thread dies all the same.
VM_TEST(ExtexitSetint, PageGoesAway)
{
	for (int i = 0; i < rounds(200); i++) {
		char *p = map_pages(1, PROT_READ | PROT_WRITE);
		std::atomic<pid_t> tid{0};
		std::atomic<bool> refused{false};
		std::thread([&, p] {
			tid = gettid_raw();
			bsd_extexit(kLwp, kMark, p);
			refused = true;
			exit_thread_raw(0);
		}).detach();
		while (tid == 0) {
		}
		if (i & 1)
			munmap(p, static_cast<size_t>(kPage));
		else
			mprotect(p, static_cast<size_t>(kPage), PROT_READ);
		until_gone(tid);
		if (!(i & 1)) {
			int value = load_volatile(p);
			ASSERT_TRUE(value == 0 || value == kMark);
			if (refused) {
				ASSERT_EQ(value, 0);
			}
			munmap(p, static_cast<size_t>(kPage));
		}
	}
}

// A process that shares our memory ends at once, and the store is in that memory.
VM_TEST(ExtexitSetint, MemorySharedByProcesses)
{
	for (int how : {kLwp, kProc})
		for (int i = 0; i < rounds(30); i++) {
			struct {
				std::atomic<int> mark{0};
				int how;
			} shared;
			shared.how = how;
			BareThread process;
			pid_t pid = process.start_process(
				[](BareThread &self) {
					auto *s = static_cast<decltype(shared) *>(self.arg);
					bsd_extexit(s->how, kMark, &s->mark);
				},
				&shared);
			expect_end(pid, exit_status(kMark));
			ASSERT_EQ(shared.mark, kMark);
			process.unmap();
		}
}
