// SPDX-License-Identifier: BSD-2-Clause
// What the parent does with SIGCHLD, and children that send another signal or none.
#include "vm_test.h"

#include <thread>
#include <vector>

using namespace vm;

namespace
{

void no_zombies(bool ignore)
{
	struct sigaction act = {};
	act.sa_handler = ignore ? SIG_IGN : SIG_DFL;
	act.sa_flags = ignore ? 0 : SA_NOCLDWAIT;
	if (sigaction(SIGCHLD, &act, nullptr) != 0)
		die("sigaction");
}

void sleeps_until_the_last_is_gone(bool ignore)
{
	no_zombies(ignore);
	Tokens go;
	std::vector<pid_t> pids;
	for (int i = 0; i < 3; i++)
		pids.push_back(spawn([&] {
			go.take();
			return 1;
		}));
	std::atomic<pid_t> tid{0};
	std::atomic<bool> done{false};
	std::thread waiter([&] {
		tid = gettid_raw();
		int status = 0x5a5a5a5a;
		EXPECT_ERRNO(bsd_wait4(-1, &status, 0, nullptr), ECHILD);
		for (pid_t pid : pids)
			EXPECT_TRUE(no_more(pid));
		done = true;
	});
	while (tid == 0)
		sched_yield();
	until_waiting(tid);
	for (int left = 3; left > 1; left--) {
		go.give();
		for (int alive = 3; alive >= left;) {
			alive = 0;
			for (pid_t pid : pids)
				alive += kill(pid, 0) == 0;
		}
		until_waiting(tid);
		EXPECT_FALSE(done);
	}
	go.give();
	waiter.join();
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, WNOHANG, nullptr), ECHILD);
}

constexpr unsigned long kSilent = 0;

pid_t clone_child(unsigned long exit_signal, int code)
{
	return spawn_flags(exit_signal, [=] { return code; });
}

} // namespace

VM_TEST(WaitSigchld, IgnoredSleepsUntilTheLastIsGone)
{
	sleeps_until_the_last_is_gone(true);
}

VM_TEST(WaitSigchld, NoCldWaitSleepsUntilTheLastIsGone)
{
	sleeps_until_the_last_is_gone(false);
}

VM_TEST(WaitSigchld, IgnoredWaitByPid)
{
	no_zombies(true);
	for (int i = 0; i < rounds(100); i++) {
		Tokens go;
		pid_t other = spawn([&] {
			go.take();
			return 0;
		});
		pid_t pid = spawn([] { return 1; });
		EXPECT_ERRNO(bsd_wait4(pid, nullptr, 0, nullptr), ECHILD);
		EXPECT_EQ(bsd_wait4(other, nullptr, WNOHANG, nullptr), 0);
		go.give();
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
	}
}

VM_TEST(WaitSigchld, IgnoredStorm)
{
	no_zombies(true);
	for (int i = 0; i < rounds(50); i++) {
		std::vector<pid_t> pids;
		for (int k = 0; k < 10; k++)
			pids.push_back(spawn([=] { return k; }));
		ASSERT_EQ(bsd_wait4(-1, nullptr, 0, nullptr), -1);
		ASSERT_EQ(errno, ECHILD);
		for (pid_t pid : pids)
			ASSERT_TRUE(no_more(pid));
	}
}

VM_TEST(WaitSigchld, ZombieFromBeforeItWasIgnored)
{
	for (bool ignore : {true, false}) {
		signal(SIGCHLD, SIG_DFL);
		pid_t pid = spawn([] { return 5; });
		native_peek(pid);
		no_zombies(ignore);
		int status = -1;
		EXPECT_EQ(bsd_wait4(-1, &status, 0, nullptr), pid);
		EXPECT_EQ(status, 5 << 8);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
	}
}

// Ignored while the child dies: reported or gone, but never a waiter left asleep.
VM_TEST(WaitSigchld, IgnoredWhileTheChildEnds)
{
	for (int i = 0; i < rounds(300); i++) {
		signal(SIGCHLD, SIG_DFL);
		Shared<Barrier> start(2);
		pid_t pid = spawn([&] {
			start->meet();
			return 5;
		});
		start->meet();
		no_zombies(i & 1);
		int status = -1;
		pid_t got = bsd_wait4(-1, &status, 0, nullptr);
		if (got == pid) {
			ASSERT_EQ(status, 5 << 8);
			ASSERT_EQ(bsd_wait4(-1, nullptr, 0, nullptr), -1);
		} else {
			ASSERT_EQ(got, -1);
		}
		ASSERT_EQ(errno, ECHILD);
		ASSERT_TRUE(no_more(pid));
	}
}

