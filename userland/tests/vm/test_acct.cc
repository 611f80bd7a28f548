// SPDX-License-Identifier: BSD-2-Clause
// BSDPROC_ACCT: every process's end is accounted for, once or in a count of what was lost,
// to each who reads and may.
#include "vm_acct.h"
#include "vm_thread.h"

#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <map>
#include <thread>

using namespace vm;

namespace
{

uint64_t now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return uint64_t(t.tv_sec) * 1000000000 + uint64_t(t.tv_nsec);
}

// Ends within a process that has only these, so that their numbers do not come round.
struct Ends {
	std::map<pid_t, int> status;

	pid_t add(pid_t pid)
	{
		status[pid] = native_reap(pid);
		return pid;
	}
	void expect(const std::vector<struct bsdproc_acct> &records, uint64_t lost)
	{
		std::map<pid_t, int> seen;
		for (const auto &record : records) {
			auto end = status.find(record.pid);
			if (end == status.end())
				continue;
			EXPECT_EQ(record.xstat, end->second);
			EXPECT_EQ(seen[record.pid]++, 0) << record.pid << " twice";
		}
		if (lost == 0) {
			EXPECT_EQ(seen.size(), status.size());
		}
	}
};

} // namespace

VM_TEST(Acct, WhatARecordSays)
{
	Accounts accounts;
	const uint64_t before = now(CLOCK_REALTIME), up = now(CLOCK_BOOTTIME);
	pid_t pid = spawn([] {
		prctl(PR_SET_NAME, "anybody");
		while (clock() < CLOCKS_PER_SEC / 20)
			;
		if (setresgid(1234, 1234, 1234) != 0 || setresuid(4321, 4321, 4321) != 0)
			return 1;
		return 9;
	});
	struct rusage ru;
	int status;
	wait4(pid, &status, 0, &ru);
	const uint64_t elapsed = now(CLOCK_BOOTTIME) - up;
	const struct bsdproc_acct a = accounts.of(pid);
	EXPECT_EQ(a.ppid, getpid());
	EXPECT_EQ(a.uid, 4321u);
	EXPECT_EQ(a.gid, 1234u);
	EXPECT_EQ(a.xstat, 9 << 8);
	EXPECT_EQ(status, 9 << 8);
	EXPECT_STREQ(a.comm, "anybody");
	EXPECT_EQ(a.flags, unsigned(BSDPROC_AFORK | BSDPROC_ASU));
	EXPECT_EQ(a.reserved, 0u);
	EXPECT_GE(a.boot, up);
	EXPECT_LE(a.boot, up + elapsed);
	// The clock of the day may be set at any time, but not by more than this here.
	EXPECT_NEAR(double(a.start), double(before), 1e9);
	EXPECT_GE(a.elapsed, 50000000u);
	EXPECT_LE(a.elapsed, elapsed);
	EXPECT_GE(a.ru.utime + a.ru.stime, 49000000u);
	EXPECT_LE(a.ru.utime + a.ru.stime, elapsed);
	EXPECT_GT(a.ru.maxrss, 0u);
	EXPECT_LE(a.ru.minflt, uint64_t(ru.ru_minflt));
	EXPECT_GT(a.ru.minflt, 0u);
}

VM_TEST(Acct, Flags)
{
	Accounts accounts;
	pid_t execs = spawn([] { return execl("/bin/true", "true", nullptr); });
	native_reap(execs);
	struct bsdproc_acct a = accounts.of(execs);
	EXPECT_EQ(a.flags & ~unsigned(BSDPROC_ASU), 0u);
	EXPECT_STREQ(a.comm, "true");

	pid_t killed = spawn([] { return raise(SIGKILL); });
	native_reap(killed);
	a = accounts.of(killed);
	EXPECT_EQ(a.flags, unsigned(BSDPROC_AFORK | BSDPROC_AXSIG));
	EXPECT_EQ(a.xstat, SIGKILL);

	pid_t plain = spawn([] { return 0; });
	native_reap(plain);
	EXPECT_EQ(accounts.of(plain).flags, unsigned(BSDPROC_AFORK));

	// By a thread that does not lead, which takes the leader's number over.
	pid_t other = spawn([] {
		BareThread second;
		second.start([](BareThread &) { execl("/bin/true", "true", nullptr); }, nullptr);
		for (;;)
			pause();
		return 0;
	});
	native_reap(other);
	EXPECT_EQ(accounts.of(other).flags & ~unsigned(BSDPROC_ASU), 0u);
}

