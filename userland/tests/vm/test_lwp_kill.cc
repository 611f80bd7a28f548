// SPDX-License-Identifier: BSD-2-Clause
// bsd_lwp_kill: to the lwp that is meant and no other, and nothing to who is on the way out.
#include "vm_device.h"
#include "vm_test.h"

#include <algorithm>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr int kThreads = 100; // more than the library has room for without a mapping

// By lwp id, in the process that handles the signal.
std::atomic<int> *hits;
thread_local volatile int own_lwp;

void count_hit(int)
{
	hits[own_lwp]++;
}

// Threads that are there until told.
struct Crowd {
	explicit Crowd(int n)
	{
		for (int i = 0; i < n; i++)
			threads.emplace_back([this] {
				own_lwp = bsd_lwp_gettid();
				ready.give();
				over.wait(false);
			});
		ready.take(n);
	}
	~Crowd()
	{
		over = true;
		over.notify_all();
		for (std::thread &thread : threads)
			thread.join();
	}

	Tokens ready;
	std::atomic<bool> over{false};
	std::vector<std::thread> threads;
};

// Shared memory for hits.
struct Hits {
	std::atomic<int> of[kThreads + 2];
};

void count_in(Hits &where)
{
	hits = where.of;
	own_lwp = bsd_lwp_gettid();
	struct sigaction action = {};
	action.sa_handler = count_hit;
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, nullptr);
}

pid_t sleeper()
{
	return spawn([] {
		for (;;)
			pause();
		return 0;
	});
}

} // namespace

VM_TEST(LwpKill, Arguments)
{
	for (int lwp : {-1, 0, INT32_MIN})
		EXPECT_ERRNO(bsd_lwp_kill(-1, lwp, 0), EINVAL);
	for (int sig : {-1, 65, INT32_MAX})
		EXPECT_ERRNO(bsd_lwp_kill(-1, 1, sig), EINVAL);
	for (pid_t pid : {0, -2, INT32_MIN, 4000000, INT32_MAX})
		EXPECT_ERRNO(bsd_lwp_kill(pid, 1, 0), ESRCH);
	for (int lwp : {2, 1000, INT32_MAX})
		EXPECT_ERRNO(bsd_lwp_kill(-1, lwp, SIGKILL), ESRCH);
	errno = 0;
	EXPECT_EQ(bsd_lwp_kill(-1, 1, 0), 0);
	EXPECT_EQ(bsd_lwp_kill(getpid(), 1, 0), 0);
	EXPECT_EQ(errno, 0);
}

VM_TEST(LwpKill, EachOfMany)
{
	Shared<Hits> shared;
	count_in(*shared);
	Crowd crowd(kThreads);
	for (int lwp = 1; lwp <= kThreads + 1; lwp++) {
		EXPECT_EQ(bsd_lwp_kill(-1, lwp, 0), 0); // only looks
		EXPECT_EQ(bsd_lwp_kill(-1, lwp, SIGUSR1), 0);
		while (shared->of[lwp] == 0)
			sched_yield();
		EXPECT_EQ(std::count(shared->of, shared->of + kThreads + 2, 1), lwp);
	}
	EXPECT_ERRNO(bsd_lwp_kill(-1, kThreads + 2, SIGUSR1), ESRCH);
}

VM_TEST(LwpKill, OfAnotherProcess)
{
	for (unsigned long flags : {0ul, static_cast<unsigned long>(CLONE_NEWPID)}) {
		Shared<Hits> shared;
		Tokens ready;
		pid_t pid = spawn_flags(flags | SIGCHLD, [&] {
			count_in(*shared);
			Crowd crowd(5);
			ready.give();
			for (;;)
				pause();
			return 0;
		});
		ready.take();
		for (int lwp : {4, 1, 6}) {
			EXPECT_EQ(bsd_lwp_kill(pid, lwp, SIGUSR1), 0);
			while (shared->of[lwp] == 0)
				sched_yield();
		}
		for (int lwp : {2, 3, 5})
			EXPECT_EQ(shared->of[lwp], 0);
		EXPECT_ERRNO(bsd_lwp_kill(pid, 7, SIGUSR1), ESRCH);
		EXPECT_EQ(bsd_lwp_kill(pid, 3, SIGKILL), 0);
		EXPECT_EQ(native_reap(pid), SIGKILL);
		EXPECT_ERRNO(bsd_lwp_kill(pid, 3, SIGKILL), ESRCH);
	}
}

