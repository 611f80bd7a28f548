// SPDX-License-Identifier: BSD-2-Clause
// The usage that a wait reports lies between what Linux says of the zombie before the
// wait and what it adds to the parent when the zombie is reaped.
#include "vm_test.h"

#include <sys/stat.h>

#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr long kTickUs = 4000; // CONFIG_HZ=250

long micros(const struct timeval &tv)
{
	return tv.tv_sec * 1000000 + tv.tv_usec;
}

long counted(const struct rusage &a, const struct rusage &b, long rusage::*field)
{
	return b.*field - a.*field;
}

void expect_between(long low, long value, long high, const char *what)
{
	EXPECT_LE(low, value) << what;
	EXPECT_LE(value, high) << what;
}

void expect_usage(const struct rusage &before, const struct rusage &ru, const struct rusage &after)
{
	expect_between(before.ru_minflt, ru.ru_minflt, after.ru_minflt, "minflt");
	expect_between(before.ru_majflt, ru.ru_majflt, after.ru_majflt, "majflt");
	expect_between(before.ru_inblock, ru.ru_inblock, after.ru_inblock, "inblock");
	expect_between(before.ru_oublock, ru.ru_oublock, after.ru_oublock, "oublock");
	expect_between(before.ru_nvcsw + before.ru_nivcsw, ru.ru_nvcsw + ru.ru_nivcsw,
		       after.ru_nvcsw + after.ru_nivcsw, "context switches");
	expect_between(micros(before.ru_utime) - kTickUs, micros(ru.ru_utime),
		       micros(after.ru_utime) + kTickUs, "utime");
	expect_between(micros(before.ru_stime) - kTickUs, micros(ru.ru_stime),
		       micros(after.ru_stime) + kTickUs, "stime");
	expect_between(micros(before.ru_utime) + micros(before.ru_stime) - kTickUs,
		       micros(ru.ru_utime) + micros(ru.ru_stime),
		       micros(after.ru_utime) + micros(after.ru_stime) + kTickUs, "utime + stime");
	EXPECT_EQ(ru.ru_maxrss, before.ru_maxrss);
	EXPECT_EQ(ru.ru_ixrss | ru.ru_idrss | ru.ru_isrss | ru.ru_nswap, 0);
	EXPECT_EQ(ru.ru_msgsnd | ru.ru_msgrcv | ru.ru_nsignals, 0);
}

// Returns what bsd_wait4 reported, after the checks.
struct rusage collect(pid_t pid)
{
	struct rusage before, ru, zero, children_before, children, after{};
	memset(&ru, 0xa5, sizeof(ru));
	memset(&zero, 0, sizeof(zero));
	getrusage(RUSAGE_CHILDREN, &children_before);
	native_peek(pid, &before);
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, &ru), pid);
	EXPECT_EQ(status, 0);
	getrusage(RUSAGE_CHILDREN, &children);

	after.ru_minflt = counted(children_before, children, &rusage::ru_minflt);
	after.ru_majflt = counted(children_before, children, &rusage::ru_majflt);
	after.ru_inblock = counted(children_before, children, &rusage::ru_inblock);
	after.ru_oublock = counted(children_before, children, &rusage::ru_oublock);
	after.ru_nvcsw = counted(children_before, children, &rusage::ru_nvcsw);
	after.ru_nivcsw = counted(children_before, children, &rusage::ru_nivcsw);
	after.ru_utime.tv_usec = micros(children.ru_utime) - micros(children_before.ru_utime);
	after.ru_stime.tv_usec = micros(children.ru_stime) - micros(children_before.ru_stime);
	expect_usage(before, ru, after);
	return ru;
}

void touch(int pages)
{
	size_t bytes = static_cast<size_t>(pages) * 4096;
	char *p = static_cast<char *>(
		mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, bytes, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < bytes; at += 4096)
		p[at] = 1;
	munmap(p, bytes);
}

void burn_user(long us)
{
	struct rusage ru;
	volatile unsigned sum = 0;
	do {
		for (int i = 0; i < 200000; i++)
			sum = sum + static_cast<unsigned>(i);
		getrusage(RUSAGE_THREAD, &ru);
	} while (micros(ru.ru_utime) < us);
}

void burn_system(long us)
{
	struct rusage ru;
	do {
		for (int i = 0; i < 50; i++)
			slurp("/proc/self/maps");
		getrusage(RUSAGE_THREAD, &ru);
	} while (micros(ru.ru_stime) < us);
}

