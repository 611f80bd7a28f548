// SPDX-License-Identifier: BSD-2-Clause
// Stops and continues beside everything else that happens at that moment: waiters that go to
// sleep, other signals, ends, other waiters, the parent's own stop.
#include "vm_wait.h"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

using namespace vm;

namespace
{

// What one kind of report came how often, by child.
struct Count {
	int stops = 0, continues = 0, ends = 0;
	bool operator==(const Count &) const = default;
};

struct Report {
	pid_t pid;
	int status;
};

// One wait for all that there is, native or not. False: there is no child any more.
bool next_report(bool native, int options, Report &report)
{
	int status = -1;
	const pid_t pid =
		native ? waitpid(-1, &status, options) : bsd_wait4(-1, &status, options, nullptr);
	if (pid < 0 && errno != ECHILD)
		die("wait");
	// Linux's own word for that.
	report = {pid, native && WIFCONTINUED(status) ? SIGCONT : status};
	return pid > 0;
}

bool is_stop(int status)
{
	return (status & 0xff) == 0x7f;
}

} // namespace

// A lost wake-up hangs here. As in WaitBlock.ChildEndsWhileWaiterGoesToSleep, a look before
// the wait says who was first, and the next round's delay is corrected by that.
VM_TEST(WaitStopRace, ChangesWhileTheWaiterGoesToSleep)
{
	const int total = std::max(rounds(2000), 300);
	Shared<std::atomic<int>> turn{0};
	const pid_t pid = resting_child();
	spawn_orphan([&] {
		for (int i = 1; i <= total; i++) {
			while (*turn < i)
				spin(1);
			kill(pid, i & 1 ? SIGSTOP : SIGCONT);
		}
		return 0;
	});
	int delay[2] = {1000, 1000}, before[2] = {};
	for (int i = 1; i <= total; i++) {
		const int to_stop = i & 1;
		const int kind = to_stop ? WUNTRACED : WCONTINUED;
		siginfo_t info{};
		*turn = i;
		spin(delay[to_stop]);
		waitid(P_PID, id_of(pid), &info, kind | WNOHANG | WNOWAIT);
		expect_wait6(i & 2 ? P_ALL : P_PID, id_of(pid), kind,
			     to_stop ? stopped(pid, SIGSTOP) : continued(pid));
		const bool early = info.si_pid != 0;
		int &d = delay[to_stop];
		before[to_stop] += early;
		d += early ? -(d / 16 + 1) : before[to_stop] ? d / 16 + 1 : d;
		d = std::clamp(d, 0, 50'000'000);
		if (testing::Test::HasFailure())
			return;
	}
	for (int n : before) {
		EXPECT_GT(n, total / 20);
		EXPECT_LT(n, total / 2 - total / 20);
	}
	finish(pid);
}

// Whatever came of the stop, after the SIGCONT nothing of it is left.
VM_TEST(WaitStopRace, StopAndContinueTogether)
{
	const pid_t pid = resting_child();
	// Kept close to where it just stops, or just does not; doubled until it first has.
	int delay = 100, continues = 0;
	for (int i = 0, total = std::max(rounds(1000), 100); i < total; i++) {
		kill(pid, SIGSTOP);
		spin(delay);
		kill(pid, SIGCONT);
		expect_wait6(i & 1 ? P_ALL : P_PID, id_of(pid), WUNTRACED | WEXITED | WNOHANG,
			     nothing());
		siginfo_t linux_{}, info{};
		ASSERT_EQ(waitid(P_PID, id_of(pid), &linux_, WCONTINUED | WNOHANG | WNOWAIT), 0);
		const bool stopped = linux_.si_pid != 0;
		// Linux may be about to tell of it, so this may have to sleep.
		ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, kAll | (stopped ? 0 : WNOHANG)), 0);
		EXPECT_EQ(info.si_pid, stopped ? pid : 0);
		continues += stopped;
		delay += stopped ? -(delay / 16 + 1) : continues ? delay / 16 + 1 : delay;
		delay = std::clamp(delay, 0, 50'000'000);
		if (!stopped)
			continue;
		EXPECT_EQ(info.si_code, CLD_CONTINUED);
		expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	}
	EXPECT_GT(continues, 0);
	finish(pid);
}

