// SPDX-License-Identifier: BSD-2-Clause
// Children under a tracer: the parent is told when the tracer has let go, and not before.
#include "vm_test.h"

#include <sys/ptrace.h>

#include <thread>

using namespace vm;

namespace
{

// How often a thread was put on a CPU: it does not move while the thread sleeps.
long times_run(pid_t tid)
{
	std::string text = slurp("/proc/" + std::to_string(tid) + "/schedstat");
	unsigned long long run, delay;
	long times = -1;
	if (sscanf(text.c_str(), "%llu %llu %ld", &run, &delay, &times) != 3)
		return -1;
	return times;
}

struct Traced {
	std::atomic<pid_t> child{0};
};

// A debugger attaches to the child, lets it run into its end, and keeps the zombie until
// told to let go.
template <class F> pid_t debugger(pid_t child, Tokens &attached, Tokens &let_go, F release)
{
	return spawn([&, child, release] {
		if (ptrace(PTRACE_SEIZE, child, 0, 0) != 0)
			return 1;
		attached.give();
		let_go.take();
		return release(child);
	});
}

int reap_as_tracer(pid_t child)
{
	int status = -1;
	return waitpid(child, &status, __WALL) == child && status == 9 << 8 ? 0 : 2;
}

int just_die(pid_t)
{
	kill(getpid(), SIGKILL);
	return 3;
}

void parent_waits_for_the_tracer(int (*release)(pid_t), int debugger_status)
{
	Tokens go, attached, let_go;
	pid_t child = spawn([&] {
		go.take();
		return 9;
	});
	pid_t tracer = debugger(child, attached, let_go, release);
	attached.take();
	std::atomic<bool> done{false};
	std::atomic<pid_t> tid{0};
	std::thread waiter([&] {
		int status = -1;
		tid = gettid_raw();
		EXPECT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
		EXPECT_EQ(status, 9 << 8);
		done = true;
	});
	while (tid == 0)
		sched_yield();
	until_waiting(tid);
	go.give();
	until_state(child, 'Z');
	EXPECT_EQ(bsd_wait4(child, nullptr, WNOHANG, nullptr), 0);
	until_waiting(tid);
	long before = times_run(tid);
	// Children of a stranger come and go meanwhile: no reason for our waiter to run.
	pid_t other = spawn([] {
		for (int i = 0; i < 50; i++)
			native_reap(spawn([] { return 0; }));
		return 0;
	});
	until_state(other, 'Z');
	long after = times_run(tid);
	EXPECT_GE(before, 1);
	EXPECT_LE(after - before, 2); // the end of `other` wakes it, to look
	EXPECT_FALSE(done);
	let_go.give();
	waiter.join();
	int status = -1;
	EXPECT_EQ(bsd_wait4(tracer, &status, 0, nullptr), tracer);
	EXPECT_EQ(status, debugger_status);
	native_reap(other);
}

} // namespace

VM_TEST(WaitPtrace, TracedByItsParent)
{
	for (int i = 0; i < rounds(30); i++) {
		pid_t pid = spawn([] {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			return 9;
		});
		int status = -1;
		EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		EXPECT_EQ(status, 9 << 8);
	}
}

VM_TEST(WaitPtrace, TracedByItsParentKilled)
{
	pid_t pid = spawn([] {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		return 9;
	});
	int status = -1;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFSTOPPED(status));
	kill(pid, SIGKILL);
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, SIGKILL);
}

VM_TEST(WaitPtrace, StopsAndGoesOn)
{
	pid_t pid = spawn([] {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		return 9;
	});
	int status = -1;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, 9 << 8);
}

VM_TEST(WaitPtrace, ParentHearsAfterTheTracersWait)
{
	parent_waits_for_the_tracer(reap_as_tracer, 0);
}

VM_TEST(WaitPtrace, ParentHearsAfterTheTracersDeath)
{
	parent_waits_for_the_tracer(just_die, SIGKILL);
}

// A tracer's own BSD wait: the child is not its own, it is its parent's.
VM_TEST(WaitPtrace, TracerWaits)
{
	Tokens go, attached;
	pid_t child = spawn([&] {
		go.take();
		return 9;
	});
	pid_t tracer = spawn([&] {
		if (ptrace(PTRACE_SEIZE, child, 0, 0) != 0)
			return 1;
		attached.give();
		until_state(child, 'Z');
		int status = -1;
		pid_t got = bsd_wait4(child, &status, 0, nullptr);
		if (got == child)
			return status == 9 << 8 ? 0 : 2;
		return got == -1 && errno == ECHILD ? 0 : 3;
	});
	attached.take();
	go.give();
	int status = -1;
	EXPECT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
	EXPECT_EQ(status, 9 << 8);
	EXPECT_EQ(bsd_wait4(tracer, &status, 0, nullptr), tracer);
	EXPECT_EQ(status, 0);
}

VM_TEST(WaitPtrace, TracerLetsGoOfTheLiving)
{
	Tokens go, attached, let_go;
	pid_t child = spawn([&] {
		go.take();
		return 9;
	});
	pid_t tracer = debugger(child, attached, let_go, [&](pid_t pid) {
		int status = -1;
		if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0 ||
		    waitpid(pid, &status, __WALL) != pid)
			return 4;
		return ptrace(PTRACE_DETACH, pid, 0, 0) == 0 ? 0 : 5;
	});
	attached.take();
	EXPECT_EQ(bsd_wait4(child, nullptr, WNOHANG, nullptr), 0);
	let_go.give();
	int status = -1;
	EXPECT_EQ(bsd_wait4(tracer, &status, 0, nullptr), tracer);
	EXPECT_EQ(status, 0);
	go.give();
	EXPECT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
	EXPECT_EQ(status, 9 << 8);
}

// Tracer, child and a waiting parent all at once, many times over.
VM_TEST(WaitPtrace, TracersRace)
{
	for (int i = 0; i < rounds(150); i++) {
		Shared<Barrier> start(2);
		Tokens attached;
		pid_t child = spawn([&] {
			start->meet();
			return 9;
		});
		pid_t tracer = spawn([&] {
			if (ptrace(PTRACE_SEIZE, child, 0, 0) != 0)
				return 1;
			attached.give();
			start->meet();
			if (i & 1)
				return 0;
			return reap_as_tracer(child);
		});
		attached.take();
		int status = -1;
		ASSERT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
		ASSERT_EQ(status, 9 << 8);
		ASSERT_EQ(bsd_wait4(tracer, &status, 0, nullptr), tracer);
		ASSERT_EQ(status, 0);
	}
}
