// SPDX-License-Identifier: BSD-2-Clause
// Traced processes die with their tracer if it asked for that, and only then.
#include "vm_device.h"
#include "vm_ptrace.h"
#include "vm_test.h"
#include "vm_thread.h"

#include <sys/stat.h>

#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr int kUntold = 7;

enum class How { seize, attach, interrupted };

bool trace(How how, pid_t pid, int options = 0)
{
	int status = -1;
	switch (how) {
	case How::seize:
		return ptrace(PTRACE_SEIZE, pid, 0, options) == 0;
	case How::attach:
		return ptrace(PTRACE_ATTACH, pid, 0, 0) == 0 &&
		       waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
	case How::interrupted:
		return trace(How::seize, pid, options) &&
		       ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0 &&
		       waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
	}
	return false;
}

// Our child, that goes on until told.
struct Victim {
	Tokens go;
	pid_t pid = spawn([this] {
		go.take();
		return kUntold;
	});

	void expect(bool killed)
	{
		if (!killed) {
			EXPECT_EQ(kill(pid, 0), 0);
			EXPECT_NE(state_of(pid), 'Z');
			go.give();
		}
		EXPECT_EQ(native_reap(pid), killed ? SIGKILL : kUntold << 8);
	}
};

bool has_it(pid_t pid)
{
	Device dev;
	return get_proc(dev, pid).k.flags & BSDPROC_P_TRACEKILL;
}

} // namespace

VM_TEST(Tracekill, Arguments)
{
	EXPECT_FALSE(has_it(0));
	EXPECT_ERRNO(bsd_tracekill(2), EINVAL);
	EXPECT_ERRNO(bsd_tracekill(-1), EINVAL);
	EXPECT_EQ(bsd_tracekill(1), 0);
	EXPECT_TRUE(has_it(0));
	EXPECT_EQ(bsd_tracekill(0), 0);
	EXPECT_FALSE(has_it(0));
	Device dev;
	struct bsdproc_tracekill args = {1, 1};
	EXPECT_ERRNO(dev(BSDPROC_TRACEKILL, &args), EINVAL);
	EXPECT_FALSE(has_it(0));
}

// However it is traced, and whether the tracer exits or is killed.
VM_TEST(Tracekill, AskedForAndNot)
{
	for (How how : {How::seize, How::attach, How::interrupted})
		for (bool asks : {true, false})
			for (bool killed : {true, false}) {
				Victim victim;
				Tokens traced;
				pid_t tracer = spawn([&] {
					if (asks && bsd_tracekill(1) != 0)
						return 1;
					if (!trace(how, victim.pid))
						return 2;
					traced.give();
					if (killed)
						pause();
					return 0;
				});
				traced.take();
				if (killed)
					kill(tracer, SIGKILL);
				EXPECT_EQ(native_reap(tracer), killed ? SIGKILL : 0);
				victim.expect(asks);
			}
}

// A child of its own that asked to be traced; stopped, and running again.
VM_TEST(Tracekill, Traceme)
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (bool asks : {true, false})
		for (bool runs : {true, false}) {
			Shared<std::atomic<pid_t>> child;
			Tokens go;
			pid_t tracer = spawn([&] {
				if (asks && bsd_tracekill(1) != 0)
					return 1;
				pid_t pid = spawn([&] {
					if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
						return 1;
					raise(SIGSTOP);
					go.take();
					return kUntold;
				});
				*child = pid;
				int status = -1;
				if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
					return 2;
				return runs && ptrace(PTRACE_CONT, pid, 0, 0) != 0 ? 3 : 0;
			});
			EXPECT_EQ(native_reap(tracer), 0);
			if (!asks) {
				kill(*child, SIGCONT);
				go.give();
			}
			EXPECT_EQ(native_reap(*child), asks ? SIGKILL : kUntold << 8);
		}
}

VM_TEST(Tracekill, SwitchedOff)
{
	Victim victim;
	pid_t tracer = spawn([&] {
		return bsd_tracekill(1) || !trace(How::seize, victim.pid) || bsd_tracekill(0);
	});
	EXPECT_EQ(native_reap(tracer), 0);
	victim.expect(false);
}

// Each thread has those that it traces.
VM_TEST(Tracekill, ThreadsOfADyingProcess)
{
	for (int i = rounds(40); i > 0; i--) {
		Victim first, second;
		Tokens traced;
		pid_t tracer = spawn([&] {
			if (bsd_tracekill(1) != 0 || !trace(How::seize, first.pid))
				return 1;
			std::thread([&] {
				if (!trace(How::interrupted, second.pid))
					_exit(2);
				traced.give();
				for (;;)
					pause();
			}).detach();
			traced.take();
			return 0;
		});
		ASSERT_EQ(native_reap(tracer), 0);
		first.expect(true);
		second.expect(true);
	}
}

