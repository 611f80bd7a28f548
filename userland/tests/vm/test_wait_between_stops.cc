// SPDX-License-Identifier: BSD-2-Clause
// What happens between the library's being told of a stop and its collecting that: a tracer
// holds the waiter there.
#include "vm_pid.h"
#include "vm_ptrace.h"
#include "vm_wait.h"

using namespace vm;

namespace
{

struct Shelf {
	std::atomic<pid_t> waiter{0}, pid{0}, child{0}, other{0};
	std::atomic<int> status{0}, error{0};
	std::atomic<bool> between{false};
};

// Holds the thread where it enters the system call that collects; false: it never came there.
bool hold_before_collecting(Stepper &waiter)
{
	while (waiter.step())
		if (waiter.entry && waiter.number == SYS_waitid)
			return true;
	return false;
}

// A process whose second thread waits with `options` for its child, which has stopped: by
// number, or for any. `between` runs in the first thread while the second is held; what has to
// come for the second one to return, `after` does once that is let go.
template <class F, class G>
void with_waiter_held(bool any, int options, F between, G after, Shelf &shelf)
{
	Tokens go, act, acted, free;
	const pid_t process = spawn([&] {
		const pid_t child = resting_child();
		stop(child);
		shelf.child = child;
		std::thread waiter([&] {
			int status = -1;
			shelf.waiter = gettid_raw();
			go.take();
			shelf.pid = bsd_wait4(any ? -1 : child, &status, options, nullptr);
			shelf.error = errno;
			shelf.status = status;
		});
		act.take();
		shelf.between = between(child);
		acted.give();
		free.take();
		after(child);
		waiter.join();
		return 0;
	});
	while (shelf.waiter == 0)
		sched_yield();
	Stepper waiter(shelf.waiter, go);
	ASSERT_TRUE(hold_before_collecting(waiter));
	act.give();
	acted.take();
	ASSERT_TRUE(waiter.let_go());
	free.give();
	EXPECT_EQ(native_reap(process), 0);
	EXPECT_TRUE(shelf.between);
}

void nothing_after(pid_t) {}

void kill_it(pid_t pid)
{
	kill(pid, SIGKILL);
}

constexpr int kStops = WUNTRACED, kBoth = WUNTRACED | WCONTINUED;

} // namespace

VM_TEST(WaitBetweenStops, NobodyInterferes)
{
	for (bool any : {false, true})
		for (int more : {0, WNOWAIT, WNOHANG}) {
			Shared<Shelf> shelf;
			with_waiter_held(
				any, kStops | more, [](pid_t) { return true; }, nothing_after,
				*shelf);
			EXPECT_EQ(shelf->pid, shelf->child);
			EXPECT_EQ(shelf->status, SIGSTOP << 8 | 0x7f);
		}
}

// It is told of what comes next.
VM_TEST(WaitBetweenStops, NativeWaitTakesIt)
{
	for (bool any : {false, true})
		for (int more : {0, WNOWAIT}) {
			Shared<Shelf> shelf;
			with_waiter_held(
				any, kStops | more,
				[](pid_t child) {
					return native_take(child, WSTOPPED).si_pid == child;
				},
				kill_it, *shelf);
			EXPECT_EQ(shelf->pid, shelf->child);
			EXPECT_EQ(shelf->status, SIGKILL);
		}
}

// There is nothing to sleep for, and nothing any more to tell.
VM_TEST(WaitBetweenStops, NativeWaitTakesItFromWhoDoesNotSleep)
{
	for (bool any : {false, true}) {
		Shared<Shelf> shelf;
		with_waiter_held(
			any, kStops | WNOHANG,
			[](pid_t child) { return native_take(child, WSTOPPED).si_pid == child; },
			nothing_after, *shelf);
		EXPECT_EQ(shelf->pid, 0);
		EXPECT_EQ(shelf->status, 0);
	}
}

VM_TEST(WaitBetweenStops, AnotherBsdWaitTakesIt)
{
	for (bool any : {false, true}) {
		Shared<Shelf> shelf;
		with_waiter_held(
			any, kBoth,
			[](pid_t child) {
				return try_wait6(P_ALL, 0, WUNTRACED, stopped(child, SIGSTOP))
					.empty();
			},
			[](pid_t child) { kill(child, SIGCONT); }, *shelf);
		EXPECT_EQ(shelf->pid, shelf->child);
		EXPECT_EQ(shelf->status, SIGCONT);
	}
}

VM_TEST(WaitBetweenStops, ItGoesOn)
{
	for (bool any : {false, true})
		for (int options : {kStops, kBoth}) {
			Shared<Shelf> shelf;
			with_waiter_held(
				any, options, [](pid_t child) { return kill(child, SIGCONT) == 0; },
				options == kStops ? kill_it : nothing_after, *shelf);
			EXPECT_EQ(shelf->pid, shelf->child);
			EXPECT_EQ(shelf->status, options == kStops ? SIGKILL : SIGCONT);
		}
}