// The same with waiters asleep: they are told no more than has happened, and the end once.
VM_TEST(WaitStopRace, StopsAndContinuesOfOneThatIsKilled)
{
	for (int round = 0; round < rounds(50); round++) {
		const pid_t pid = resting_child();
		std::atomic<int> stops{0}, continues{0}, ends{0}, strange{0};
		std::vector<std::thread> waiters;
		for (bool native : {true, false, false})
			waiters.emplace_back([&, native] {
				Report report;
				while (next_report(native, WUNTRACED | WCONTINUED, report))
					if (is_stop(report.status))
						stops++;
					else if (report.status == SIGCONT)
						continues++;
					else
						(report.status == SIGKILL ? ends : strange)++;
			});
		const int signals = 1 + round % 7;
		for (int i = 0; i < signals; i++) {
			kill(pid, SIGSTOP);
			spin(round * 10);
			kill(pid, SIGCONT);
		}
		kill(pid, SIGSTOP);
		kill(pid, SIGKILL);
		for (auto &waiter : waiters)
			waiter.join();
		ASSERT_EQ(ends, 1);
		ASSERT_EQ(strange, 0);
		ASSERT_LE(stops, signals + 1);
		ASSERT_LE(continues, signals);
	}
}

// One thread stops the process while another ends it.
VM_TEST(WaitStopRace, StopWhileAGroupExitBegins)
{
	int stops = 0, continues = 0;
	for (int round = 0; round < rounds(200); round++) {
		Shared<Barrier> start(2);
		const pid_t pid = spawn([&]() -> int {
			std::thread([] { rest(); }).detach();
			std::thread([&] {
				start->meet();
				kill(getpid(), SIGSTOP);
				rest();
			}).detach();
			start->meet();
			spin(round * 20);
			return 7;
		});
		Report report;
		int ends = 0;
		while (next_report(false, WUNTRACED | WCONTINUED, report)) {
			ASSERT_EQ(report.pid, pid);
			ASSERT_EQ(ends, 0);
			if (is_stop(report.status)) {
				ASSERT_EQ(report.status, SIGSTOP << 8 | 0x7f);
				stops++;
				kill(pid, SIGCONT);
			} else if (report.status == SIGCONT) {
				continues++;
			} else {
				ASSERT_EQ(report.status, 7 << 8);
				ends++;
			}
		}
		ASSERT_EQ(ends, 1);
	}
	EXPECT_LE(continues, stops);
	EXPECT_LE(stops, rounds(200));
}

// The core is being written while stop signals and SIGCONT come.
VM_TEST(WaitStopRace, CoreDumpInBetween)
{
	std::string pattern = slurp("/proc/sys/kernel/core_pattern");
	char dir[] = "/tmp/bsdproc-core-XXXXXX";
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	if (pattern.empty() || pattern[0] == '|' || pattern[0] == '/')
		GTEST_SKIP() << "core_pattern is not a plain file name: " << pattern;
	if (setrlimit(RLIMIT_CORE, &all) != 0)
		GTEST_SKIP() << "no core dumps allowed here";
	ASSERT_TRUE(mkdtemp(dir));
	ASSERT_EQ(chdir(dir), 0);
	for (int round = 0; round < rounds(40); round++) {
		Shared<Barrier> start(2);
		const pid_t pid = spawn([&]() -> int {
			std::thread([] { rest(); }).detach();
			start->meet();
			raise(SIGQUIT);
			return 99;
		});
		const pid_t disturber = spawn_orphan([&]() -> int {
			for (;;) {
				kill(pid, SIGSTOP);
				spin(500);
				kill(pid, SIGCONT);
				spin(500);
			}
		});
		start->meet();
		Report report = {};
		while (next_report(false, WUNTRACED | WCONTINUED, report))
			if (!is_stop(report.status) && report.status != SIGCONT)
				break;
		EXPECT_EQ(report.pid, pid);
		EXPECT_EQ(report.status, SIGQUIT | 0x80);
		expect_wait6(P_ALL, 0, kAll, failed(ECHILD));
		kill(disturber, SIGKILL);
	}
	EXPECT_EQ(system((std::string("rm -rf ") + dir).c_str()), 0);
}