VM_TEST(Acct, ACoreDump)
{
	char dir[] = "/tmp/bsdproc-core-XXXXXX";
	if (!mkdtemp(dir) || chdir(dir) != 0)
		die("mkdtemp");
	const std::string pattern = slurp("/proc/sys/kernel/core_pattern");
	write_to("/proc/sys/kernel/core_pattern", "core");
	Accounts accounts;
	pid_t pid = spawn([] {
		struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
		setrlimit(RLIMIT_CORE, &any);
		prctl(PR_SET_DUMPABLE, 1);
		return raise(SIGABRT);
	});
	const int status = native_reap(pid);
	write_to("/proc/sys/kernel/core_pattern", pattern);
	const struct bsdproc_acct a = accounts.of(pid);
	EXPECT_EQ(a.xstat, status);
	EXPECT_EQ(status, SIGABRT | 0x80);
	EXPECT_EQ(a.flags & ~unsigned(BSDPROC_ASU),
		  unsigned(BSDPROC_AFORK | BSDPROC_AXSIG | BSDPROC_ACORE));
}

// The session's leader loses it before its end is accounted for.
VM_TEST(Acct, TheTerminal)
{
	Accounts accounts;
	Shared<std::atomic<uint32_t>> device;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		die("posix_openpt");
	Shared<std::atomic<pid_t>> member;
	pid_t leader = spawn([&] {
		setsid();
		int tty = open(ptsname(master), O_RDWR | O_CLOEXEC);
		struct stat st;
		if (tty < 0 || fstat(tty, &st) != 0)
			return 1;
		*device = uint32_t(minor(st.st_rdev) & 0xff) | major(st.st_rdev) << 8 |
			  (minor(st.st_rdev) & ~0xffu) << 12;
		*member = spawn([] { return 0; });
		native_reap(*member);
		signal(SIGHUP, SIG_IGN);
		return 0;
	});
	EXPECT_EQ(native_reap(leader), 0);
	std::map<pid_t, uint32_t> tty;
	for (const auto &record : accounts.take())
		tty[record.pid] = record.tty;
	EXPECT_NE(*device, 0u);
	EXPECT_EQ(tty[leader], *device);
	EXPECT_EQ(tty[*member], *device);
	close(master);
}

VM_TEST(Acct, OnceWithManyThreads)
{
	Accounts accounts;
	for (int i = rounds(100); i > 0; i--) {
		pid_t pid = spawn([i] {
			std::vector<std::thread> threads;
			for (int n = 0; n < 6; n++)
				threads.emplace_back([n, i] {
					spin(n * i * 10 % 3000);
					if (n == i % 8)
						exit(3);
					exit_thread_raw(0);
				});
			exit_thread_raw(1);
			return 0;
		});
		int status = native_reap(pid);
		EXPECT_EQ(accounts.of(pid).xstat, status);
	}
}

// What nobody waits for ends as well.
VM_TEST(Acct, WhoIsReapedByNobody)
{
	Accounts accounts;
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = spawn([] { return 3; });
	until_gone(pid);
	EXPECT_EQ(accounts.of(pid).xstat, 3 << 8);
}

// A note that it can be waited for comes after the record.
VM_TEST(Acct, BeforeItCanBeWaitedFor)
{
	Accounts accounts;
	for (int i = rounds(200); i > 0; i--) {
		pid_t pid = spawn([] { return 0; });
		native_peek(pid);
		accounts.of(pid);
		native_reap(pid);
	}
}

VM_TEST(Acct, AStormIsAccountedFor)
{
	Accounts accounts(BSDPROC_STREAM_MAX);
	Ends ends;
	for (int i = rounds(60); i > 0; i--) {
		std::vector<pid_t> pids;
		for (int n = 0; n < 16; n++)
			pids.push_back(spawn([n] {
				if (n % 4 == 0)
					raise(SIGKILL);
				if (n % 4 == 1)
					std::thread([] { exit_thread_raw(1); }).join();
				if (n % 4 == 2)
					execl("/bin/false", "false", nullptr);
				return n;
			}));
		for (pid_t pid : pids)
			ends.add(pid);
	}
	ends.expect(accounts.take(), accounts.lost);
	EXPECT_EQ(accounts.lost, 0u);
}