// What has ended is no lwp any more, be it shown by Linux or not.
VM_TEST(LwpKill, EndedLwps)
{
	int lwp = 0;
	std::thread([&] { lwp = bsd_lwp_gettid(); }).join();
	EXPECT_EQ(lwp, 2);
	while (bsd_lwp_kill(-1, lwp, 0) == 0)
		sched_yield();
	EXPECT_ERRNO(bsd_lwp_kill(-1, lwp, SIGKILL), ESRCH);

	Tokens end;
	pid_t pid = spawn([&] {
		std::thread([&] {
			end.take();
			_exit(3);
		}).detach();
		exit_thread_raw(0);
		return 1;
	});
	until_state(pid, 'Z');
	EXPECT_ERRNO(bsd_lwp_kill(pid, 1, SIGKILL), ESRCH);
	EXPECT_EQ(bsd_lwp_kill(pid, 2, 0), 0);
	end.give();
	EXPECT_EQ(native_reap(pid), 3 << 8);
}

// Of a process that ends, no lwp is looked for.
VM_TEST(LwpKill, ZombiesAndTheExiting)
{
	pid_t zombie = spawn([] { return 5; });
	native_peek(zombie);
	for (int lwp : {1, 2, 1000})
		EXPECT_EQ(bsd_lwp_kill(zombie, lwp, SIGKILL), 0);
	EXPECT_ERRNO(bsd_lwp_kill(zombie, -1, SIGKILL), EINVAL);
	EXPECT_EQ(native_reap(zombie), 5 << 8);
	EXPECT_ERRNO(bsd_lwp_kill(zombie, 1, SIGKILL), ESRCH);

	const int fd = bsd_hold();
	Tokens go;
	pid_t held = spawn([&] {
		go.take();
		return 6;
	});
	ASSERT_EQ(bsd_hold_stops(fd, held, S_EXIT), 0);
	go.give();
	struct bsd_stop stop;
	ASSERT_EQ(read(fd, &stop, sizeof(stop)), static_cast<ssize_t>(sizeof(stop)));
	for (int lwp : {1, 1000})
		EXPECT_EQ(bsd_lwp_kill(held, lwp, SIGKILL), 0);
	EXPECT_EQ(bsd_hold_cont(fd, held), 0);
	EXPECT_EQ(native_reap(held), 6 << 8);

	// By a verdict that it does not follow, it is exiting and goes on.
	Tokens verdict, end;
	pid_t pid = spawn([&] {
		Device dev;
		struct bsdproc_extexit e = {};
		if (dev(BSDPROC_EXTEXIT, &e) != 0)
			return 1;
		verdict.give();
		end.take();
		return 7;
	});
	verdict.take();
	EXPECT_EQ(bsd_lwp_kill(pid, 1, SIGKILL), 0);
	end.give();
	EXPECT_EQ(native_reap(pid), 7 << 8);
}

VM_TEST(LwpKill, Rights)
{
	pid_t mine = sleeper();
	pid_t zombie = spawn([] { return 0; });
	native_peek(zombie);
	pid_t other = spawn([=] {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			return 1;
		for (pid_t pid : {mine, zombie})
			for (int sig : {0, SIGKILL})
				if (bsd_lwp_kill(pid, 1, sig) != -1 || errno != EPERM)
					return 2;
		return bsd_lwp_kill(-1, 1, 0) == 0 ? 0 : 3;
	});
	EXPECT_EQ(native_reap(other), 0);
	EXPECT_EQ(native_reap(zombie), 0);
	EXPECT_EQ(bsd_lwp_kill(mine, 1, SIGKILL), 0);
	EXPECT_EQ(native_reap(mine), SIGKILL);
}

VM_TEST(LwpKill, TooManyAreQueued)
{
	pid_t pid = sleeper();
	const struct rlimit none = {0, 0};
	ASSERT_EQ(prlimit(pid, RLIMIT_SIGPENDING, &none, nullptr), 0);
	EXPECT_ERRNO(bsd_lwp_kill(pid, 1, SIGRTMIN + 3), EAGAIN);
	EXPECT_EQ(bsd_lwp_kill(pid, 1, SIGKILL), 0);
	EXPECT_EQ(native_reap(pid), SIGKILL);
}

// Threads that come and go are met or not there.
VM_TEST(LwpKill, WhileThreadsComeAndGo)
{
	Shared<Hits> shared;
	count_in(*shared);
	std::atomic<bool> over{false};
	std::atomic<int> latest{1};
	std::vector<std::thread> makers;
	for (int i = 0; i < 3; i++)
		makers.emplace_back([&] {
			while (!over)
				std::thread([&] { latest = bsd_lwp_gettid(); }).join();
		});
	bool met = false, missed = false, other = false;
	for (int i = 0; (i < rounds(5000) || !met || !missed) && !other; i++) {
		const bool sent = bsd_lwp_kill(-1, latest, SIGUSR1) == 0;
		met |= sent;
		missed |= !sent;
		other = !sent && errno != ESRCH;
	}
	EXPECT_FALSE(other) << strerror(errno);
	over = true;
	for (std::thread &maker : makers)
		maker.join();
}
