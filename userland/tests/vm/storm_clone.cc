// SPDX-License-Identifier: BSD-2-Clause
// clone in the ways that fork does not go: children for the caller's parent, which dies at
// that moment; exit signals other than SIGCHLD; clone3 into pid namespaces; processes whose
// leader is long dead.
#include "storm.h"

#include <linux/sched.h>
#include <thread>

using namespace storm;

namespace
{

std::string target;

[[noreturn]] void sleep_for_ever()
{
	for (;;)
		pause();
}

// Makes children for our parent, at the moment when that ends.
int give_siblings(const Options &options, Barrier &moment)
{
	moment.meet();
	for (int i = 0; i < 3; i++)
		spawn_flags(CLONE_PARENT | SIGCHLD, [&] {
			end_process(options, 10 + i);
			return 0;
		});
	end_process(options, 2);
	return 0;
}

// Ends when its child does so: the process, or first the thread whose child it is.
int dying_parent(const Options &options, bool by_thread, Barrier &moment)
{
	auto part = [&] {
		spawn([&] { return give_siblings(options, moment); });
		moment.meet();
	};
	if (by_thread) {
		std::thread([&] {
			part();
			end_thread(options, 0);
		}).detach();
		moment.meet();
	} else {
		part();
	}
	end_process(options, 1);
	return 0;
}

void parent_dies(const Options &options, int n)
{
	bool by_thread = n & 1;
	constexpr int kParents = 3;
	Shared<Barrier> moments[kParents] = {Shared<Barrier>(2 + by_thread),
					     Shared<Barrier>(2 + by_thread),
					     Shared<Barrier>(2 + by_thread)};
	for (auto &moment : moments)
		spawn([&] { return dying_parent(options, by_thread, *moment); });
	Count want;
	for (int code : {1, 2, 10, 11, 12})
		want[code << 8] = kParents;
	expect_count(collect_all(options), want, "for a dying parent", n);
}

// Plain waits and WLINUXCLONE ones, at the same time, each with children of its own.
void other_signals(const Options &options, int n)
{
	Count plain, clones, want_plain, want_clones;
	Tokens go;
	int signals[] = {0, SIGCHLD, SIGUSR1, SIGCHLD, SIGRTMIN + 1, SIGURG};
	int code = 0;
	for (int signal : signals) {
		spawn_flags(static_cast<unsigned long>(signal), [&, code] {
			go.take();
			end_process(options, code);
			return 0;
		});
		(signal == SIGCHLD ? want_plain : want_clones)[code++ << 8]++;
	}
	std::thread waiter([&] { clones = collect_all(options, -1, WLINUXCLONE); });
	go.give(code);
	plain = collect_all(options);
	waiter.join();
	expect_count(plain, want_plain, "plain", n);
	expect_count(clones, want_clones, "clones", n);
}

// Orphans tell their new parent by SIGCHLD, and so does who has execed.
void become_plain(const Options &options, int n)
{
	Tokens late;
	pid_t parent = spawn([&] {
		for (int signal : {0, SIGUSR1, SIGRTMIN + 1})
			spawn_flags(static_cast<unsigned long>(signal), [&] {
				late.take();
				end_process(options, 4);
				return 0;
			});
		spawn_flags(0, [&] {
			end_process(options, 5);
			return 0;
		});
		end_process(options, 3);
		return 0;
	});
	late.give(2);
	expect_end(options, parent, 3 << 8);
	late.give(1);
	expect_count(collect_all(options), {{4 << 8, 3}, {5 << 8, 1}}, "orphaned clones", n);

	pid_t execed = spawn_flags(SIGUSR1, [] {
		execl(target.c_str(), "exec_target", "exit", "6", nullptr);
		return 200;
	});
	until_state(execed, 'Z');
	expect_end(options, execed, 6 << 8);
}

template <class F> pid_t spawn_clone3(uint64_t flags, int exit_signal, F body)
{
	struct clone_args args = {};
	args.flags = flags;
	args.exit_signal = static_cast<uint64_t>(exit_signal);
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (pid == 0)
		_exit(body());
	return static_cast<pid_t>(pid);
}

void into_namespaces(const Options &options, int n)
{
	for (int signal : {0, SIGCHLD, SIGUSR2})
		spawn_clone3(CLONE_NEWPID, signal, [&] {
			// A child of init that makes itself a sibling gives init one more.
			spawn([&] {
				spawn_flags(CLONE_PARENT | SIGCHLD, [] { return 31; });
				return 30;
			});
			spawn(pause);
			int seen = 0, status = -1;
			while (seen < 2 && collect(options, -1, &status) > 0)
				seen += status == 30 << 8 || status == 31 << 8;
			end_process(options, 10 + seen);
			return 0;
		});
	expect_count(collect_all(options, -1, WLINUXCLONE), {{12 << 8, 2}}, "inits, clones", n);
	expect_count(collect_all(options), {{12 << 8, 1}}, "inits", n);
}

// The leader has ended; a thread makes children for itself and for its parent, leaves its
// own to the last thread, and that meets them before it ends the process.
int headless(const Options &options)
{
	pid_t leader = gettid_raw();
	static Barrier made(2);
	std::thread([&options, leader] {
		until_state(leader, 'Z');
		for (int i = 0; i < 2; i++) {
			spawn_flags(CLONE_PARENT | SIGCHLD, [&] {
				end_process(options, 20);
				return 0;
			});
			spawn([&] {
				end_process(options, 21);
				return 0;
			});
		}
		made.meet();
		end_thread(options, 0);
	}).detach();
	std::thread([&options] {
		made.meet();
		Count seen = collect_all(options);
		end_process(options, seen == Count{{21 << 8, 2}} ? 7 : 8);
	}).detach();
	end_thread(options, 99);
	sleep_for_ever();
}

void leader_first(const Options &options, int n)
{
	for (int i = 0; i < 2; i++)
		spawn([&] { return headless(options); });
	expect_count(collect_all(options), {{7 << 8, 2}, {20 << 8, 4}}, "without a leader", n);
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	target = sibling("exec_target");
	for (int signal : {SIGUSR1, SIGUSR2, SIGRTMIN + 1})
		::signal(signal, SIG_IGN);
	return run(options, [&](int n) {
		switch (n % 5) {
		case 0:
			return parent_dies(options, n / 5);
		case 1:
			return other_signals(options, n);
		case 2:
			return become_plain(options, n);
		case 3:
			return into_namespaces(options, n);
		default:
			return leader_first(options, n);
		}
	});
}