// ---- many of them --------------------------------------------------------------------

namespace
{

constexpr int kMany = 200;

// What threads of waiters are told of many children, each of which is stopped at first; who is
// told of a stop has it go on, who is told of that kills it.
std::map<pid_t, Count> lives_of_many(int native, int bsd, const std::vector<pid_t> &pids)
{
	std::vector<std::vector<Report>> seen(size_t(native + bsd));
	std::vector<std::thread> threads;
	for (int i = 0; i < native + bsd; i++)
		threads.emplace_back([&, i] {
			Report report;
			while (next_report(i < native, WUNTRACED | WCONTINUED, report)) {
				seen[size_t(i)].push_back(report);
				if (is_stop(report.status))
					kill(report.pid, SIGCONT);
				else if (report.status == SIGCONT)
					kill(report.pid, SIGKILL);
			}
		});
	for (auto &thread : threads)
		thread.join();
	std::map<pid_t, Count> counts;
	for (pid_t pid : pids)
		counts[pid];
	for (const auto &list : seen)
		for (const Report &report : list) {
			Count &count = counts[report.pid];
			if (report.status == (SIGSTOP << 8 | 0x7f))
				count.stops++;
			else if (report.status == SIGCONT)
				count.continues++;
			else if (report.status == SIGKILL)
				count.ends++;
			else
				ADD_FAILURE() << report.pid << ": " << report.status;
		}
	return counts;
}

void expect_each_once(const std::map<pid_t, Count> &counts, const std::vector<pid_t> &pids)
{
	EXPECT_EQ(counts.size(), pids.size());
	for (const auto &[pid, count] : counts)
		EXPECT_EQ(count, (Count{1, 1, 1}))
			<< pid << ": " << count.stops << " stops, " << count.continues
			<< " continues, " << count.ends << " ends";
}

// Children that stop themselves.
std::vector<pid_t> many_that_stop(int n)
{
	std::vector<pid_t> pids;
	for (int i = 0; i < n; i++)
		pids.push_back(spawn([]() -> int {
			raise(SIGSTOP);
			rest();
		}));
	return pids;
}

} // namespace

VM_TEST(WaitStopRace, ManyStopped)
{
	const std::vector<pid_t> pids = many_that_stop(kMany);
	expect_each_once(lives_of_many(0, 4, pids), pids);
}

VM_TEST(WaitStopRace, ManyStoppedBesideNativeWaiters)
{
	const std::vector<pid_t> pids = many_that_stop(kMany);
	expect_each_once(lives_of_many(2, 3, pids), pids);
}

// All have stopped before anybody looks, and all at once.
VM_TEST(WaitStopRace, ManyStoppedBeforeTheFirstLook)
{
	const std::vector<pid_t> pids = many_that_stop(kMany);
	for (pid_t pid : pids)
		until_halted(pid);
	for (int kinds : {WUNTRACED, WCONTINUED, WEXITED}) {
		std::map<pid_t, int> told;
		int status = 0;
		for (pid_t pid;
		     (pid = bsd_wait6(P_ALL, 0, &status, kinds | WNOHANG, nullptr, nullptr)) > 0;)
			EXPECT_EQ(told[pid]++, 0) << pid;
		EXPECT_EQ(told.size(), pids.size()) << kinds;
		for (pid_t pid : pids)
			kill(pid, kinds == WUNTRACED ? SIGCONT : SIGKILL);
		if (kinds == WCONTINUED)
			for (pid_t pid : pids)
				native_peek(pid);
	}
	expect_wait6(P_ALL, 0, kAll, failed(ECHILD));
}