// Beside a reader that is slow: what it got and what it was told was lost are all.
VM_TEST(Acct, WhatDoesNotFitIsCounted)
{
	own_namespaces(); // where nobody else ends
	EXPECT_EQ(native_reap(spawn([] {
			  for (uint32_t room : {1u, 2u, 7u}) {
				  Accounts small(room), large(4096);
				  Ends ends;
				  const int n = rounds(100) + 20;
				  uint64_t got = 0;
				  for (int i = 0; i < n; i++) {
					  ends.add(spawn([i] { return i & 0x3f; }));
					  if (i % 11 == 0 && i % 13)
						  got += small.take(1 + i % 3).size();
				  }
				  got += small.take().size();
				  EXPECT_EQ(got + small.lost, uint64_t(n));
				  EXPECT_GT(small.lost, 0u);
				  ends.expect(large.take(), 0);
				  EXPECT_EQ(large.lost, 0u);
			  }
			  return testing::Test::HasFailure();
		  })),
		  0);
}

// The count stands where they are missing.
VM_TEST(Acct, InOrder)
{
	own_namespaces();
	EXPECT_EQ(native_reap(spawn([] {
			  Accounts accounts(2);
			  std::vector<pid_t> pids;
			  const auto end = [&] {
				  pids.push_back(spawn([] { return 0; }));
				  native_reap(pids.back());
			  };
			  for (int i = 0; i < 5; i++)
				  end();
			  struct bsdproc_acct r[4] = {};
			  const ssize_t size = sizeof(r[0]);
			  // One, so that there is room for the next, which tells what came before it.
			  EXPECT_EQ(read(accounts.fd, r, size + size / 2), size);
			  end();
			  EXPECT_EQ(read(accounts.fd, r + 1, 3 * size), 2 * size);
			  EXPECT_EQ(r[0].pid, pids[0]);
			  EXPECT_EQ(r[0].lost, 0u);
			  EXPECT_EQ(r[1].pid, pids[1]);
			  EXPECT_EQ(r[1].lost, 0u);
			  EXPECT_EQ(r[2].pid, pids[5]);
			  EXPECT_EQ(r[2].lost, 3u);
			  EXPECT_FALSE(accounts.readable());
			  // Nothing comes any more.
			  for (int i = 0; i < 4; i++)
				  end();
			  EXPECT_EQ(read(accounts.fd, r, 2 * size), 2 * size);
			  EXPECT_TRUE(accounts.readable());
			  EXPECT_EQ(read(accounts.fd, r, 2 * size), size);
			  struct bsdproc_acct only = {};
			  only.lost = 2;
			  EXPECT_EQ(memcmp(r, &only, size), 0);
			  EXPECT_FALSE(accounts.readable());
			  return testing::Test::HasFailure();
		  })),
		  0);
}

VM_TEST(Acct, SeveralReaders)
{
	Accounts first, second(4000);
	EXPECT_EQ(fcntl(first.fd, F_GETFD), FD_CLOEXEC);
	pid_t pid = spawn([] { return 4; });
	native_reap(pid);
	EXPECT_EQ(first.of(pid).xstat, 4 << 8);
	{
		Accounts third;
		pid = spawn([] { return 5; });
		native_reap(pid);
		EXPECT_EQ(third.of(pid).xstat, 5 << 8);
	}
	EXPECT_EQ(first.of(pid).xstat, 5 << 8);
	pid = spawn([] { return 6; });
	native_reap(pid);
	std::map<pid_t, int> seen;
	for (const auto &record : second.take())
		seen[record.pid] = record.xstat;
	EXPECT_EQ(seen[pid], 6 << 8);
	EXPECT_GE(seen.size(), 3u);
}

