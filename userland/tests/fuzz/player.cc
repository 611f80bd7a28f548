// SPDX-License-Identifier: BSD-2-Clause
#include "player.hh"

#include "../vm/vm_proc.h"

#include "caller.hh"

#include <sys/prctl.h>

#include <latch>
#include <thread>
#include <vector>

#include "tally.hh"

namespace fuzz
{

namespace
{

struct Player {
	Random random;
	Self self;
	Shifting shifting;
};

[[noreturn]] void die_by_kill()
{
	for (;;)
		kill(getpid(), SIGKILL);
}

// How a thread goes that does not simply return; most leave the others alone.
void end_thread(Caller &caller, Random &random)
{
	switch (random.below(24)) {
	case 0:
		_exit(0);
	case 1:
		die_by_kill();
	case 2:
		execl("/bin/true", "true", nullptr);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		caller.end_by_extexit();
	case 7:
	case 8:
	case 9:
	case 10:
		vm::exit_thread_raw(0);
	}
}

void be_thread(Player &player, Random random, unsigned number, Place from, unsigned calls)
{
	place = from;
	place.thread = number;
	Caller caller(Random(random.next()), player.self, player.shifting, 0);
	caller.run(calls);
	end_thread(caller, random);
}

} // namespace

void play(Random random, unsigned calls)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	handle_signals();
	signal(SIGCHLD, random.one_in(8) ? SIG_IGN : SIG_DFL);
	open_slots(random);

	const unsigned others = static_cast<unsigned>(random.below(4));
	Player player{random, Self(others > 0), Shifting()};
	player.self.moves_descriptors = random.one_in(3);

	std::vector<std::thread> threads;
	// One may exec, and Linux makes no threads meanwhile.
	std::latch all_made(1);
	for (unsigned i = 1; i <= others; i++)
		threads.emplace_back([&, from = place, seed = random.next(), i] {
			all_made.wait();
			be_thread(player, Random(seed), i, from, calls);
		});
	all_made.count_down();
	const bool wait = random.one_in(2);
	be_thread(player, Random(random.next()), 0, place, calls);
	if (!wait)
		_exit(0);
	for (auto &thread : threads)
		thread.join();
	_exit(0);
}

} // namespace fuzz
