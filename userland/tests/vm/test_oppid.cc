// SPDX-License-Identifier: BSD-2-Clause
// Who traces a process, and whose child it is meanwhile: what GETPROC says, and to whom the
// zombie goes.
#include "vm_device.h"
#include "vm_test.h"

#include <sys/ptrace.h>

#include <thread>
#include <utility>

using namespace vm;

namespace
{

// tracer and oppid.
using Pair = std::pair<int, int>;

Pair look(const Device &dev, pid_t pid)
{
	Proc proc = get_proc(dev, pid);
	EXPECT_EQ(proc.error, 0);
	EXPECT_TRUE(proc.k.tracer == 0 || proc.k.flags & BSDPROC_P_TRACED);
	EXPECT_EQ(proc.k.reserved, 0u);
	return {proc.k.tracer, proc.k.oppid};
}

bool seize(pid_t tid)
{
	return ptrace(PTRACE_SEIZE, tid, 0, 0) == 0;
}

bool let_go(pid_t tid)
{
	int status = -1;
	return ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0 && waitpid(tid, &status, __WALL) == tid &&
	       ptrace(PTRACE_DETACH, tid, 0, 0) == 0;
}

// A process that attaches, says so, and does `then` when told.
template <class F> pid_t tracer_of(pid_t tid, Tokens &attached, Tokens &go_on, F then)
{
	return spawn([&, tid, then] {
		if (!seize(tid))
			return 1;
		attached.give();
		go_on.take();
		return then() ? 0 : 2;
	});
}

int told_to_end(Tokens &end, int code)
{
	end.take();
	return code;
}

} // namespace

VM_TEST(Oppid, AStrangerAttachesAndLetsGo)
{
	Device dev;
	Tokens end, attached, go_on, bye;
	pid_t child = spawn([&] { return told_to_end(end, 9); });
	EXPECT_EQ(look(dev, child), Pair(0, 0));
	pid_t tracer = tracer_of(child, attached, go_on, [&] {
		const bool gone = let_go(child);
		attached.give();
		bye.take();
		return gone;
	});
	attached.take();
	EXPECT_EQ(look(dev, child), Pair(tracer, getpid()));
	EXPECT_EQ(get_proc(dev, child).k.ppid, getpid());
	EXPECT_EQ(look(dev, tracer), Pair(0, 0));
	go_on.give();
	attached.take();
	EXPECT_EQ(look(dev, child), Pair(0, 0));
	EXPECT_FALSE(get_proc(dev, child).k.flags & BSDPROC_P_TRACED);
	bye.give();
	EXPECT_EQ(native_reap(tracer), 0);
	end.give();
	EXPECT_EQ(native_reap(child), 9 << 8);
}

VM_TEST(Oppid, TheTracersDeath)
{
	Device dev;
	Tokens end, attached, never;
	pid_t child = spawn([&] { return told_to_end(end, 9); });
	pid_t tracer = tracer_of(child, attached, never, [] { return true; });
	attached.take();
	EXPECT_EQ(look(dev, child), Pair(tracer, getpid()));
	kill(tracer, SIGKILL);
	EXPECT_EQ(native_reap(tracer), SIGKILL);
	EXPECT_EQ(look(dev, child), Pair(0, 0));
	end.give();
	EXPECT_EQ(native_reap(child), 9 << 8);
}

VM_TEST(Oppid, ItsParentIsTheTracer)
{
	Device dev;
	Tokens end;
	pid_t child = spawn([&] { return told_to_end(end, 9); });
	ASSERT_TRUE(seize(child));
	EXPECT_EQ(look(dev, child), Pair(getpid(), 0));
	ASSERT_TRUE(let_go(child));
	EXPECT_EQ(look(dev, child), Pair(0, 0));
	// Another thread of the parent's is no other process.
	std::thread([&] {
		ASSERT_TRUE(seize(child));
		EXPECT_EQ(look(dev, child), Pair(getpid(), 0));
	}).join();
	end.give();
	EXPECT_EQ(native_reap(child), 9 << 8);
}

VM_TEST(Oppid, OneThreadIsTraced)
{
	Device dev;
	Tokens end, attached, go_on;
	Shared<std::atomic<pid_t>> tid;
	pid_t child = spawn([&] {
		std::thread([&] {
			*tid = gettid_raw();
			for (;;)
				pause();
		}).detach();
		return told_to_end(end, 9);
	});
	while (*tid == 0)
		sched_yield();
	pid_t tracer = tracer_of(*tid, attached, go_on, [&] { return let_go(*tid); });
	attached.take();
	EXPECT_EQ(look(dev, child), Pair(tracer, getpid()));
	go_on.give();
	EXPECT_EQ(native_reap(tracer), 0);
	EXPECT_EQ(look(dev, child), Pair(0, 0));
	end.give();
	EXPECT_EQ(native_reap(child), 9 << 8);
}