// Sleeps until there is something; ends by a signal.
VM_TEST(Acct, ReadSleeps)
{
	Accounts accounts;
	accounts.take();
	fcntl(accounts.fd, F_SETFL, 0);
	struct bsdproc_acct part;
	EXPECT_ERRNO(read(accounts.fd, &part, sizeof(part) - 1), EINVAL);
	Shared<std::atomic<pid_t>> child;
	Tokens go;
	*child = spawn([&] {
		go.take();
		return 7;
	});
	std::atomic<pid_t> tid{0};
	std::thread reader([&] {
		tid = gettid_raw();
		for (;;) {
			struct bsdproc_acct record = {};
			EXPECT_EQ(read(accounts.fd, &record, sizeof(record)),
				  ssize_t(sizeof(record)));
			if (record.pid == *child)
				break;
		}
	});
	while (!tid || state_of(tid) != 'S')
		sched_yield();
	go.give();
	reader.join();
	native_reap(*child);

	pid_t sleeper = spawn([&] {
		struct sigaction act = {};
		act.sa_handler = [](int) {};
		sigaction(SIGUSR1, &act, nullptr);
		go.give();
		struct bsdproc_acct record;
		while (read(accounts.fd, &record, sizeof(record)) > 0)
			;
		return errno;
	});
	go.take();
	for (int status; waitpid(sleeper, &status, WNOHANG) != sleeper; sched_yield()) {
		kill(sleeper, SIGUSR1);
		if (state_of(sleeper) != 'Z')
			continue;
		EXPECT_EQ(native_reap(sleeper), EINTR << 8);
		break;
	}
}

// Nothing is taken by a read that cannot store it.
VM_TEST(Acct, BadAddress)
{
	Accounts accounts;
	pid_t pid = spawn([] { return 1; });
	native_reap(pid);
	EXPECT_ERRNO(syscall(SYS_read, accounts.fd, nullptr, sizeof(struct bsdproc_acct)), EFAULT);
	accounts.of(pid);
}

VM_TEST(Acct, WhatIsNotToBeHad)
{
	EXPECT_ERRNO(acct_open(0), EINVAL);
	EXPECT_ERRNO(acct_open(BSDPROC_STREAM_MAX + 1), EINVAL);
	Device device;
	struct bsdproc_acct_open args = {1, 1};
	EXPECT_ERRNO(device(BSDPROC_ACCT, &args), EINVAL);
	EXPECT_EQ(native_reap(spawn([] {
			  become_nobody();
			  return acct_open(16) == -1 && errno == EPERM ? 0 : 1;
		  })),
		  0);
	// Root of a user namespace, in a pid namespace that is not its own.
	EXPECT_EQ(native_reap(spawn([] {
			  become_nobody();
			  if (unshare(CLONE_NEWUSER) != 0)
				  return 2;
			  return acct_open(16) == -1 && errno == EPERM ? 0 : 1;
		  })),
		  0);
}

// Who has a pid namespace of its own reads of that one, in its own numbers.
VM_TEST(Acct, OfItsOwnNamespaces)
{
	Accounts outside;
	Tokens open, ended;
	Shared<std::atomic<pid_t>> inner;
	pid_t holder = spawn([&] {
		become_nobody();
		own_namespaces();
		*inner = spawn([&] {
			Accounts accounts;
			open.give();
			ended.take();
			pid_t pid = spawn([] { return 8; });
			native_reap(pid);
			const std::vector<struct bsdproc_acct> all = accounts.take();
			if (all.size() != 1)
				return 1;
			return all[0].pid == pid && all[0].ppid == 1 && all[0].uid == 0 ? 0 : 2;
		});
		return native_reap(*inner) != 0;
	});
	open.take();
	pid_t pid = spawn([] { return 0; });
	native_reap(pid);
	ended.give();
	EXPECT_EQ(native_reap(holder), 0);
	std::map<pid_t, struct bsdproc_acct> seen;
	for (const auto &record : outside.take())
		seen[record.pid] = record;
	EXPECT_EQ(seen.count(pid), 1u);
	EXPECT_EQ(seen[holder].uid, 65534u);
	// The namespace's init and its child, by their numbers out here.
	int in_there = 0;
	for (const auto &[nr, record] : seen)
		in_there += record.ppid == holder || record.xstat == 8 << 8;
	EXPECT_EQ(in_there, 2);
}

// Readers come and go under a storm.
VM_TEST(Acct, ClosedWhileExitsRun)
{
	std::atomic<bool> over{false};
	std::thread opens([&] {
		while (!over) {
			Accounts accounts(1);
			std::thread polls([&] { accounts.readable(1); });
			accounts.take();
			polls.join();
		}
	});
	Accounts all(BSDPROC_STREAM_MAX);
	Ends ends;
	for (int i = rounds(300); i > 0; i--) {
		pid_t one = spawn([] { return 1; }), other = spawn([] { return 2; });
		ends.add(one);
		ends.add(other);
	}
	over = true;
	opens.join();
	ends.expect(all.take(), all.lost);
	EXPECT_EQ(all.lost, 0u);
}
