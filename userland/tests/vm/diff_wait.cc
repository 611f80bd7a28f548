// SPDX-License-Identifier: BSD-2-Clause
// Plays random scenarios of children and waits, and tells them in a transcript that has no pids
// in it: the same program prints the same, with its waits served by bsdproc (bsdrun) or not.
//
//   diff_wait [--seed N] [--scenarios N] [--only I]
//
// Exit status 0: all were played. What is right is what Linux says: compare two transcripts.
#include <filesystem>
#include <getopt.h>

#include "diff_mix.h"
#include "diff_threads.h"
#include "diff_trace.h"

using namespace diff;

namespace
{

struct Options {
	uint64_t seed = 1;
	int scenarios = 100, only = -1;
};

void mix(Random &random)
{
	Mix(random).play();
}

struct Scene {
	const char *name;
	void (*play)(Random &);
};

const Scene scenes[] = {
	{"mix", mix},
	{"mix", mix},
	{"mix", mix},
	{"mix", mix},
	{"mix", mix},
	{"mix", mix},
	{"handler_reaps", handler_reaps},
	{"handler_late", handler_late},
	{"interrupted", interrupted},
	{"interrupted_by_stop", interrupted_by_stop},
	{"ignored", ignored},
	{"ignored_later", ignored_later},
	{"orphan", orphan},
	{"usage", usage},
	{"sibling", sibling},
	{"exec_clears", exec_clears},
	{"stopped_waiter", stopped_waiter},
	{"in_vfork", in_vfork},
	{"descriptors", descriptors},
	{"errors", errors},
	{"two_waiters", two_waiters},
	{"of_the_thread", of_the_thread},
	{"cancelled", cancelled},
	{"cancelled_before", cancelled_before},
	{"not_cancelled", not_cancelled},
	{"traced", traced},
	{"attached", attached},
	{"traced_thread", traced_thread},
};

// Some are played beside an idle thread, some by a thread whose leader is dead.
[[noreturn]] void be_player(const Scene &scene, Random random)
{
	setpgid(0, 0);
	alarm(200);
	sigset_t all, none;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &none);
	const int company = random.below(6);
	static std::atomic<int> word;
	if (company == 0)
		std::thread([] { be_told(word); }).detach();
	sigprocmask(SIG_SETMASK, &none, nullptr);
	say("%s", company == 0 ? "beside a thread" : company == 1 ? "after the leader" : "alone");
	if (company == 1) {
		const pid_t leader = gettid_raw();
		std::thread([&scene, random, leader]() mutable {
			until_state(leader, 'Z');
			scene.play(random);
			_exit(0);
		}).detach();
		exit_thread_raw(0);
	}
	scene.play(random);
	_exit(0);
}

// True: it was played to its end.
bool play(uint64_t seed, int number)
{
	Random random(seed * 1000003 + static_cast<uint64_t>(number));
	const Scene &scene = scenes[random.below(sizeof(scenes) / sizeof(scenes[0]))];
	say("== %d %s", number, scene.name);
	Shared<Stage> shared;
	stage = &*shared;
	if (pipe2(ask_fd, O_CLOEXEC) != 0 || pipe2(done_fd, O_CLOEXEC) != 0)
		die("pipe2");
	const pid_t player = fork();
	if (player < 0)
		die("fork");
	if (player == 0)
		be_player(scene, random);
	const int status = be_director(player);
	for (int fd : {ask_fd[0], ask_fd[1], done_fd[0], done_fd[1]})
		close(fd);
	if (status == 0)
		return true;
	// Whom it left behind goes as well.
	for (const std::atomic<pid_t> &pid : stage->pids)
		if (pid > 0)
			kill(pid, SIGKILL);
	say("the player ended with status %#x", static_cast<unsigned>(status));
	return false;
}

Options parse(int argc, char **argv)
{
	static const struct option known[] = {
		{"seed", required_argument, nullptr, 's'},
		{"scenarios", required_argument, nullptr, 'n'},
		{"only", required_argument, nullptr, 'o'},
		{},
	};
	Options options;
	for (int c; (c = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
		if (c == 's')
			options.seed = strtoull(optarg, nullptr, 0);
		else if (c == 'n')
			options.scenarios = atoi(optarg);
		else if (c == 'o')
			options.only = atoi(optarg);
		else
			exit(64);
	}
	if (optind != argc) {
		fprintf(stderr, "usage: %s [--seed N] [--scenarios N] [--only I]\n", argv[0]);
		exit(64);
	}
	return options;
}

} // namespace

int main(int argc, char **argv)
{
	const Options options = parse(argc, argv);
	char directory[] = "/tmp/diff_wait.XXXXXX";
	if (!mkdtemp(directory))
		die("mkdtemp");
	dump_directory = directory;
	// Cores are for who asks for one.
	struct rlimit core;
	getrlimit(RLIMIT_CORE, &core);
	core.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &core);

	int wrong = 0;
	for (int i = 0; i < options.scenarios; i++)
		if (options.only < 0 || i == options.only)
			wrong += !play(options.seed, i);
	std::error_code ignored;
	std::filesystem::remove_all(directory, ignored);
	return wrong ? 1 : 0;
}