// The stop that is there when it collects is the one that it says.
VM_TEST(WaitBetweenStops, ItGoesOnAndStopsAnew)
{
	for (bool any : {false, true}) {
		Shared<Shelf> shelf;
		with_waiter_held(
			any, kStops,
			[](pid_t child) {
				kill(child, SIGCONT);
				stop(child, SIGTSTP);
				return true;
			},
			nothing_after, *shelf);
		EXPECT_EQ(shelf->pid, shelf->child);
		EXPECT_EQ(shelf->status, SIGTSTP << 8 | 0x7f);
	}
}

VM_TEST(WaitBetweenStops, ItIsKilled)
{
	for (bool any : {false, true}) {
		Shared<Shelf> shelf;
		with_waiter_held(
			any, kStops,
			[](pid_t child) {
				kill(child, SIGKILL);
				native_peek(child);
				return true;
			},
			nothing_after, *shelf);
		EXPECT_EQ(shelf->pid, shelf->child);
		EXPECT_EQ(shelf->status, SIGKILL);
	}
}

// And reaped by somebody else: it was the only one.
VM_TEST(WaitBetweenStops, ItIsKilledAndGone)
{
	for (bool any : {false, true}) {
		Shared<Shelf> shelf;
		with_waiter_held(
			any, kStops,
			[](pid_t child) {
				finish(child);
				return true;
			},
			nothing_after, *shelf);
		EXPECT_EQ(shelf->pid, -1);
		EXPECT_EQ(shelf->error, ECHILD);
	}
}

// The number is a new child's, which has stopped too: that stop is told as its own.
VM_TEST(WaitBetweenStops, NumberTakenByAnotherThatStops)
{
	for (bool any : {false, true}) {
		Shared<Shelf> shelf;
		with_waiter_held(
			any, kStops,
			[](pid_t child) {
				finish(child);
				if (!spawn_as(child, []() -> int { rest(); }))
					return false;
				stop(child, SIGTSTP);
				return true;
			},
			nothing_after, *shelf);
		EXPECT_EQ(shelf->pid, shelf->child);
		EXPECT_EQ(shelf->status, SIGTSTP << 8 | 0x7f);
	}
}

// A new child's that runs, or has ended: nothing of a stop is told, but the end is, or another
// child's stop.
VM_TEST(WaitBetweenStops, NumberTakenByOneThatDoesNotStop)
{
	for (bool any : {false, true})
		for (bool ends : {false, true}) {
			Shared<Shelf> shelf;
			with_waiter_held(
				any, kStops,
				[ends](pid_t child) {
					finish(child);
					if (!spawn_as(child, [=]() -> int {
						    if (!ends)
							    rest();
						    return 6;
					    }))
						return false;
					if (ends)
						native_peek(child);
					return true;
				},
				ends ? nothing_after : kill_it, *shelf);
			EXPECT_EQ(shelf->pid, shelf->child);
			EXPECT_EQ(shelf->status, ends ? 6 << 8 : SIGKILL);
		}
}

VM_TEST(WaitBetweenStops, AnotherChildsStopComesNext)
{
	Shared<Shelf> shelf;
	with_waiter_held(
		true, kStops,
		[&](pid_t child) {
			shelf->other = resting_child();
			stop(shelf->other, SIGTTIN);
			return native_take(child, WSTOPPED).si_pid == child;
		},
		nothing_after, *shelf);
	EXPECT_EQ(shelf->pid, shelf->other);
	EXPECT_EQ(shelf->status, SIGTTIN << 8 | 0x7f);
}

// Who is told of a stop and is killed leaves it, and his child, to the next.
VM_TEST(WaitBetweenStops, TheWaiterIsKilled)
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (int i = 0; i < rounds(20); i++) {
		Shared<Shelf> shelf;
		Tokens go;
		const pid_t process = spawn([&] {
			const pid_t child = resting_child();
			stop(child);
			shelf->child = child;
			shelf->waiter = gettid_raw();
			go.take();
			bsd_wait4(child, nullptr, WUNTRACED, nullptr);
			return 1;
		});
		while (shelf->waiter == 0)
			sched_yield();
		Stepper waiter(shelf->waiter, go);
		ASSERT_TRUE(hold_before_collecting(waiter));
		kill(process, SIGKILL);
		expect_wait4(process, kBoth, killed(process, SIGKILL));
		expect_wait4(i & 1 ? -1 : shelf->child.load(), kBoth,
			     stopped(shelf->child, SIGSTOP));
		finish(shelf->child);
	}
}