VM_TEST(Tracekill, AThreadThatEndsAloneLetsGo)
{
	Victim first, second;
	Tokens gone, end;
	pid_t tracer = spawn([&] {
		if (bsd_tracekill(1) != 0 || !trace(How::seize, first.pid))
			return 1;
		std::thread([&] {
			if (!trace(How::seize, second.pid))
				_exit(2);
		}).join();
		gone.give();
		end.take();
		return 0;
	});
	gone.take();
	second.expect(false);
	EXPECT_EQ(state_of(first.pid), 'S');
	end.give();
	EXPECT_EQ(native_reap(tracer), 0);
	first.expect(true);
}

VM_TEST(Tracekill, InheritedByFork)
{
	Victim victim, other;
	pid_t tracer = spawn([&] {
		pid_t before = spawn([&] { return has_it(0) || !trace(How::seize, other.pid); });
		if (native_reap(before) != 0 || bsd_tracekill(1) != 0)
			return 1;
		pid_t child = spawn([&] { return !has_it(0) || !trace(How::seize, victim.pid); });
		return native_reap(child) == 0 ? 0 : 2;
	});
	EXPECT_EQ(native_reap(tracer), 0);
	other.expect(false);
	victim.expect(true);
}

VM_TEST(Tracekill, KeptByExec)
{
	Victim victim;
	Tokens go, traced;
	pid_t tracer = spawn([&] {
		if (bsd_tracekill(1) != 0 || !trace(How::seize, victim.pid))
			return 1;
		go.as_stdio();
		traced.give();
		execlp("head", "head", "-c1", nullptr);
		return 2;
	});
	traced.take();
	until_head_reads(tracer);
	EXPECT_TRUE(has_it(tracer));
	go.give();
	EXPECT_EQ(native_reap(tracer), 0);
	victim.expect(true);
}

// Such a program may trace whom its caller must not touch.
VM_TEST(Tracekill, NotKeptByAProgramWithMoreRights)
{
	char dir[] = "/tmp/tracekillXXXXXX";
	ASSERT_NE(mkdtemp(dir), nullptr);
	chmod(dir, 0755);
	const std::string program = std::string(dir) + "/head";
	ASSERT_EQ(system(("cp /usr/bin/head " + program + " && chmod 4755 " + program).c_str()), 0);
	Tokens go, ready;
	pid_t tracer = spawn([&] {
		if (setresuid(65534, 65534, 65534) != 0 || bsd_tracekill(1) != 0)
			return 1;
		go.as_stdio();
		ready.give();
		execl(program.c_str(), "head", "-c1", nullptr);
		return 2;
	});
	ready.take();
	until_head_reads(tracer);
	Device dev;
	EXPECT_EQ(get_proc(dev, tracer).k.euid, 0u) << "set-user-id does not work here";
	EXPECT_FALSE(has_it(tracer));
	go.give();
	EXPECT_EQ(native_reap(tracer), 0);
}

VM_TEST(Tracekill, WithoutPrivilege)
{
	pid_t us = spawn([] {
		if (setresuid(65534, 65534, 65534) != 0)
			return 1;
		prctl(PR_SET_DUMPABLE, 1);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		Shared<std::atomic<pid_t>> child;
		pid_t tracer = spawn([&] {
			pid_t pid = spawn([] {
				pause();
				return 0;
			});
			*child = pid;
			return bsd_tracekill(1) || !trace(How::seize, pid);
		});
		if (native_reap(tracer) != 0)
			return 2;
		return native_reap(*child) == SIGKILL ? 0 : 3;
	});
	EXPECT_EQ(native_reap(us), 0);
}

// A namespace's init, which ignores what others send it.
VM_TEST(Tracekill, AnInit)
{
	Tokens ready;
	pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
		ready.give();
		pause();
		return 0;
	});
	ready.take();
	pid_t tracer = spawn([&] { return bsd_tracekill(1) || !trace(How::seize, init); });
	EXPECT_EQ(native_reap(tracer), 0);
	EXPECT_EQ(native_reap(init), SIGKILL);
}

// What its tracees fork is attached by Linux while the tracer dies; none is left.
VM_TEST(Tracekill, AForkStorm)
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	constexpr int kMost = 150;
	for (int i = rounds(20); i > 0; i--) {
		Shared<std::atomic<int>> born;
		Tokens go, traced;
		pid_t first = spawn([&] {
			go.take();
			while (born->fetch_add(1) < kMost)
				if (fork() < 0)
					_exit(1);
			for (;;)
				pause();
			return 0;
		});
		pid_t tracer = spawn([&] {
			if (bsd_tracekill(1) != 0 || !trace(How::seize, first, PTRACE_O_TRACEFORK))
				return 1;
			traced.give();
			for (int status;;) {
				pid_t pid = waitpid(-1, &status, __WALL);
				if (pid < 0)
					return 2;
				ptrace(PTRACE_CONT, pid, 0, 0);
			}
			return 0;
		});
		traced.take();
		go.give();
		while (*born < i * 7 % kMost)
			sched_yield();
		kill(tracer, SIGKILL);
		ASSERT_EQ(native_reap(tracer), SIGKILL);
		// Whoever is not killed sleeps for ever, and so do we.
		int status = -1;
		while (waitpid(-1, &status, __WALL) > 0)
			ASSERT_EQ(status, SIGKILL);
		ASSERT_EQ(errno, ECHILD);
	}
}
