// SPDX-License-Identifier: BSD-2-Clause
// Every child is reported exactly once, whoever waits and however.
#include "vm_test.h"

#include <map>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

using Report = std::pair<pid_t, int>;
using Count = std::map<Report, int>;

constexpr int kNative = 3, kBsd = 3;

struct Waiters {
	std::vector<std::vector<Report>> seen;
	std::vector<std::thread> threads;
	std::atomic<int> strange{0};

	// Each waits for any child until there is none.
	void start(int native, int bsd)
	{
		seen.resize(static_cast<size_t>(native) + static_cast<size_t>(bsd));
		for (int i = 0; i < native + bsd; i++)
			threads.emplace_back([this, i, native] { loop(i, i < native); });
	}

	void loop(int i, bool native)
	{
		for (;;) {
			int status = -1;
			pid_t pid = native ? waitpid(-1, &status, 0)
					   : bsd_wait4(-1, &status, 0, nullptr);
			if (pid > 0) {
				seen[static_cast<size_t>(i)].emplace_back(pid, status);
				continue;
			}
			if (pid != -1 || errno != ECHILD)
				strange++;
			return;
		}
	}

	Count join()
	{
		Count all;
		for (auto &thread : threads)
			thread.join();
		for (auto &list : seen)
			for (auto &report : list)
				all[report]++;
		return all;
	}

	size_t by(int first, int end) const
	{
		size_t n = 0;
		for (int i = first; i < end; i++)
			n += seen[static_cast<size_t>(i)].size();
		return n;
	}
};

// With few numbers there may be none left until the waiters have caught up.
pid_t fork_patiently()
{
	pid_t pid;
	while ((pid = fork()) < 0)
		if (errno != EAGAIN)
			die("fork");
	return pid;
}

// Forks `children` while the waiters run; an anchor keeps them from ECHILD before the end.
void beside_each_other(int native, int bsd, int children, Waiters &waiters)
{
	Tokens go;
	Count made;
	pid_t anchor = spawn([&] {
		go.take();
		return 255;
	});
	made[{anchor, 255 << 8}]++;
	waiters.start(native, bsd);
	for (int i = 0; i < children; i++) {
		pid_t pid = fork_patiently();
		if (pid == 0)
			_exit(i % 251);
		made[{pid, (i % 251) << 8}]++;
	}
	go.give();
	Count seen = waiters.join();
	EXPECT_EQ(waiters.strange, 0);
	EXPECT_EQ(seen.size(), made.size());
	EXPECT_EQ(seen, made);
}

// A pid_max that makes numbers come round again every few hundred forks.
class TinyPidMax
{
public:
	TinyPidMax() : old_(slurp(kPath)) { good_ = put("500"); }
	~TinyPidMax() { put(old_); }
	bool good() const { return good_; }

private:
	static constexpr const char *kPath = "/proc/sys/kernel/pid_max";
	static bool put(const std::string &text)
	{
		int fd = open(kPath, O_WRONLY | O_CLOEXEC);
		bool ok = fd >= 0 && write(fd, text.data(), text.size()) > 0;
		if (fd >= 0)
			close(fd);
		return ok;
	}
	std::string old_;
	bool good_;
};

} // namespace

VM_TEST(WaitOnce, ManyBsdWaiters)
{
	Waiters waiters;
	beside_each_other(0, 6, rounds(1000), waiters);
}

VM_TEST(WaitOnce, BesideNativeWaiters)
{
	// Until neither kind went without a child, or the case shows nothing.
	for (bool native = false, bsd = false; !native || !bsd;) {
		Waiters waiters;
		beside_each_other(kNative, kBsd, rounds(2000), waiters);
		native |= waiters.by(0, kNative) > 0;
		bsd |= waiters.by(kNative, kNative + kBsd) > 0;
	}
}

VM_TEST(WaitOnce, ByNumberBesideAny)
{
	for (int round = 0; round < rounds(150); round++) {
		std::atomic<int> mine{0}, others{0}, strange{0};
		std::vector<pid_t> pids;
		Shared<Barrier> start(9);
		for (int i = 0; i < 8; i++)
			pids.push_back(spawn([&, i] {
				start->meet();
				return i + 1;
			}));
		std::vector<std::thread> threads;
		for (size_t i = 0; i < 4; i++)
			threads.emplace_back([&, i] {
				int status = -1;
				pid_t got = bsd_wait4(pids[i], &status, 0, nullptr);
				if (got == pids[i] &&
				    status == exit_status(static_cast<int>(i) + 1))
					mine++;
				else if (got != -1 || errno != ECHILD)
					strange++;
			});
		for (bool native : {true, false})
			threads.emplace_back([&, native] {
				for (;;) {
					int status = -1;
					pid_t got = native ? waitpid(-1, &status, 0)
							   : bsd_wait4(-1, &status, 0, nullptr);
					if (got < 0)
						break;
					size_t i = static_cast<size_t>(status >> 8) - 1;
					if (i >= pids.size() || pids[i] != got)
						strange++;
					others++;
				}
				if (errno != ECHILD)
					strange++;
			});
		start->meet();
		for (auto &thread : threads)
			thread.join();
		ASSERT_EQ(strange, 0);
		ASSERT_EQ(mine + others, 8);
	}
}

VM_TEST(WaitOnce, PollersBesideSleepers)
{
	std::atomic<bool> made_all{false};
	std::atomic<int> polled{0}, strange{0};
	const int children = rounds(1000);
	Tokens go;
	pid_t anchor = spawn([&] {
		go.take();
		return 0;
	});
	Waiters waiters;
	waiters.start(1, 2);
	std::thread poller([&] {
		for (;;) {
			int status = -1;
			pid_t got = bsd_wait4(-1, &status, WNOHANG, nullptr);
			if (got > 0 && status >> 8 < 251)
				polled++;
			else if (got < 0 && errno == ECHILD && made_all)
				return;
			else if (got != 0 || status != 0)
				strange++;
		}
	});
	for (int i = 0; i < children; i++)
		spawn([=] { return i % 251; });
	made_all = true;
	go.give();
	size_t seen = 0;
	for (auto &[report, count] : waiters.join())
		seen += static_cast<size_t>(count);
	poller.join();
	EXPECT_GT(anchor, 0);
	EXPECT_EQ(strange, 0);
	EXPECT_EQ(waiters.strange, 0);
	EXPECT_EQ(seen + static_cast<size_t>(polled), static_cast<size_t>(children) + 1);
}

// Numbers come round while a claim may be on its way from the module to the reaper: each
// status that a child ended with is reported with its own number, no other.
VM_TEST(WaitOnce, SmallPidMax)
{
	if (getenv("BSDPROC_TEST_NATIVE"))
		GTEST_SKIP() << "not on one's own machine: it sets pid_max for everyone";
	TinyPidMax tiny;
	if (!tiny.good())
		GTEST_SKIP() << "pid_max cannot be set here";
	Waiters waiters;
	beside_each_other(kNative, kBsd, rounds(2000), waiters);
}

VM_TEST(WaitOnce, SignalsEverywhere)
{
	struct sigaction act = {};
	act.sa_handler = [](int) {};
	sigaction(SIGCHLD, &act, nullptr);
	const int children = rounds(500);
	for (int i = 0; i < children; i++) {
		pid_t pid = spawn([=] { return i % 251; });
		int status = -1;
		ASSERT_EQ(bsd_wait_hard(i & 1 ? -1 : pid, &status), pid);
		ASSERT_EQ(status, (i % 251) << 8);
	}
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
}
