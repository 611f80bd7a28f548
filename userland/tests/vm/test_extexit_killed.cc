// SPDX-License-Identifier: BSD-2-Clause
// A thread that has its verdict and is killed before it ends by itself: the store that it
// was promised is made all the same. (With the SIGKILL coming while it ends by itself:
// ExtexitRace.EveryoneStoresItsMark.)
#include "vm_device.h"
#include "vm_test.h"

#include <sys/mman.h>
#include <thread>

using namespace vm;

namespace
{

constexpr int kMark = 0x12345678;

struct Shared {
	std::atomic<int> mark{0};
	std::atomic<unsigned> verdict{0};
};

// Takes the verdict, and does not keep to it.
[[noreturn]] void ask_and_stay(Shared *shared)
{
	Device dev;
	struct bsdproc_extexit x = {};
	x.how = BSDPROC_EXTEXIT_LWP | BSDPROC_EXTEXIT_SETINT;
	x.status = kMark;
	x.addr = reinterpret_cast<uint64_t>(&shared->mark);
	dev(BSDPROC_EXTEXIT, &x);
	shared->verdict = x.verdict;
	for (;;)
		pause();
}

VM_TEST(ExtexitKilled, StoreIsMadeAllTheSame)
{
	for (int i = 0; i < rounds(20); i++) {
		void *page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(page, MAP_FAILED);
		auto *shared = new (page) Shared;
		pid_t pid = spawn([shared]() -> int {
			std::thread(ask_and_stay, shared).detach();
			for (;;)
				pause();
		});
		while (!shared->verdict)
			sched_yield();
		EXPECT_EQ(shared->verdict, unsigned{BSDPROC_VERDICT_LWP});
		EXPECT_EQ(shared->mark, 0) << "the thread can still run user code";
		kill(pid, SIGKILL);
		int status = 0;
		EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		EXPECT_EQ(status, SIGKILL);
		EXPECT_EQ(shared->mark, kMark);
		munmap(page, sizeof(Shared));
	}
}

} // namespace
