// SPDX-License-Identifier: BSD-2-Clause
// bsd_wait4: what it reports, of whom, and which errors it has.
#include "vm_test.h"

#include <climits>
#include <vector>

using namespace vm;

namespace
{

constexpr int kPoison = 0x5a5a5a5a;

void expect_child(pid_t id, pid_t pid, int want, int options = 0)
{
	int status = kPoison;
	EXPECT_EQ(bsd_wait4(id, &status, options, nullptr), pid);
	EXPECT_EQ(status, want);
}

} // namespace

VM_TEST(Wait, EveryExitCode)
{
	for (int code = 0; code < 256; code++) {
		pid_t pid = spawn([=] { return code; });
		expect_child(pid, pid, code << 8);
	}
}

VM_TEST(Wait, EverySignalThatKills)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	int tried = 0;
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH ||
		    sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ||
		    sig == 32 || sig == 33) // glibc's own
			continue;
		pid_t pid = spawn([=] {
			signal(sig, SIG_DFL);
			kill(getpid(), sig);
			return 99;
		});
		expect_child(pid, pid, sig);
		tried++;
	}
	EXPECT_GT(tried, 50);
}

VM_TEST(Wait, CoreFlag)
{
	std::string pattern = slurp("/proc/sys/kernel/core_pattern");
	char dir[] = "/tmp/bsdproc-core-XXXXXX";
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	if (pattern.empty() || pattern[0] == '|' || pattern[0] == '/')
		GTEST_SKIP() << "core_pattern is not a plain file name: " << pattern;
	if (setrlimit(RLIMIT_CORE, &all) != 0)
		GTEST_SKIP() << "no core dumps allowed here";
	ASSERT_TRUE(mkdtemp(dir));
	for (int sig : {SIGABRT, SIGSEGV, SIGTERM}) {
		pid_t pid = spawn([&] {
			if (chdir(dir) != 0)
				return 98;
			kill(getpid(), sig);
			return 99;
		});
		siginfo_t info = native_peek(pid);
		EXPECT_EQ(info.si_code, sig == SIGTERM ? CLD_KILLED : CLD_DUMPED);
		expect_child(pid, pid, sig == SIGTERM ? sig : sig | 0x80);
	}
	std::string remove = std::string("rm -rf ") + dir;
	EXPECT_EQ(system(remove.c_str()), 0);
}

VM_TEST(Wait, ByPid)
{
	pid_t first = spawn([] { return 1; });
	pid_t second = spawn([] { return 2; });
	native_peek(first);
	native_peek(second);
	expect_child(second, second, 2 << 8);
	EXPECT_ERRNO(bsd_wait4(second, nullptr, 0, nullptr), ECHILD);
	expect_child(first, first, 1 << 8);
	EXPECT_ERRNO(bsd_wait4(first, nullptr, 0, nullptr), ECHILD);
}

VM_TEST(Wait, ByPidLeavesAnEarlierZombieAlone)
{
	Tokens go;
	pid_t zombie = spawn([] { return 1; });
	native_peek(zombie);
	pid_t living = spawn([&] {
		go.take();
		return 2;
	});
	EXPECT_EQ(bsd_wait4(living, nullptr, WNOHANG, nullptr), 0);
	go.give();
	expect_child(living, living, 2 << 8);
	expect_child(-1, zombie, 1 << 8);
}

VM_TEST(Wait, ByGroup)
{
	Tokens go, grouped;
	auto member = [&](pid_t group, int code) {
		return spawn([&, group, code] {
			if (setpgid(0, group) != 0)
				return 99;
			grouped.give();
			go.take();
			return code;
		});
	};
	pid_t leader = member(0, 1);
	grouped.take();
	pid_t second = member(leader, 2);
	pid_t other = member(0, 3);
	pid_t own = spawn([&] {
		go.take();
		return 4;
	});
	grouped.take(2);
	EXPECT_EQ(bsd_wait4(-leader, nullptr, WNOHANG, nullptr), 0);
	EXPECT_EQ(bsd_wait4(0, nullptr, WNOHANG, nullptr), 0);
	go.give(4);
	for (pid_t pid : {leader, second, other, own})
		native_peek(pid);

	expect_child(0, own, 4 << 8);
	EXPECT_ERRNO(bsd_wait4(0, nullptr, 0, nullptr), ECHILD);
	expect_child(-other, other, 3 << 8);

	int status = 0;
	pid_t got = bsd_wait4(-leader, &status, 0, nullptr);
	EXPECT_TRUE((got == leader && status == 1 << 8) || (got == second && status == 2 << 8));
	pid_t rest = got == leader ? second : leader;
	expect_child(-leader, rest, got == leader ? 2 << 8 : 1 << 8);
	EXPECT_ERRNO(bsd_wait4(-leader, nullptr, 0, nullptr), ECHILD);
}

// The group that counts is the one at the time of the wait.
VM_TEST(Wait, ChildThatChangesItsGroup)
{
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 5;
	});
	EXPECT_EQ(bsd_wait4(0, nullptr, WNOHANG, nullptr), 0);
	ASSERT_EQ(setpgid(pid, pid), 0);
	EXPECT_ERRNO(bsd_wait4(0, nullptr, WNOHANG, nullptr), ECHILD);
	EXPECT_EQ(bsd_wait4(-pid, nullptr, WNOHANG, nullptr), 0);
	go.give();
	expect_child(-pid, pid, 5 << 8);
}