// The table of who has something to say has long been in use when it gets too small.
VM_TEST(WaitStopRace, MoreAndMoreStopped)
{
	std::vector<pid_t> all;
	for (int n = 1; n <= kMany; n *= 3) {
		const std::vector<pid_t> more = many_that_stop(n);
		for (pid_t pid : more)
			until_halted(pid);
		all.insert(all.end(), more.begin(), more.end());
		// Those of before are stopped still, and were told.
		for (int i = 0; i < n; i++) {
			siginfo_t info{};
			ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, WUNTRACED | WNOHANG), 0);
			EXPECT_NE(std::find(more.begin(), more.end(), info.si_pid), more.end());
		}
		expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	}
	killpg(0, SIGCONT);
	for (size_t i = 0; i < all.size(); i++) {
		siginfo_t info{};
		ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, WCONTINUED), 0);
		EXPECT_EQ(info.si_code, CLD_CONTINUED);
	}
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
}

// Of many who wait for one stop one is told; what comes next wakes the others.
VM_TEST(WaitStopRace, ManyWaitersForOne)
{
	for (int round = 0; round < rounds(30); round++) {
		const pid_t pid = resting_child();
		std::atomic<int> told{0}, none{0}, wrong{0};
		{
			std::vector<std::unique_ptr<Sleeper>> sleepers;
			for (int i = 0; i < 6; i++)
				sleepers.push_back(std::make_unique<Sleeper>([&, i] {
					siginfo_t info{};
					int got;
					if (i < 2)
						got = waitid(P_PID, id_of(pid), &info, WSTOPPED);
					else
						got = bsd_waitid(i & 1 ? P_PID : P_ALL, id_of(pid),
								 &info, WUNTRACED);
					if (got == 0 && info.si_pid == pid &&
					    info.si_code == CLD_STOPPED)
						told++;
					else if (got == -1 && errno == ECHILD)
						none++;
					else
						wrong++;
				}));
			kill(pid, SIGSTOP);
			while (told == 0)
				sched_yield();
			kill(pid, SIGKILL);
		}
		EXPECT_EQ(told, 1);
		EXPECT_EQ(none, 5);
		EXPECT_EQ(wrong, 0);
		native_reap(pid);
	}
}

// ---- other parents, other children -------------------------------------------------

// A waiter that is stopped stays so, whatever its child does, and then is told.
VM_TEST(WaitStopRace, StoppedWaiterStaysStopped)
{
	for (int kind : {WUNTRACED, WCONTINUED}) {
		Shared<std::atomic<pid_t>> child{0};
		const pid_t waiter = spawn([&] {
			const pid_t pid = resting_child();
			if (kind == WCONTINUED) {
				stop(pid);
				native_take(pid, WSTOPPED);
			}
			*child = pid;
			const Want want =
				kind == WUNTRACED ? stopped(pid, SIGSTOP) : continued(pid);
			const bool good = try_wait6(P_ALL, 0, kind, want).empty();
			finish(pid);
			return good ? 0 : 1;
		});
		while (*child == 0)
			sched_yield();
		until_waiting(waiter);
		expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
		kill(waiter, SIGSTOP);
		expect_wait6(P_ALL, 0, kAll, stopped(waiter, SIGSTOP));
		kill(*child, kind == WUNTRACED ? SIGSTOP : SIGCONT);
		until_state(*child, kind == WUNTRACED ? 'T' : 'S');
		EXPECT_EQ(state_of(waiter), 'T');
		kill(waiter, SIGCONT);
		expect_wait4(waiter, 0, exited(waiter, 0));
	}
}

