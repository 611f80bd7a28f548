// SPDX-License-Identifier: BSD-2-Clause
// vfork: the child borrows its parent's memory and one thread sleeps for it, while the others
// wait for whatever ends, are killed, or exec.
#include "storm.h"

#include <thread>

using namespace storm;

namespace
{

constexpr int kThreads = 5, kWaiters = 2;

std::string target;

// What a vforked child does, by the thread that made it.
enum Way { kExits, kExecs, kKilled, kExecsAndIsKilled, kVforksToo };

// `pid` is where the child says who it is, to those in the same memory.
int live(const Options &options, int way, int code, std::atomic<pid_t> &pid, Tokens &never)
{
	switch (way) {
	case kExits:
		end_process(options, code);
		break;
	case kExecs:
		execl(target.c_str(), "exec_target", "exit", std::to_string(code).c_str(), nullptr);
		break;
	case kKilled:
		for (pid = getpid();;)
			pause();
	case kExecsAndIsKilled:
		never.as_stdio();
		pid = getpid();
		execl(target.c_str(), "exec_target", "hold", nullptr);
		break;
	case kVforksToo: {
		int status = -1;
		pid_t inner = spawn_vfork([] {
			execl(target.c_str(), "exec_target", "exit", "9", nullptr);
			return 200;
		});
		return collect(options, inner, &status) == inner && status == 9 << 8 ? code : 201;
	}
	}
	return 202;
}

int end_of(int way, int code)
{
	return way == kKilled || way == kExecsAndIsKilled ? SIGKILL : code << 8;
}

// One vfork, with somebody to kill the child where it must be killed.
pid_t vfork_some_way(const Options &options, int way, int code, Tokens &never)
{
	std::atomic<pid_t> pid{0};
	std::thread killer;
	if (end_of(way, code) == SIGKILL)
		killer = std::thread([&] {
			while (pid == 0)
				sched_yield();
			kill(pid, SIGKILL);
		});
	pid_t child = spawn_vfork([&] { return live(options, way, code, pid, never); });
	if (killer.joinable())
		killer.join();
	return child;
}

// Every way at once; `met(pid, status)` is for each child as soon as it is known.
template <class F> void vfork_all_ways(const Options &options, Tokens &never, F met)
{
	std::vector<std::thread> threads;
	for (int t = 0; t < kThreads; t++)
		threads.emplace_back([&, t] {
			met(vfork_some_way(options, t, 10 + t, never), end_of(t, 10 + t));
		});
	for (auto &thread : threads)
		thread.join();
}

void known_by_number(const Options &options, Tokens &never)
{
	vfork_all_ways(options, never,
		       [&](pid_t pid, int status) { expect_end(options, pid, status); });
}

// Threads of the parent meet the children, often before the vfork has returned.
void met_by_others(const Options &options, Tokens &never, int n)
{
	Tokens last;
	Count want{{1 << 8, 1}}, seen;
	for (int t = 0; t < kThreads; t++)
		want[end_of(t, 10 + t)]++;
	// While it lives, nobody is told that there are no children.
	spawn([&] {
		last.take();
		return 1;
	});
	Count parts[kWaiters];
	std::vector<std::thread> waiters;
	for (Count &part : parts)
		waiters.emplace_back([&] { part = collect_all(options); });
	vfork_all_ways(options, never, [](pid_t, int) {});
	last.give();
	for (auto &waiter : waiters)
		waiter.join();
	for (const Count &part : parts)
		for (auto [status, times] : part)
			seen[status] += times;
	expect_count(seen, want, "met by other threads", n);
}

// The process ends in one way or another while its thread sleeps in vfork.
int leave_vforked(const Options &options, int how, std::atomic<pid_t> &inside, Tokens &late)
{
	std::thread([&] {
		spawn_vfork([&] {
			inside = getpid();
			late.take();
			end_process(options, 4);
			return 0;
		});
	}).detach();
	while (!inside)
		sched_yield();
	if (how == 0)
		kill(getpid(), SIGKILL);
	else if (how == 1)
		end_process(options, 3);
	else
		execl(target.c_str(), "exec_target", "exit", "3", nullptr);
	return 203;
}

void parent_goes(const Options &options, int n)
{
	int how = n / 3 % 3;
	Shared<std::atomic<pid_t>> inside;
	Tokens late;
	pid_t parent = spawn([&] { return leave_vforked(options, how, *inside, late); });
	int end = how == 0 ? SIGKILL : 3 << 8;
	if (n / 9 & 1) {
		expect_end(options, parent, end);
		late.give();
		expect_count(collect_all(options), {{4 << 8, 1}}, "left by its parent", n);
	} else {
		// Ours as soon as the parent is dead, whether or not that has been met.
		native_peek(parent);
		late.give();
		expect_end(options, *inside, 4 << 8);
		expect_count(collect_all(options), {{end, 1}}, "met after its child", n);
	}
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	target = sibling("exec_target");
	return run(options, [&](int n) {
		Tokens never;
		if (n % 3 == 0)
			met_by_others(options, never, n);
		else if (n % 3 == 1)
			known_by_number(options, never);
		else
			parent_goes(options, n);
	});
}
