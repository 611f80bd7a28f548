// SPDX-License-Identifier: BSD-2-Clause
// SIGKILL of everything at once: kill(-1) inside a pid namespace, killpg, the end of a
// session, while the killed still fork, thread, stop and exec.
#include "storm.h"

#include <sys/ioctl.h>
#include <thread>

using namespace storm;

namespace
{

constexpr int kMembers = 12;

std::string target;

int sleep_for_ever()
{
	for (;;)
		pause();
}

// What the killed are at: chosen by `i`.
int live(int i, Tokens &ready, Tokens &never)
{
	switch (i % 6) {
	case 0: // makes threads
		for (ready.give();;)
			std::thread([] {}).join();
	case 1: // makes children, and waits for some
		for (ready.give();;)
			native_reap(spawn([] { return 0; }));
	case 2: // sleeps, with threads that do so
		for (int t = 0; t < 3; t++)
			std::thread(sleep_for_ever).detach();
		break;
	case 3: // is stopped
		ready.give();
		raise(SIGSTOP);
		break;
	case 4: // execs
		ready.give();
		never.as_stdio();
		execl(target.c_str(), "exec_target", "hold", nullptr);
		return 200;
	default: // sleeps in vfork
		spawn_vfork([&] {
			ready.give();
			return sleep_for_ever();
		});
	}
	ready.give();
	return sleep_for_ever();
}

// Of `members` killed, with who knows how many children of theirs: none ended otherwise but
// such children, by themselves.
void expect_killed(Count seen, int members, const char *what, int n)
{
	int killed = seen[SIGKILL];
	seen.erase(SIGKILL);
	seen.erase(0);
	expect(killed >= members && seen.empty(), "%s, round %d: %d killed of %d, others:%s", what,
	       n, killed, members, text_of(seen).c_str());
}

// kill(-1) leaves the caller and init. Init meets all, its own and the orphans.
int kill_all_inside(const Options &options, bool init_does_it, int n)
{
	Tokens ready, never;
	for (int i = 0; i < kMembers; i++)
		spawn([&] {
			// Half of them as grandchildren, whose parents die beside them.
			if (i & 1)
				spawn([&] { return live(i / 2, ready, never); });
			return i & 1 ? sleep_for_ever() : live(i / 2, ready, never);
		});
	ready.take(kMembers);
	if (init_does_it)
		kill(-1, SIGKILL);
	else
		spawn([&] {
			kill(-1, SIGKILL);
			return 7;
		});
	Count seen = collect_all(options);
	expect(seen[7 << 8] == !init_does_it, "the killer itself was met %d times", seen[7 << 8]);
	seen.erase(7 << 8);
	expect_killed(seen, kMembers + kMembers / 2, "kill(-1)", n);
	end_process(options, wrong ? 1 : 11);
	return 0;
}

void namespaced(const Options &options, int n)
{
	bool init_does_it = n & 1;
	pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD,
				 [&] { return kill_all_inside(options, init_does_it, n); });
	expect_end(options, init, 11 << 8);
}

// Waited for as a group; what they made themselves comes after.
void group(const Options &options, int n)
{
	Tokens ready, never, formed;
	pid_t leader = spawn([&] {
		setpgid(0, 0);
		formed.give();
		return live(0, ready, never);
	});
	formed.take();
	for (int i = 1; i < kMembers; i++)
		spawn([&] {
			setpgid(0, leader);
			return live(i, ready, never);
		});
	ready.take(kMembers);
	kill(-leader, SIGKILL);
	// Orphans keep their group: they are met here as well, or were gone before.
	expect_killed(collect_all(options, -leader), kMembers, "killpg", n);
	expect_count(collect_all(options), {}, "outside the group", n);
}

// The leader's end hangs up its terminal: the foreground group gets SIGHUP. It also orphans
// that group, which then wakes those of it that are stopped.
void session(const Options &options, int n)
{
	Tokens ready;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0;
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0)
		die("/dev/ptmx");
	pid_t leader = spawn([&] {
		setsid();
		int tty = ioctl(master, TIOCGPTPEER, O_RDWR | O_CLOEXEC);
		if (tty < 0 || ioctl(tty, TIOCSCTTY, 0) != 0)
			die("TIOCSCTTY");
		pid_t group = 0;
		for (int i = 0; i < kMembers; i++) {
			pid_t pid = spawn([&] {
				setpgid(0, group);
				ready.give();
				if (i & 1)
					raise(SIGSTOP);
				return sleep_for_ever();
			});
			if (group == 0)
				group = pid;
			setpgid(pid, group);
		}
		if (ioctl(tty, TIOCSPGRP, &group) != 0)
			die("TIOCSPGRP");
		ready.give();
		return sleep_for_ever();
	});
	ready.take(kMembers + 1);
	kill(leader, SIGKILL);
	expect_end(options, leader, SIGKILL);
	expect_count(collect_all(options), {{SIGHUP, kMembers}}, "hung up", n);
	close(master);
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	target = sibling("exec_target");
	return run(options, [&](int n) {
		if (n % 3 == 0)
			namespaced(options, n / 3);
		else if (n % 3 == 1)
			group(options, n);
		else
			session(options, n);
	});
}