VM_TEST(WaitSigchld, BlockedSignalStillReports)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, nullptr);
	pid_t self = getpid();
	pid_t pid = spawn([=] {
		until_waiting(self);
		return 2;
	});
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, 2 << 8);
}

VM_TEST(WaitSigchld, LinuxCloneSeesOnlyItsOwn)
{
	signal(SIGUSR1, SIG_IGN);
	for (unsigned long exit_signal : {kSilent, static_cast<unsigned long>(SIGUSR1)}) {
		int status = -1;
		pid_t clone = clone_child(exit_signal, 3);
		native_peek(clone);
		EXPECT_ERRNO(bsd_wait4(clone, nullptr, 0, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, WNOHANG, nullptr), ECHILD);

		pid_t plain = spawn([] { return 4; });
		native_peek(plain);
		EXPECT_ERRNO(bsd_wait4(plain, nullptr, WLINUXCLONE, nullptr), ECHILD);
		EXPECT_EQ(bsd_wait4(-1, &status, WLINUXCLONE, nullptr), clone);
		EXPECT_EQ(status, 3 << 8);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, WLINUXCLONE, nullptr), ECHILD);
		EXPECT_EQ(bsd_wait4(-1, &status, 0, nullptr), plain);
		EXPECT_EQ(status, 4 << 8);
	}
}

VM_TEST(WaitSigchld, LinuxCloneSleeps)
{
	pid_t self = getpid();
	signal(SIGUSR1, SIG_IGN);
	for (unsigned long exit_signal : {kSilent, static_cast<unsigned long>(SIGUSR1)}) {
		pid_t pid = spawn_flags(exit_signal, [=] {
			until_waiting(self);
			return 3;
		});
		int status = -1;
		EXPECT_EQ(bsd_wait4(-1, nullptr, WLINUXCLONE | WNOHANG, nullptr), 0);
		EXPECT_EQ(bsd_wait4(-1, &status, WLINUXCLONE, nullptr), pid);
		EXPECT_EQ(status, 3 << 8);
	}
}

// Linux gives a process its SIGCHLD back at exec.
VM_TEST(WaitSigchld, ExecMakesItAnOrdinaryChild)
{
	std::string target = sibling("exec_target");
	ASSERT_EQ(access(target.c_str(), X_OK), 0);
	int in[2], out[2];
	ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
	ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
	pid_t pid = spawn_flags(kSilent, [&] {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(target.c_str(), "exec_target", "hold", "17", nullptr);
		return 98;
	});
	char c;
	ASSERT_EQ(read(out[0], &c, 1), 1);
	// Alive, and when it has ended: by number and by any.
	for (int options : {WNOHANG, 0}) {
		EXPECT_ERRNO(bsd_wait4(pid, nullptr, WLINUXCLONE | options, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, WLINUXCLONE | options, nullptr), ECHILD);
		if (options == 0)
			break;
		EXPECT_EQ(bsd_wait4(pid, nullptr, WNOHANG, nullptr), 0);
		EXPECT_EQ(bsd_wait4(-1, nullptr, WNOHANG, nullptr), 0);
		close(in[1]);
		EXPECT_EQ(native_peek(pid).si_status, 17);
	}
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, 17 << 8);
}

// And when it comes to a new parent.
VM_TEST(WaitSigchld, OrphanIsAnOrdinaryChild)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	Shared<std::atomic<pid_t>> orphan;
	Tokens go;
	pid_t middle = spawn([&] {
		*orphan = spawn_flags(kSilent, [&] {
			go.take();
			return 6;
		});
		return 0;
	});
	EXPECT_EQ(native_reap(middle), 0);
	EXPECT_ERRNO(bsd_wait4(*orphan, nullptr, WLINUXCLONE, nullptr), ECHILD);
	EXPECT_EQ(bsd_wait4(*orphan, nullptr, WNOHANG, nullptr), 0);
	go.give();
	int status = -1;
	EXPECT_EQ(bsd_wait4(*orphan, &status, 0, nullptr), *orphan);
	EXPECT_EQ(status, 6 << 8);
}

// A silent zombie whose parent dies is no one's to wait for but the new parent's.
VM_TEST(WaitSigchld, SilentZombieOrphan)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < rounds(30); i++) {
		Shared<std::atomic<pid_t>> orphan;
		pid_t middle = spawn([&] {
			*orphan = clone_child(kSilent, 6);
			native_peek(*orphan);
			return 0;
		});
		int status = -1;
		ASSERT_EQ(native_reap(middle), 0);
		ASSERT_EQ(bsd_wait4(-1, &status, 0, nullptr), *orphan);
		ASSERT_EQ(status, 6 << 8);
	}
}