// The parent dies while another traces: the child's parent is then who took it.
VM_TEST(Oppid, TheParentsDeath)
{
	Device dev;
	Tokens end, attached, go_on, die;
	Shared<std::atomic<pid_t>> child;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t parent = spawn([&] {
		*child = spawn([&] { return told_to_end(end, 9); });
		return told_to_end(die, 3);
	});
	while (*child == 0)
		sched_yield();
	pid_t tracer = tracer_of(*child, attached, go_on, [&] { return let_go(*child); });
	attached.take();
	EXPECT_EQ(look(dev, *child), Pair(tracer, parent));
	die.give();
	EXPECT_EQ(native_reap(parent), 3 << 8);
	EXPECT_EQ(look(dev, *child), Pair(tracer, getpid()));
	go_on.give();
	EXPECT_EQ(native_reap(tracer), 0);
	end.give();
	EXPECT_EQ(native_reap(*child), 9 << 8);
}

VM_TEST(Oppid, ByTheCallersNumbers)
{
	Device dev;
	Shared<std::atomic<pid_t>> outer;
	Tokens look_now, end;
	pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
		Device inner;
		pid_t child = spawn([&] {
			*outer = pid_in_proc();
			return told_to_end(end, 9);
		});
		look_now.take();
		const bool right = look(inner, child) == Pair(0, 1) &&
				   get_proc(inner, child).k.flags & BSDPROC_P_TRACED;
		end.give();
		return native_reap(child) == 9 << 8 && right ? 0 : 1;
	});
	while (*outer == 0)
		sched_yield();
	ASSERT_TRUE(seize(*outer));
	EXPECT_EQ(look(dev, *outer), Pair(getpid(), init));
	look_now.give();
	int status = -1;
	EXPECT_EQ(waitpid(*outer, &status, __WALL), *outer);
	EXPECT_EQ(status, 9 << 8);
	EXPECT_EQ(native_reap(init), 0);
}

namespace
{

std::atomic<int> signals_of_child, signals_of_others, child_number;

void on_sigchld(int, siginfo_t *info, void *)
{
	const bool its =
		info->si_pid == child_number && info->si_code == CLD_EXITED && info->si_status == 9;
	(its ? signals_of_child : signals_of_others)++;
}

} // namespace

// p_oppid's use: after the tracer's wait the zombie is its parent's, who is signalled and
// woken then, and not before; once.
VM_TEST(Oppid, BackToTheParentAfterTheTracersWait)
{
	Device dev;
	Tokens end, attached, go_on, waited, bye;
	struct sigaction act = {};
	act.sa_sigaction = on_sigchld;
	act.sa_flags = SA_SIGINFO | SA_RESTART;
	sigaction(SIGCHLD, &act, nullptr);
	pid_t child = spawn([&] { return told_to_end(end, 9); });
	child_number = child;
	pid_t tracer = tracer_of(child, attached, go_on, [&] {
		int status = -1;
		const bool met = waitpid(child, &status, __WALL) == child && status == 9 << 8;
		waited.give();
		bye.take();
		return met && waitpid(child, &status, __WALL) == -1 && errno == ECHILD;
	});
	attached.take();
	std::atomic<pid_t> tid{0};
	std::atomic<bool> woken{false};
	sigset_t block, old;
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &block, &old);
	std::thread waiter([&] {
		int status = -1;
		tid = gettid_raw();
		EXPECT_EQ(bsd_wait4(child, &status, 0, nullptr), child);
		EXPECT_EQ(status, 9 << 8);
		woken = true;
	});
	pthread_sigmask(SIG_SETMASK, &old, nullptr);
	while (tid == 0)
		sched_yield();
	until_waiting(tid);
	end.give();
	until_state(child, 'Z');
	EXPECT_EQ(look(dev, child), Pair(tracer, getpid()));
	EXPECT_EQ(bsd_wait4(child, nullptr, WNOHANG, nullptr), 0);
	EXPECT_FALSE(woken);
	EXPECT_EQ(signals_of_child, 0);
	go_on.give();
	waited.take();
	waiter.join();
	EXPECT_EQ(signals_of_child, 1);
	EXPECT_ERRNO(bsd_wait4(child, nullptr, WNOHANG, nullptr), ECHILD);
	EXPECT_EQ(get_proc(dev, child).error, ESRCH);
	EXPECT_EQ(signals_of_others, 0);
	bye.give();
	EXPECT_EQ(native_reap(tracer), 0);
	EXPECT_EQ(signals_of_child, 1);
}

// Looks beside one who comes and goes: of its tracer and its parent, each answer agrees with
// itself.
VM_TEST(Oppid, LooksWhileTracersComeAndGo)
{
	Device dev;
	Tokens end;
	Shared<std::atomic<bool>> stop;
	pid_t child = spawn([&] { return told_to_end(end, 9); });
	pid_t tracer = spawn([&] {
		while (!*stop)
			if (!seize(child) || !let_go(child))
				return 1;
		return 0;
	});
	int traced = 0, free = 0, wrong = 0;
	for (const int want = rounds(200); (traced < want || free < want) && !wrong;) {
		auto [by, parent] = look(dev, child);
		traced += by == tracer;
		free += by == 0;
		wrong += parent != (by == tracer ? getpid() : 0);
	}
	EXPECT_EQ(wrong, 0);
	*stop = true;
	EXPECT_EQ(native_reap(tracer), 0);
	end.give();
	EXPECT_EQ(native_reap(child), 9 << 8);
}
