// SPDX-License-Identifier: BSD-2-Clause
// Threads that are made and end, in every way, with and without their process.
#include "storm.h"

#include <thread>
#include <vector>

using namespace storm;

namespace
{

constexpr int kThreads = 5;

// Ends of a process of several threads; each gives the wait status it must have.
enum Way { kJoined, kLastOne, kExitGroup, kKilled, kLeaderFirst, kWays };

int joined()
{
	std::atomic<int> sum{0};
	std::vector<std::thread> threads;
	for (int t = 0; t < kThreads; t++)
		threads.emplace_back([&, t] { sum += t; });
	for (auto &thread : threads)
		thread.join();
	return sum;
}

int die_some_way(const Options &options, int way, int code)
{
	Barrier start(kThreads + 1);
	pid_t leader = gettid_raw();
	for (int t = 0; t < kThreads; t++)
		std::thread([&, t, way, code, leader] {
			start.meet();
			if (way == kExitGroup && t == 2)
				end_process(options, code);
			if (way == kKilled && t == 3)
				kill(getpid(), SIGKILL);
			if (way == kLeaderFirst)
				until_state(leader, 'Z');
			if (way == kLastOne || way == kLeaderFirst)
				end_thread(options, code);
			for (;;)
				pause();
		}).detach();
	start.meet();
	if (way == kLastOne || way == kLeaderFirst)
		end_thread(options, code);
	for (;;)
		pause();
}

void one(const Options &options, int n)
{
	int way = n % kWays, code = n & 0xff;
	pid_t pid =
		spawn([&] { return way == kJoined ? joined() : die_some_way(options, way, code); });
	expect_end(options, pid,
		   way == kKilled ? SIGKILL
				  : (way == kJoined ? kThreads * (kThreads - 1) / 2 : code) << 8);
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	return run(options, [&](int n) {
		one(options, n);
		// Threads of the worker itself as well: a process that lives on.
		expect(joined() == kThreads * (kThreads - 1) / 2, "round %d: threads went missing",
		       n);
	});
}
