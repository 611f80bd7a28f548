// SPDX-License-Identifier: BSD-2-Clause
// What ends a sleep is the child's own wake-up, and nothing else: a waiter runs when there is
// something for it, and not before, nor in between. Counted in context switches and in what
// others could do meanwhile; times are printed, and nothing hangs on them.
#include "vm_thread.h"
#include "vm_wait.h"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <vector>

using namespace vm;

namespace
{

// How often a thread was put on a CPU, and for how long it was there: neither moves while it
// sleeps.
struct Runs {
	unsigned long long ns = 0;
	long times = -1;
	bool operator==(const Runs &) const = default;
};

Runs runs_of(pid_t tid)
{
	Runs runs;
	unsigned long long delay;
	const std::string text = slurp("/proc/" + std::to_string(tid) + "/schedstat");
	if (sscanf(text.c_str(), "%llu %llu %ld", &runs.ns, &delay, &runs.times) != 3)
		die("schedstat");
	return runs;
}

long voluntary_switches(pid_t tid)
{
	const std::string text = slurp("/proc/" + std::to_string(tid) + "/status");
	const size_t at = text.find("\nvoluntary_ctxt_switches:");
	if (at == std::string::npos)
		die("status");
	return atol(text.c_str() + at + 25);
}

// One thread, of any process, whose sleep is watched. It was off the CPU when this was made.
class Watched
{
public:
	explicit Watched(pid_t tid) : tid_(tid)
	{
		until_waiting(tid);
		switches_ = voluntary_switches(tid);
		runs_ = runs_of(tid);
	}

	// It may have been on its way to its sleep at first: then it was on a CPU once more.
	void expect_slept(const char *through) const
	{
		const Runs now = runs_of(tid_);
		EXPECT_LE(now.times - runs_.times, 1) << through;
		EXPECT_LE(voluntary_switches(tid_) - switches_, 1) << through;
		if (now.times == runs_.times) {
			EXPECT_EQ(now.ns, runs_.ns) << through;
		}
	}

private:
	pid_t tid_;
	long switches_;
	Runs runs_;
};

int64_t now_ns()
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1'000'000'000ll + ts.tv_nsec;
}

// Long enough for anybody who looks every now and then to be caught: hundreds of ticks.
void let_time_pass()
{
	struct timespec ts = {2, 0};
	while (nanosleep(&ts, &ts) != 0)
		;
}

bool bind_to_one_cpu()
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return false;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set)) {
			CPU_ZERO(&set);
			CPU_SET(cpu, &set);
			return sched_setaffinity(0, sizeof(set), &set) == 0;
		}
	return false;
}

// And whom we fork from now on.
bool become_real_time(int priority)
{
	struct sched_param param = {};
	param.sched_priority = priority;
	return sched_setscheduler(0, SCHED_FIFO, &param) == 0;
}

struct Way {
	const char *name;
	// For that child, which has nothing to say yet; in what it has become, or stopped.
	std::function<pid_t(pid_t, int options)> wait;
};

const Way kNative = {"native waitpid",
		     [](pid_t pid, int options) { return waitpid(pid, nullptr, options); }};

// Linux has no such waits, so what stands in for them looks again and again.
bool stand_in()
{
	return getenv("BSDPROC_TEST_NATIVE");
}

std::vector<Way> bsd_ways()
{
	const auto six = [](idtype_t idtype, id_t id) {
		return [=](pid_t, int options) {
			return bsd_wait6(idtype, id, nullptr, WEXITED | options, nullptr, nullptr);
		};
	};
	std::vector<Way> ways = {
		{"bsd_wait4",
		 [](pid_t pid, int options) { return bsd_wait4(pid, nullptr, options, nullptr); }},
		{"bsd_wait4 for any",
		 [](pid_t, int options) { return bsd_wait4(-1, nullptr, options, nullptr); }},
		{"bsd_wait6 for the group", six(P_PGID, 0)}};
	if (!stand_in()) {
		ways.push_back({"bsd_wait6 for the session", six(P_SID, 0)});
		ways.push_back({"bsd_wait6 for the user", six(P_UID, geteuid())});
	}
	return ways;
}

// What waits came to, in so many rounds.
struct Waits {
	long switches = 0;       // of the waiter's own accord, in its waits
	int disturbed = 0;       // rounds in which the bystander ran after the child's last word
	std::vector<int64_t> ns; // from that to the waiter's return