VM_TEST(Wait, NoSuchIds)
{
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, WNOHANG, nullptr), ECHILD);
	EXPECT_ERRNO(bsd_wait4(0, nullptr, 0, nullptr), ECHILD);

	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 0;
	});
	for (int options : {0, WNOHANG}) {
		EXPECT_ERRNO(bsd_wait4(getpid(), nullptr, options, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(getppid(), nullptr, options, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(1, nullptr, options, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(INT_MAX, nullptr, options, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(-INT_MAX, nullptr, options, nullptr), ECHILD);
	}
	go.give();
	expect_child(-1, pid, 0);
}

VM_TEST(Wait, SmallestInt)
{
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 0;
	});
	EXPECT_ERRNO(bsd_wait4(INT_MIN, nullptr, WNOHANG, nullptr), ECHILD);
	EXPECT_ERRNO(bsd_wait4(INT_MIN, nullptr, 0, nullptr), ECHILD);
	go.give();
	expect_child(pid, pid, 0);
}

VM_TEST(Wait, GrandchildIsNotOurs)
{
	Shared<std::atomic<pid_t>> grandchild;
	Tokens ready, go;
	pid_t pid = spawn([&] {
		*grandchild = spawn([&] { return 0; });
		native_peek(*grandchild);
		ready.give();
		go.take();
		return 0;
	});
	ready.take();
	EXPECT_ERRNO(bsd_wait4(*grandchild, nullptr, 0, nullptr), ECHILD);
	go.give();
	expect_child(pid, pid, 0);
}

VM_TEST(Wait, NothingToReportIsZeroed)
{
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 3;
	});
	for (pid_t id : {pid, -1, 0}) {
		int status = kPoison;
		struct rusage ru, zero;
		memset(&ru, 0xa5, sizeof(ru));
		memset(&zero, 0, sizeof(zero));
		EXPECT_EQ(bsd_wait4(id, &status, WNOHANG, &ru), 0);
		EXPECT_EQ(status, 0);
		EXPECT_EQ(memcmp(&ru, &zero, sizeof(ru)), 0);
		EXPECT_EQ(bsd_wait4(id, nullptr, WNOHANG, nullptr), 0);
	}
	go.give();
	expect_child(pid, pid, 3 << 8);
}

VM_TEST(Wait, UnknownOptions)
{
	pid_t pid = spawn([] { return 6; });
	native_peek(pid);
	for (int option : {0x100, 0x4000, 0x10000, 0x20000000, 0x40000000}) {
		EXPECT_ERRNO(bsd_wait4(pid, nullptr, option, nullptr), EINVAL);
		EXPECT_ERRNO(bsd_wait4(pid, nullptr, option | WNOHANG, nullptr), EINVAL);
	}
	expect_child(pid, pid, 6 << 8);
}

VM_TEST(Wait, UnknownOptionsComeBeforeNoChildren)
{
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0x4000, nullptr), EINVAL);
}

VM_TEST(Wait, ShorterCalls)
{
	int status = kPoison;
	pid_t pid = spawn([] { return 7; });
	EXPECT_EQ(bsd_wait(&status), pid);
	EXPECT_EQ(status, 7 << 8);

	pid = spawn([] { return 8; });
	EXPECT_EQ(bsd_waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 8 << 8);

	struct rusage ru;
	memset(&ru, 0, sizeof(ru));
	pid = spawn([] { return 9; });
	EXPECT_EQ(bsd_wait3(&status, 0, &ru), pid);
	EXPECT_EQ(status, 9 << 8);
	EXPECT_GT(ru.ru_minflt, 0);

	EXPECT_ERRNO(bsd_wait(nullptr), ECHILD);
	EXPECT_ERRNO(bsd_waitpid(-1, nullptr, WNOHANG), ECHILD);
	EXPECT_ERRNO(bsd_wait3(nullptr, WNOHANG, nullptr), ECHILD);
}

VM_TEST(Wait, NothingWanted)
{
	pid_t pid = spawn([] { return 1; });
	EXPECT_EQ(bsd_wait4(-1, nullptr, 0, nullptr), pid);
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
}

VM_TEST(Wait, ReportedIsReaped)
{
	pid_t pid = spawn([] { return 1; });
	expect_child(pid, pid, 1 << 8);
	EXPECT_ERRNO(waitpid(pid, nullptr, WNOHANG), ECHILD);
	EXPECT_ERRNO(kill(pid, 0), ESRCH);
}

VM_TEST(Wait, BadStatusAddressClaimsNothing)
{
	long page = sysconf(_SC_PAGESIZE);
	void *readable = mmap(nullptr, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *none = mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(readable, MAP_FAILED);
	ASSERT_NE(none, MAP_FAILED);
	void *kernel = reinterpret_cast<void *>(0xffff888000000000ul);
	pid_t pid = spawn([] { return 12; });
	native_peek(pid);
	for (void *bad : {readable, none, kernel, reinterpret_cast<void *>(8)}) {
		EXPECT_ERRNO(bsd_wait4(pid, static_cast<int *>(bad), 0, nullptr), EFAULT);
		EXPECT_EQ(native_peek(pid).si_status, 12);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, static_cast<struct rusage *>(bad)), EFAULT);
		EXPECT_EQ(native_peek(pid).si_status, 12);
	}
	expect_child(-1, pid, 12 << 8);
}
