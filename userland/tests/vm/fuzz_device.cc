// SPDX-License-Identifier: BSD-2-Clause
// Structured garbage for /dev/bsdproc, from processes in all states. Each answer is judged
// (see tests/fuzz/judge.hh), and nothing may stay held when all is over.
//
//   fuzz_device [--calls N] [--procs N] [--seed N] [--unprivileged] [--verbose] [--force]
//
// Each worker makes players (tests/fuzz/player.hh) one after the other until there were N
// calls in all. The same seed gives the same course: --procs 1 and the seed that a complaint
// names repeats that worker's. --unprivileged: as nobody, in a user namespace, every other
// worker also in a pid namespace. --verbose: which request came to which end, how often.
// Exit status 0: nothing was wrong. As root, in scripts/vm's machine; elsewhere with --force.
#include "vm_proc.h"

#include <getopt.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "../fuzz/caller.hh"
#include "../fuzz/leaks.hh"
#include "../fuzz/memory.hh"
#include "../fuzz/player.hh"
#include "../fuzz/tally.hh"

using namespace fuzz;

namespace
{

constexpr unsigned kCallsOfPlayer = 800; // of each thread
constexpr int kHung = 120000;            // ms for one player, long past any sane one

struct Options {
	uint64_t calls = 100000, seed = 1;
	int procs = 4;
	bool unprivileged = false, verbose = false, force = false;
};

Options parse(int argc, char **argv)
{
	static const struct option known[] = {
		{"calls", required_argument, nullptr, 'c'},
		{"seed", required_argument, nullptr, 's'},
		{"procs", required_argument, nullptr, 'p'},
		{"unprivileged", no_argument, nullptr, 'u'},
		{"verbose", no_argument, nullptr, 'v'},
		{"force", no_argument, nullptr, 'f'},
		{},
	};
	Options options;
	for (int c; (c = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
		if (c == 'c')
			options.calls = strtoull(optarg, nullptr, 0);
		else if (c == 's')
			options.seed = strtoull(optarg, nullptr, 0);
		else if (c == 'p')
			options.procs = atoi(optarg);
		else if (c == 'u')
			options.unprivileged = true;
		else if (c == 'v')
			options.verbose = true;
		else if (c == 'f')
			options.force = true;
		else
			exit(64);
	}
	if (optind != argc || options.procs < 1 || !options.calls) {
		fprintf(stderr,
			"usage: %s [--calls N] [--procs N] [--seed N] [--unprivileged] "
			"[--verbose] [--force]\n",
			argv[0]);
		exit(64);
	}
	return options;
}

bool in_our_machine()
{
	struct utsname name;
	return uname(&name) == 0 && !strcmp(name.nodename, "bsdproc-vm");
}

// The kernel's first log, which it left for a larger one when it booted: see scripts/vm.
uintptr_t find_kernel_address()
{
	std::ifstream symbols("/proc/kallsyms");
	for (std::string line; std::getline(symbols, line);) {
		uintptr_t address;
		char type;
		std::string name;
		std::istringstream(line) >> std::hex >> address >> type >> name;
		if (name == "__log_buf")
			return address;
	}
	return 0;
}

// As `unshare -Ur` does it.
void become_nobody(int flags)
{
	constexpr unsigned kNobody = 65534;
	if (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)
		vm::die("setresuid");
	prctl(PR_SET_DUMPABLE, 1); // or the maps are root's
	if (unshare(CLONE_NEWUSER | flags) != 0)
		vm::die("unshare");
	vm::write_to("/proc/self/uid_map", "0 65534 1");
	vm::write_to("/proc/self/setgroups", "deny");
	vm::write_to("/proc/self/gid_map", "0 65534 1");
}

// Killed, by itself or as one of its own signals met the program that an exec brought; or
// an exit, but not one of who could not go on.
bool is_a_players_end(int status)
{
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status) != 99;
	const int sig = WTERMSIG(status);
	return sig == SIGKILL || sig == kInterrupt || sig == kRestart;
}

// The player's end; what it leaves behind is ended as well.
void await(pid_t player)
{
	struct pollfd end = {static_cast<int>(syscall(SYS_pidfd_open, player, 0)), POLLIN, 0};
	if (end.fd < 0)
		vm::die("pidfd_open");
	while (poll(&end, 1, kHung) != 1) {
		complain("player %d hangs, and is killed", player);
		kill(-player, SIGABRT);
		kill(player, SIGKILL);
	}
	close(end.fd);
	vm::native_peek(player); // its number is nobody else's yet
	kill(-player, SIGKILL);
	int status = vm::native_reap(player);
	if (!is_a_players_end(status))
		complain("the player ended with %#x", static_cast<unsigned>(status));
	while (waitpid(-1, nullptr, __WALL) > 0 || errno == EINTR)
		;
}

int work(uint64_t seed, uint64_t calls)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	Random random(seed);
	place = {seed, 0, 0, 0};
	for (; tally->calls < calls && !tally->wrong; place.player++) {
		const Random course(random.next());
		await(vm::spawn([&]() -> int { play(course, kCallsOfPlayer); }));
		tally->players++;
	}
	return 0;
}

int be_worker(const Options &options, int number)
{
	const uint64_t seed = options.seed + static_cast<uint64_t>(number);
	if (!options.unprivileged)
		return work(seed, options.calls);
	const bool own_pids = number % 2;
	become_nobody(own_pids ? CLONE_NEWPID : 0);
	if (!own_pids)
		return work(seed, options.calls);
	return vm::native_reap(vm::spawn([&] { return work(seed, options.calls); })) != 0;
}

} // namespace

int main(int argc, char **argv)
{
	const Options options = parse(argc, argv);
	if (!options.force && !in_our_machine()) {
		fprintf(stderr, "%s: only in the machine of scripts/vm (or with --force)\n",
			argv[0]);
		return 77;
	}
	vm::Shared<Tally> shared;
	tally = &*shared;
	place = {options.seed, 0, 0, 0};
	kernel_address = find_kernel_address();

	const Census before;
	std::vector<pid_t> workers;
	for (int i = 0; i < options.procs; i++)
		workers.push_back(vm::spawn([&] { return be_worker(options, i); }));
	for (pid_t worker : workers)
		if (int status = vm::native_reap(worker))
			complain("worker %d ended with %#x", worker, static_cast<unsigned>(status));
	check_holds();
	before.compare();

	if (options.verbose)
		print_outcomes();
	printf("seeds from %llu: %llu calls by %llu players, %llu wrong\n",
	       static_cast<unsigned long long>(options.seed),
	       static_cast<unsigned long long>(tally->calls),
	       static_cast<unsigned long long>(tally->players),
	       static_cast<unsigned long long>(tally->wrong));
	return tally->wrong ? 1 : 0;
}