void give_way(int times)
{
	Tokens there, back;
	std::thread other([&] {
		for (int i = 0; i < times; i++) {
			there.take();
			back.give();
		}
	});
	for (int i = 0; i < times; i++) {
		there.give();
		back.take();
	}
	other.join();
}

} // namespace

VM_TEST(WaitUsage, Nothing)
{
	for (int i = 0; i < rounds(100); i++)
		collect(spawn([] { return 0; }));
}

VM_TEST(WaitUsage, Faults)
{
	for (int pages : {1, 100, 1000}) {
		struct rusage ru = collect(spawn([=] {
			touch(pages);
			return 0;
		}));
		EXPECT_GE(ru.ru_minflt, pages);
	}
}

VM_TEST(WaitUsage, UserTime)
{
	struct rusage ru = collect(spawn([] {
		burn_user(200000);
		return 0;
	}));
	EXPECT_GE(micros(ru.ru_utime), 200000 - kTickUs);
}

VM_TEST(WaitUsage, SystemTime)
{
	struct rusage ru = collect(spawn([] {
		burn_system(200000);
		return 0;
	}));
	EXPECT_GE(micros(ru.ru_stime), 200000 - kTickUs);
}

VM_TEST(WaitUsage, ContextSwitches)
{
	struct rusage ru = collect(spawn([] {
		give_way(500);
		return 0;
	}));
	EXPECT_GE(ru.ru_nvcsw + ru.ru_nivcsw, 500);
}

VM_TEST(WaitUsage, BlocksWritten)
{
	char name[] = "/tmp/bsdproc-usage-XXXXXX";
	int fd = mkstemp(name);
	ASSERT_GE(fd, 0);
	unlink(name);
	collect(spawn([&] {
		std::string data(1 << 20, 'x');
		if (write(fd, data.data(), data.size()) != static_cast<ssize_t>(data.size()))
			return 1;
		fsync(fd);
		return 0;
	}));
	close(fd);
}

// Threads that ended before, at the same time, and with the process.
VM_TEST(WaitUsage, Threads)
{
	for (int i = 0; i < rounds(30); i++) {
		collect(spawn([] {
			std::vector<std::thread> threads;
			for (int t = 1; t <= 4; t++)
				threads.emplace_back([=] {
					touch(20 * t);
					burn_user(3000 * t);
				});
			for (auto &thread : threads)
				thread.join();
			std::thread([] {
				touch(5);
				for (;;)
					pause();
			}).detach();
			touch(10);
			return 0;
		}));
	}
}

VM_TEST(WaitUsage, LeaderEndedFirst)
{
	for (int i = 0; i < rounds(20); i++)
		collect(spawn([] {
			pid_t leader = gettid_raw();
			std::thread([=] {
				until_state(leader, 'Z');
				touch(50);
				burn_user(5000);
				exit_thread_raw(0);
			}).detach();
			touch(30);
			exit_thread_raw(0);
			return 0;
		}));
}

VM_TEST(WaitUsage, WithThatOfItsChildren)
{
	struct rusage ru = collect(spawn([] {
		for (int bsd = 0; bsd < 2; bsd++) {
			pid_t pid = spawn([] {
				touch(300);
				burn_user(30000);
				return 0;
			});
			int status = -1;
			if (bsd)
				bsd_wait4(pid, &status, 0, nullptr);
			else
				status = native_reap(pid);
			if (status != 0)
				return 1;
		}
		touch(10);
		return 0;
	}));
	EXPECT_GE(ru.ru_minflt, 610);
	EXPECT_GE(micros(ru.ru_utime), 60000 - 2 * kTickUs);
}

VM_TEST(WaitUsage, NotThatOfChildrenNobodyWaitedFor)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	Shared<std::atomic<pid_t>> orphan;
	struct rusage ru = collect(spawn([&] {
		*orphan = spawn([] {
			touch(2000);
			return 0;
		});
		native_peek(*orphan);
		return 0;
	}));
	EXPECT_LT(ru.ru_minflt, 2000);
	ru = collect(*orphan);
	EXPECT_GE(ru.ru_minflt, 2000);
}

VM_TEST(WaitUsage, ExecKeepsIt)
{
	std::string target = sibling("exec_target");
	struct rusage ru = collect(spawn([&] {
		touch(400);
		std::thread([&] {
			touch(100);
			execl(target.c_str(), "exec_target", "exit", "0", nullptr);
			_exit(98);
		}).join();
		return 97;
	}));
	EXPECT_GE(ru.ru_minflt, 500);
}