	int64_t median() const
	{
		std::vector<int64_t> sorted = ns;
		std::sort(sorted.begin(), sorted.end());
		return sorted.empty() ? 0 : sorted[sorted.size() / 2];
	}
};

long own_switches()
{
	struct rusage ru;
	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_nvcsw;
}

// What child and waiter leave for each other.
struct Board {
	std::atomic<int64_t> said_at{0};
	std::atomic<uint64_t> said_when{0}, bystander{0};
};

class Bench
{
public:
	explicit Bench(Board &board) : board_(board) {}

	// The child says its last word when the waiter sleeps: it looks, or, on one CPU with
	// real time for both, it cannot run before. By a thread: its leader has gone first, and
	// nothing but the thread's end can end the wait.
	Waits exits(const Way &way, int rounds, bool looks, bool by_thread = false)
	{
		Waits waits;
		const pid_t self = getpid();
		for (int i = 0; i < rounds; i++) {
			const pid_t pid = spawn([&] {
				if (looks)
					until_waiting(self);
				if (by_thread)
					leave_it_to_a_thread();
				last_word();
				return 0;
			});
			one(waits, way, pid, 0);
		}
		return waits;
	}

	// The same child stops again and again.
	Waits stops(const Way &way, int rounds, bool looks)
	{
		Waits waits;
		const pid_t self = getpid();
		const pid_t pid = spawn([&]() -> int {
			for (;;) {
				if (looks)
					until_waiting(self);
				last_word();
				raise(SIGSTOP);
			}
		});
		for (int i = 0; i < rounds; i++) {
			one(waits, way, pid, WUNTRACED);
			kill(pid, SIGCONT);
		}
		finish(pid);
		return waits;
	}

private:
	[[noreturn]] void leave_it_to_a_thread()
	{
		BareThread thread;
		thread.start(
			[](BareThread &me) {
				static_cast<Bench *>(me.arg)->last_word();
				for (;;)
					exit_thread_raw(0);
			},
			this);
		for (;;)
			exit_thread_raw(0);
	}

	void last_word()
	{
		board_.said_when = board_.bystander.load();
		board_.said_at = now_ns();
	}

	void one(Waits &waits, const Way &way, pid_t pid, int options)
	{
		const long before = own_switches();
		if (way.wait(pid, options) != pid)
			die(way.name);
		waits.ns.push_back(now_ns() - board_.said_at);
		waits.disturbed += board_.bystander != board_.said_when;
		waits.switches += own_switches() - before;
	}

	Board &board_;
};

void print(const char *what, const Way &way, const Waits &waits)
{
	printf("# %s, %s: median %.1f us, %ld switches, %d disturbed\n", what, way.name,
	       static_cast<double>(waits.median()) / 1000, waits.switches, waits.disturbed);
}

} // namespace

// ---- while there is nothing to report ----------------------------------------------------

// The child lives on, and no waiter is put on a CPU all the while.
VM_TEST(WaitLatency, SleepsAsLongAsTheChildLives)
{
	const pid_t pid = resting_child();
	std::vector<Way> ways = bsd_ways();
	ways.push_back(kNative);
	std::vector<std::atomic<pid_t>> tids(ways.size());
	std::vector<std::thread> waiters;
	std::vector<Watched> watched;
	std::atomic<int> got{0}, none{0};
	for (size_t i = 0; i < ways.size(); i++)
		waiters.emplace_back([&, i] {
			tids[i] = gettid_raw();
			(ways[i].wait(pid, WUNTRACED) == pid ? got : none)++;
		});
	for (auto &tid : tids) {
		while (tid == 0)
			sched_yield();
		watched.emplace_back(tid);
	}
	let_time_pass();
	for (size_t i = 0; i < ways.size(); i++)
		watched[i].expect_slept(ways[i].name);
	kill(pid, SIGKILL);
	for (auto &waiter : waiters)
		waiter.join();
	EXPECT_EQ(got, 1);
	EXPECT_EQ(none, static_cast<int>(ways.size()) - 1);
}