// Its threads sleep in waits for stops while it execs, exits or is killed.
VM_TEST(WaitStopRace, SleepersDieWithTheirProcess)
{
	const std::string target = sibling("exec_target");
	for (int i = 0; i < rounds(60); i++) {
		const pid_t process = spawn([&]() -> int {
			spawn([]() -> int {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				rest();
			});
			std::atomic<pid_t> tids[3] = {};
			for (auto &tid : tids)
				std::thread([&] {
					tid = gettid_raw();
					bsd_wait6(P_ALL, 0, nullptr, kAll, nullptr, nullptr);
					_exit(90);
				}).detach();
			for (auto &tid : tids) {
				while (tid == 0)
					sched_yield();
				until_waiting(tid);
			}
			if (i % 3 == 0)
				execl(target.c_str(), "exec_target", "lwp", "8", nullptr);
			if (i % 3 == 1)
				kill(getpid(), SIGKILL);
			return 8;
		});
		const Want want = i % 3 == 1 ? killed(process, SIGKILL) : exited(process, 8);
		expect_wait6(P_ALL, 0, kAll, want);
	}
}

// A parent that has waited for stops and execs: the program after it is told of its children.
VM_TEST(WaitStopRace, StopsBeforeAnExecAreToldAfterIt)
{
	const std::string target = sibling("exec_target");
	for (bool thread : {false, true}) {
		const pid_t parent = spawn([&]() -> int {
			const pid_t pid = resting_child();
			if (!try_wait6(P_ALL, 0, kAll | WNOHANG, nothing()).empty())
				return 96;
			stop(pid);
			const auto go = [&] {
				execl(target.c_str(), "exec_target", "stop",
				      std::to_string(pid).c_str(), nullptr);
				_exit(97);
			};
			if (thread)
				std::thread(go).join();
			go();
			return 98;
		});
		expect_wait4(parent, 0, exited(parent, 0));
	}
}

// Stops inside a namespace are told by the numbers of who waits; its end takes all with it.
VM_TEST(WaitStopRace, Namespace)
{
	Tokens ready;
	const pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, [&]() -> int {
		const pid_t first = resting_child();
		kill(first, SIGSTOP);
		const bool good = try_wait6(P_ALL, 0, kAll, stopped(first, SIGSTOP)).empty() &&
				  try_wait6(P_PID, id_of(first), kAll | WNOHANG, nothing()).empty();
		for (pid_t pid : many_that_stop(50))
			until_reportable(pid, WSTOPPED);
		if (good)
			ready.give();
		rest();
	});
	ready.take();
	expect_wait6(P_ALL, 0, kAll | WNOHANG, nothing());
	kill(init, SIGSTOP);
	expect_wait6(P_ALL, 0, kAll, stopped(init, SIGSTOP));
	kill(init, SIGCONT);
	expect_wait6(P_PID, id_of(init), kAll, continued(init));
	kill(init, SIGSTOP);
	expect_wait6(P_ALL, 0, kAll | WNOWAIT, stopped(init, SIGSTOP));
	kill(init, SIGKILL);
	expect_wait6(P_ALL, 0, WEXITED, killed(init, SIGKILL));
	expect_wait6(P_ALL, 0, kAll, failed(ECHILD));
}

// The thread that forked sleeps until the child execs or ends; another is told of its stops.
VM_TEST(WaitStopRace, VforkedChildStops)
{
	for (int i = 0; i < rounds(20); i++) {
		std::atomic<pid_t> vforked{0};
		std::thread maker([&] {
			std::atomic<pid_t> *out = &vforked;
			const pid_t pid = spawn_vfork([out] {
				*out = static_cast<pid_t>(syscall(SYS_getpid));
				kill(*out, SIGSTOP);
				return 7;
			});
			EXPECT_EQ(pid, vforked);
		});
		while (vforked == 0)
			sched_yield();
		const pid_t pid = vforked;
		expect_wait6(i & 1 ? P_ALL : P_PID, id_of(pid), kAll, stopped(pid, SIGSTOP));
		kill(pid, SIGCONT);
		maker.join();
		siginfo_t info{};
		ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, kAll), 0);
		if (info.si_code == CLD_CONTINUED) { // not over yet
			ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, kAll), 0);
		}
		EXPECT_EQ(info.si_pid, pid);
		EXPECT_EQ(info.si_code, CLD_EXITED);
		EXPECT_EQ(info.si_status, 7);
	}
}
