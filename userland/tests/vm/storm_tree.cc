// SPDX-License-Identifier: BSD-2-Clause
// Trees that daemonise: sessions, groups, double forks. The worker is their subreaper and
// must meet every one of them, with its own status, once.
#include "storm.h"

#include <thread>

using namespace storm;

namespace
{

int daemonise(const Options &options, Tokens *late)
{
	setsid();
	pid_t pid = fork();
	if (pid < 0)
		return 99;
	if (pid > 0)
		end_process(options, 1);
	for (int i = 0; i < 3; i++)
		spawn([&] {
			setpgid(0, 0);
			end_process(options, 10 + i);
			return 0;
		});
	if (late)
		late->take();
	end_process(options, 2);
	return 0;
}

// A parent of several threads that dies with children living, dying and dead.
int leave_children(const Options &options, Tokens &late)
{
	spawn([&] {
		late.take();
		end_process(options, 4);
		return 0;
	});
	pid_t zombie = spawn([&] {
		end_process(options, 5);
		return 0;
	});
	native_peek(zombie);
	std::thread([] {
		for (;;)
			pause();
	}).detach();
	spawn([&] {
		end_process(options, 6);
		return 0;
	});
	end_process(options, 3);
	return 0;
}

void round(const Options &options, int n)
{
	Tokens late;
	Count want{{1 << 8, 1}, {2 << 8, 1},  {3 << 8, 1},  {4 << 8, 1}, {5 << 8, 1},
		   {6 << 8, 1}, {10 << 8, 1}, {11 << 8, 1}, {12 << 8, 1}};
	spawn([&] { return daemonise(options, n & 1 ? &late : nullptr); });
	spawn([&] { return leave_children(options, late); });
	late.give(2);
	expect_count(collect_all(options), want, "tree", n);
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	return run(options, [&](int n) { round(options, n); });
}
