// SPDX-License-Identifier: BSD-2-Clause
// Pid namespaces whose init dies with over a hundred inside: asleep, stopped, in vfork, traced,
// with threads, ended already, in namespaces of their own, and some whose parents are
// outside. Who made the namespace waits for its init, from before it dies.
#include "storm.h"

#include <sys/ptrace.h>
#include <thread>

using namespace storm;

namespace
{

constexpr int kInside = 20; // of each kind

int sleep_for_ever()
{
	for (;;)
		pause();
}

int asleep(Tokens &ready)
{
	ready.give();
	return sleep_for_ever();
}

int stopped(Tokens &ready)
{
	ready.give();
	raise(SIGSTOP);
	return sleep_for_ever();
}

int in_vfork(Tokens &ready)
{
	spawn_vfork([&] { return asleep(ready); });
	return 1;
}

int traced_by_parent(Tokens &ready)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	return stopped(ready);
}

int tracer(Tokens &ready)
{
	pid_t child = spawn(sleep_for_ever);
	if (ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_EXITKILL) != 0)
		return 1;
	return asleep(ready);
}

int with_threads(Tokens &ready)
{
	for (int t = 0; t < 2; t++)
		std::thread(sleep_for_ever).detach();
	return asleep(ready);
}

int ended(Tokens &ready)
{
	ready.give();
	return 1;
}

int nested(Tokens &ready)
{
	spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
		Tokens inner;
		for (int i = 0; i < 2; i++) {
			spawn([&] { return asleep(inner); });
			spawn([&] { return stopped(inner); });
		}
		inner.take(4);
		return asleep(ready);
	});
	return sleep_for_ever();
}

constexpr int (*kKinds[])(Tokens &) = {asleep, stopped,      in_vfork, traced_by_parent,
				       tracer, with_threads, ended,    nested};

enum End { kExits, kIsKilled, kLastThreadExits, kParentDiesToo, kEnds };

int init(const Options &options, int how, Tokens &filled, Tokens &end)
{
	Tokens ready;
	// nested() costs several; a few of those will do.
	for (int i = 0; i < kInside; i++)
		for (auto kind : kKinds)
			if (kind != nested || i % 8 == 0)
				spawn([&] { return kind(ready); });
	ready.take(kInside * 7 + (kInside + 7) / 8);
	filled.give();
	if (how == kLastThreadExits) {
		std::thread([&] {
			until_state(pid_in_proc(), 'Z');
			end.take();
			end_thread(options, 5);
		}).detach();
		end_thread(options, 6);
	}
	end.take();
	end_process(options, 5);
	return 0;
}

// Children in another namespace, whose init cannot go before they have been waited for.
int parent_outside(const Options &options, pid_t init, bool waits, Tokens &filled)
{
	std::string path = "/proc/" + std::to_string(init) + "/ns/pid";
	int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWPID) != 0)
		die("setns");
	for (int i = 0; i < 3; i++)
		spawn(sleep_for_ever);
	filled.give();
	if (waits && collect_all(options) != Count{{SIGKILL, 3}})
		return 1;
	end_process(options, 3);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	return run(options, [&](int n) {
		int how = n % kEnds;
		bool waits = n / kEnds & 1;
		Tokens filled, end;
		Shared<std::atomic<pid_t>> pid;
		auto make = [&] {
			*pid = spawn_flags(CLONE_NEWPID | SIGCHLD,
					   [&] { return init(options, how, filled, end); });
		};
		Count want{{3 << 8, 1}};
		if (how == kParentDiesToo) {
			spawn([&] {
				make();
				end.take();
				return kill(getpid(), SIGKILL);
			});
			want[SIGKILL]++;
		} else {
			make();
		}
		filled.take();
		spawn([&] { return parent_outside(options, *pid, waits, filled); });
		filled.take();
		want[how == kIsKilled ? SIGKILL : 5 << 8]++;
		if (!waits)
			want[SIGKILL] += 3;

		if (how == kIsKilled)
			kill(*pid, SIGKILL);
		else
			end.give(how == kParentDiesToo ? 2 : 1);
		expect_count(collect_all(options), want, "outside", n);
	});
}
