// SPDX-License-Identifier: BSD-2-Clause
// fork, exit and wait: one child at a time, several at once, in other orders, and killed.
#include "storm.h"

#include <vector>

using namespace storm;

static void one(const Options &options, int n)
{
	pid_t pid = spawn([&] {
		end_process(options, n & 0xff);
		return 0;
	});
	expect_end(options, pid, (n & 0xff) << 8);
}

static void several(const Options &options, int n)
{
	std::vector<pid_t> pids;
	for (int i = 0; i < 5; i++)
		pids.push_back(spawn([&] {
			end_process(options, (n + i) & 0xff);
			return 0;
		}));
	for (int i = 4; i >= 0; i--)
		expect_end(options, pids[static_cast<size_t>(i)], ((n + i) & 0xff) << 8);
}

static void killed(const Options &options)
{
	pid_t pid = spawn([] { return pause(); });
	kill(pid, SIGKILL);
	expect_end(options, pid, SIGKILL);
}

static void any(const Options &options, int n)
{
	unsigned left = 0;
	for (int i = 0; i < 4; i++) {
		left |= 1u << i;
		spawn([&] {
			end_process(options, i);
			return 0;
		});
	}
	int status = -1;
	while (collect(options, -1, &status) > 0) {
		unsigned bit = 1u << (status >> 8 & 31);
		expect((left & bit) && (status & 0xff) == 0, "round %d: status %#x once too often",
		       n, static_cast<unsigned>(status));
		left &= ~bit;
	}
	expect(errno == ECHILD && left == 0, "round %d: not all were reported, left %#x", n, left);
}

static void through_vfork(const Options &options, int n)
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(n & 0xff);
	expect_end(options, pid, (n & 0xff) << 8);
}

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	return run(options, [&](int n) {
		one(options, n);
		switch (n % 4) {
		case 0:
			return several(options, n);
		case 1:
			return killed(options);
		case 2:
			return any(options, n);
		default:
			return through_vfork(options, n);
		}
	});
}
