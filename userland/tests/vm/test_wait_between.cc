// SPDX-License-Identifier: BSD-2-Clause
// What happens between the library's claim and its reap: a tracer holds the waiter there.
#include "vm_pid.h"
#include "vm_ptrace.h"
#include "vm_test.h"

#include <thread>

using namespace vm;

namespace
{

struct Result {
	std::atomic<pid_t> waiter{0}, pid{0}, child{0};
	std::atomic<int> status{0}, error{0};
};

// Holds the thread where it enters the system call that reaps; false: it never came there.
bool hold_before_reap(Stepper &waiter)
{
	while (waiter.step())
		if (waiter.entry && (waiter.number == SYS_waitid || waiter.number == SYS_wait4))
			return true;
	return false;
}

// A process whose second thread waits for `id(child)`; `between` runs in the first thread
// while the second is held between claim and reap.
template <class Id, class F>
void with_waiter_held(Id id, F between, Shared<Result> &result, Tokens &after)
{
	Tokens go, act, acted;
	pid_t process = spawn([&] {
		pid_t child = spawn([] { return 5; });
		native_peek(child);
		result->child = child;
		std::thread waiter([&] {
			int status = -1;
			result->waiter = gettid_raw();
			go.take();
			result->pid = bsd_wait4(id(child), &status, 0, nullptr);
			result->error = errno;
			result->status = status;
			after.give();
		});
		act.take();
		bool ok = between(child);
		acted.give();
		waiter.join();
		return ok ? 0 : 1;
	});
	while (result->waiter == 0)
		sched_yield();
	Stepper waiter(result->waiter, go);
	ASSERT_TRUE(hold_before_reap(waiter));
	act.give();
	acted.take();
	ASSERT_TRUE(waiter.let_go());
	EXPECT_EQ(native_reap(process), 0);
}

pid_t itself(pid_t child)
{
	return child;
}

pid_t any(pid_t)
{
	return -1;
}

} // namespace

VM_TEST(WaitBetween, NobodyInterferes)
{
	Shared<Result> result;
	Tokens after;
	with_waiter_held(
		itself, [](pid_t) { return true; }, result, after);
	EXPECT_EQ(result->pid, result->child);
	EXPECT_EQ(result->status, 5 << 8);
}

VM_TEST(WaitBetween, NativeReapLeavesNone)
{
	for (auto id : {itself, any}) {
		Shared<Result> result;
		Tokens after;
		with_waiter_held(
			id, [](pid_t child) { return native_reap(child) == 5 << 8; }, result,
			after);
		EXPECT_EQ(result->pid, -1);
		EXPECT_EQ(result->error, ECHILD);
	}
}

VM_TEST(WaitBetween, NativeReapThenTheNextChild)
{
	Shared<Result> result;
	Shared<std::atomic<pid_t>> next;
	Tokens after;
	with_waiter_held(
		any,
		[&](pid_t child) {
			*next = spawn([] { return 6; });
			return native_reap(child) == 5 << 8;
		},
		result, after);
	EXPECT_EQ(result->pid, *next);
	EXPECT_EQ(result->status, 6 << 8);
}

// The number is a new child's by the time of the reap: no status may be given twice.
VM_TEST(WaitBetween, NumberTakenByAnotherZombie)
{
	for (auto id : {itself, any}) {
		Shared<Result> result;
		Tokens after;
		with_waiter_held(
			id,
			[](pid_t child) {
				if (native_reap(child) != 5 << 8 ||
				    !spawn_as(child, [] { return 6; }))
					return false;
				native_peek(child);
				return true;
			},
			result, after);
		EXPECT_EQ(result->pid, result->child);
		EXPECT_EQ(result->status, 6 << 8);
	}
}

// The same, but the new owner of the number lives: who waits for any gets the one that ended.
VM_TEST(WaitBetween, NumberTakenByTheLiving)
{
	alarm(60);
	Shared<Result> result;
	Shared<std::atomic<pid_t>> ended;
	Tokens after, go;
	with_waiter_held(
		any,
		[&](pid_t child) {
			*ended = spawn([] { return 7; });
			native_peek(*ended);
			if (native_reap(child) != 5 << 8 || !spawn_as(child, [&] {
				    after.take();
				    return 6;
			    }))
				return false;
			return true;
		},
		result, after);
	EXPECT_EQ(result->pid, *ended);
	EXPECT_EQ(result->status, 7 << 8);
}

// The number is now that of a process which is nobody's child here.
VM_TEST(WaitBetween, NumberTakenByAStranger)
{
	Shared<Result> result;
	Tokens after, go, made;
	Shared<std::atomic<pid_t>> number;
	pid_t stranger_parent = spawn([&] {
		go.take();
		bool ok = spawn_as(*number, [] { return 8; });
		made.give();
		return ok ? native_reap(*number) >> 8 : 1;
	});
	with_waiter_held(
		itself,
		[&](pid_t child) {
			*number = child;
			bool ok = native_reap(child) == 5 << 8;
			go.give();
			made.take();
			return ok;
		},
		result, after);
	EXPECT_EQ(result->pid, -1);
	EXPECT_EQ(result->error, ECHILD);
	EXPECT_EQ(native_reap(stranger_parent), 8 << 8);
}

// The whole process is killed with the claim in hand.
VM_TEST(WaitBetween, Killed)
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (int i = 0; i < rounds(20); i++) {
		Shared<Result> result;
		Tokens go;
		pid_t process = spawn([&] {
			pid_t child = spawn([] { return 5; });
			native_peek(child);
			result->child = child;
			result->waiter = gettid_raw();
			go.take();
			bsd_wait4(child, nullptr, 0, nullptr);
			return 1;
		});
		while (result->waiter == 0)
			sched_yield();
		Stepper waiter(result->waiter, go);
		ASSERT_TRUE(hold_before_reap(waiter));
		kill(process, SIGKILL);
		int status = -1;
		ASSERT_EQ(bsd_wait4(process, &status, 0, nullptr), process);
		ASSERT_EQ(status, SIGKILL);
		ASSERT_EQ(bsd_wait4(result->child, &status, 0, nullptr), result->child);
		ASSERT_EQ(status, 5 << 8);
	}
}
