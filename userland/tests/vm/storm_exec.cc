// SPDX-License-Identifier: BSD-2-Clause
// Processes whose non-leader thread execs: with the leader asleep, busy, ended, or dying.
#include "storm.h"

#include <thread>

using namespace storm;

namespace
{

std::string target;

int exec_some_way(const Options &options, int n)
{
	int way = n % 5;
	std::string code = std::to_string(n & 0x7f);
	pid_t leader = gettid_raw();
	const char *what = options.bsd ? "lwp" : "exit";
	auto go = [=] {
		execl(target.c_str(), "exec_target", what, code.c_str(), nullptr);
		_exit(200);
	};
	for (int t = 0; t < 2; t++)
		std::thread([] {
			for (;;)
				pause();
		}).detach();
	if (way == 0)
		go();
	std::thread([=] {
		if (way == 1)
			until_state(leader, 'Z');
		go();
	}).detach();
	if (way == 1 || way == 2)
		end_thread(options, 201);
	if (way == 3)
		for (;;)
			spin(1000);
	for (;;)
		pause();
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	target = sibling("exec_target");
	return run(options, [&](int n) {
		pid_t pid = spawn([&] { return exec_some_way(options, n); });
		expect_end(options, pid, (n & 0x7f) << 8);
	});
}
