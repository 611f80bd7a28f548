// SPDX-License-Identifier: BSD-2-Clause
// EXTEXIT_SETINT says that the thread can run no more user code. Whoever sees the value
// takes its stack away at once; a store that came too early kills the process here.
#include "vm_ptrace.h"
#include "vm_test.h"
#include "vm_thread.h"

#include <thread>
#include <vector>

using namespace vm;

namespace
{

struct Round {
	std::atomic<int> mark{0};
	std::atomic<bool> go{false};
};

[[noreturn]] void end_with_mark(BareThread &thread)
{
	auto *round = static_cast<Round *>(thread.arg);
	while (!round->go) {
	}
	bsd_extexit(EXTEXIT_LWP | EXTEXIT_SETINT, 1, &round->mark);
	_exit(96);
}

[[noreturn]] void end_with_mark_in_stack(BareThread &thread)
{
	auto *round = static_cast<Round *>(thread.arg);
	while (!round->go) {
	}
	bsd_extexit(EXTEXIT_LWP | EXTEXIT_SETINT, 1, thread.word_in_stack());
	_exit(96);
}

// Spins on the value: only so is the time between store and unmapping short enough.
void join_and_unmap(BareThread &thread, std::atomic<int> &mark)
{
	while (mark.load(std::memory_order_acquire) == 0) {
	}
	thread.unmap();
}

} // namespace

// A tracer looks at the mark whenever the thread is about to go on in user mode.
VM_TEST(ExtexitStack, NoMarkWhileItCanRun)
{
	constexpr int kMark = 0x12345678;
	for (int i = 0; i < rounds(20); i++) {
		Shared<std::atomic<int>> mark;
		Shared<std::atomic<pid_t>> tid;
		Tokens go;
		pid_t process = spawn([&] {
			std::thread([&] {
				*tid = gettid_raw();
				go.take();
				bsd_extexit(EXTEXIT_LWP | EXTEXIT_SETINT, kMark, &*mark);
				_exit(96);
			}).detach();
			while (*mark != kMark)
				sched_yield();
			return 0;
		});
		while (*tid == 0)
			sched_yield();
		Stepper thread(*tid, go);
		int asked = 0, exits = 0, early = 0;
		while (thread.step()) {
			early += *mark != 0;
			asked += !thread.entry && thread.number == SYS_ioctl;
			exits += thread.entry && thread.number == SYS_exit;
		}
		EXPECT_EQ(early, 0);
		EXPECT_GE(asked, 1);
		EXPECT_EQ(exits, 1);
		EXPECT_EQ(native_reap(process), 0);
		EXPECT_EQ(*mark, kMark);
	}
}

VM_TEST(ExtexitStack, UnmappedAtOnce)
{
	for (int i = 0; i < rounds(1500); i++) {
		Round round;
		BareThread thread;
		thread.start(end_with_mark, &round);
		round.go = true;
		join_and_unmap(thread, round.mark);
	}
}

VM_TEST(ExtexitStack, MarkInTheStackItself)
{
	for (int i = 0; i < rounds(300); i++) {
		Round round;
		BareThread thread;
		thread.start(end_with_mark_in_stack, &round);
		round.go = true;
		join_and_unmap(thread, *thread.word_in_stack());
	}
}

VM_TEST(ExtexitStack, ManyAtOnce)
{
	constexpr int kThreads = 6;
	for (int i = 0; i < rounds(80); i++) {
		Round round[kThreads];
		BareThread thread[kThreads];
		for (int t = 0; t < kThreads; t++)
			thread[t].start(end_with_mark, &round[t]);
		for (auto &r : round)
			r.go = true;
		for (int t = 0; t < kThreads; t++)
			join_and_unmap(thread[t], round[t].mark);
	}
}

// The space is used again right away: what the dead thread might still write would show.
VM_TEST(ExtexitStack, SpaceUsedAgain)
{
	for (int i = 0; i < rounds(300); i++) {
		Round round;
		BareThread thread;
		thread.start(end_with_mark, &round);
		round.go = true;
		while (round.mark == 0) {
		}
		std::atomic<int> *word = thread.word_in_stack();
		memset(static_cast<void *>(word), 0x66, 60 << 10);
		auto *byte = reinterpret_cast<volatile unsigned char *>(word);
		int changed = 0;
		for (int look = 0; look < 3; look++)
			for (int k = 0; k < 60 << 10; k += 8)
				changed += byte[k] != 0x66;
		ASSERT_EQ(changed, 0);
		thread.unmap();
	}
}

// Signals for the process come while its threads end: none may be handled on a dead stack.
VM_TEST(ExtexitStack, UnderSignals)
{
	struct sigaction act = {};
	act.sa_handler = [](int) {};
	act.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &act, nullptr);
	std::atomic<bool> end{false};
	std::thread sender([&] {
		sigset_t set;
		sigfillset(&set);
		pthread_sigmask(SIG_BLOCK, &set, nullptr);
		while (!end) {
			kill(getpid(), SIGUSR1);
			sched_yield();
		}
	});
	for (int i = 0; i < rounds(300); i++) {
		Round round;
		BareThread thread;
		thread.start(end_with_mark, &round);
		round.go = true;
		join_and_unmap(thread, round.mark);
	}
	end = true;
	sender.join();
}