// Who waits for one child, group or session is not woken by what others do.
VM_TEST(WaitLatency, SleepsWhileOthersEndAndStop)
{
	Tokens ready;
	const pid_t pid = spawn([&]() -> int {
		setsid();
		ready.give();
		rest();
	});
	ready.take();
	std::vector<Way> ways = {
		{"pid", [](pid_t id, int) { return bsd_wait4(id, nullptr, WUNTRACED, nullptr); }},
		{"group",
		 [](pid_t id, int) { return bsd_wait4(-id, nullptr, WUNTRACED, nullptr); }}};
	if (!stand_in())
		ways.push_back({"session", [](pid_t id, int) {
					return bsd_wait6(P_SID, id_of(id), nullptr, kAll, nullptr,
							 nullptr);
				}});
	std::vector<std::atomic<pid_t>> tids(ways.size());
	std::atomic<int> told{0};
	std::vector<std::thread> waiters;
	std::vector<Watched> watched;
	for (size_t i = 0; i < ways.size(); i++)
		waiters.emplace_back([&, i] {
			tids[i] = gettid_raw();
			told += ways[i].wait(pid, 0) == pid;
		});
	for (auto &tid : tids) {
		while (tid == 0)
			sched_yield();
		watched.emplace_back(tid);
	}
	for (int i = 0; i < rounds(50); i++) {
		const pid_t other = resting_child();
		stop(other);
		native_take(other, WSTOPPED);
		kill(other, SIGCONT);
		native_take(other, WCONTINUED);
		finish(other);
		native_reap(spawn([] { return 0; }));
	}
	for (size_t i = 0; i < ways.size(); i++)
		watched[i].expect_slept(ways[i].name);
	EXPECT_EQ(told, 0);
	kill(pid, SIGKILL);
	for (auto &waiter : waiters)
		waiter.join();
	EXPECT_EQ(told, 1);
}

// ---- when there is -------------------------------------------------------------------------

// A sleep for each report, as Linux's own waits have it, on one CPU and on several. Who looks
// again and again has many.
VM_TEST(WaitLatency, OneSleepForEachReport)
{
	Shared<Board> board;
	Bench bench(*board);
	const int n = rounds(200);
	for (bool one_cpu : {false, true}) {
		if (one_cpu && !bind_to_one_cpu())
			GTEST_SKIP() << "cannot choose a CPU here";
		const char *where = one_cpu ? "on one CPU" : "on any CPU";
		const Waits ends = bench.exits(kNative, n, true);
		const Waits stops = bench.stops(kNative, n, true);
		print(where, kNative, ends);
		print((std::string(where) + ", stops").c_str(), kNative, stops);
		for (const Way &way : bsd_ways()) {
			const Waits e = bench.exits(way, n, true), s = bench.stops(way, n, true);
			print(where, way, e);
			print((std::string(where) + ", stops").c_str(), way, s);
			// Each of them sleeps at least once, as the child looks for that.
			EXPECT_LE(e.switches, 2 * std::max(ends.switches, long(n))) << way.name;
			EXPECT_LE(s.switches, 2 * std::max(stops.switches, long(n))) << way.name;
		}
	}
}

// From the child's last word on, child and waiter keep a CPU to themselves: a bystander of no
// priority, which gets it as soon as both sleep, does not. So nothing but the child's end has
// ended the wait: no tick, no timer, no worker of the kernel's.
VM_TEST(WaitLatency, NobodyRunsBetweenTheEndAndTheWaiter)
{
	Shared<Board> board;
	Bench bench(*board);
	if (!bind_to_one_cpu())
		GTEST_SKIP() << "cannot choose a CPU here";
	const pid_t bystander = spawn_orphan([&]() -> int {
		for (;;)
			board->bystander++;
	});
	while (board->bystander == 0)
		sched_yield();
	if (!become_real_time(10)) {
		kill(bystander, SIGKILL);
		GTEST_SKIP() << "no real time to be had here";
	}
	const int n = rounds(200), some = n / 10 + 1;
	const Waits ends = bench.exits(kNative, n, false), stops = bench.stops(kNative, n, false),
		    lasts = bench.exits(kNative, n, false, true);
	print("in real time", kNative, ends);
	print("in real time, last thread", kNative, lasts);
	print("in real time, stops", kNative, stops);
	for (const Way &way : bsd_ways()) {
		const Waits e = bench.exits(way, n, false), s = bench.stops(way, n, false),
			    l = bench.exits(way, n, false, true);
		print("in real time", way, e);
		print("in real time, last thread", way, l);
		print("in real time, stops", way, s);
		EXPECT_LE(e.disturbed, ends.disturbed + some) << way.name;
		EXPECT_LE(s.disturbed, stops.disturbed + some) << way.name;
		EXPECT_LE(l.disturbed, lasts.disturbed + some) << way.name;
	}
	kill(bystander, SIGKILL);
}
