// SPDX-License-Identifier: BSD-2-Clause
// Children whose parent dies: they come to the subreaper, alive or ended, and none is lost.
#include "vm_test.h"

#include <map>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

using Count = std::map<int, int>;

// Everything that ends here until no one is left, by wait status.
Count collect_all()
{
	Count seen;
	int status = -1;
	while (bsd_wait4(-1, &status, 0, nullptr) > 0)
		seen[status]++;
	EXPECT_EQ(errno, ECHILD);
	return seen;
}

void be_subreaper()
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

} // namespace

VM_TEST(WaitOrphan, Alive)
{
	be_subreaper();
	Shared<std::atomic<pid_t>> orphan;
	Tokens go;
	pid_t middle = spawn([&] {
		*orphan = spawn([&] {
			go.take();
			return 2;
		});
		return 1;
	});
	int status = -1;
	EXPECT_EQ(bsd_wait4(middle, &status, 0, nullptr), middle);
	EXPECT_EQ(status, 1 << 8);
	EXPECT_EQ(bsd_wait4(*orphan, nullptr, WNOHANG, nullptr), 0);
	go.give();
	EXPECT_EQ(bsd_wait4(*orphan, &status, 0, nullptr), *orphan);
	EXPECT_EQ(status, 2 << 8);
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
}

VM_TEST(WaitOrphan, AlreadyZombie)
{
	be_subreaper();
	for (int i = 0; i < rounds(50); i++) {
		Shared<std::atomic<pid_t>> orphan;
		pid_t middle = spawn([&] {
			*orphan = spawn([] { return 2; });
			native_peek(*orphan);
			return 1;
		});
		int status = -1;
		ASSERT_EQ(bsd_wait4(middle, &status, 0, nullptr), middle);
		ASSERT_EQ(status, 1 << 8);
		ASSERT_EQ(bsd_wait4(*orphan, &status, 0, nullptr), *orphan);
		ASSERT_EQ(status, 2 << 8);
	}
}

// The subreaper sleeps before it has any child but the middle one.
VM_TEST(WaitOrphan, WakesTheSubreaper)
{
	be_subreaper();
	pid_t self = getpid();
	for (int i = 0; i < rounds(50); i++) {
		pid_t middle = spawn([=] {
			pid_t zombie = spawn([] { return 2; });
			native_peek(zombie);
			until_waiting(self);
			return 1;
		});
		EXPECT_GT(middle, 0);
		ASSERT_EQ(collect_all(), (Count{{1 << 8, 1}, {2 << 8, 1}}));
	}
}

VM_TEST(WaitOrphan, EndsTogetherWithAThreadedParent)
{
	be_subreaper();
	for (int i = 0; i < rounds(300); i++) {
		Shared<Barrier> start(2);
		spawn([&] {
			for (int t = 0; t < 3; t++)
				std::thread([] {
					for (;;)
						pause();
				}).detach();
			spawn([&] {
				start->meet();
				return 2;
			});
			start->meet();
			_exit(1);
			return 0;
		});
		ASSERT_EQ(collect_all(), (Count{{1 << 8, 1}, {2 << 8, 1}}));
	}
}

// exit_group from a thread that is neither the leader nor the one that forked.
VM_TEST(WaitOrphan, AnotherThreadEndsTheParent)
{
	be_subreaper();
	for (int i = 0; i < rounds(200); i++) {
		Shared<Barrier> start(2);
		spawn([&] {
			std::thread([&] {
				spawn([&] {
					start->meet();
					return 2;
				});
				for (;;)
					pause();
			}).detach();
			std::thread([&] {
				start->meet();
				_exit(1);
			}).detach();
			for (;;)
				pause();
			return 0;
		});
		ASSERT_EQ(collect_all(), (Count{{1 << 8, 1}, {2 << 8, 1}}));
	}
}

VM_TEST(WaitOrphan, ManyChildrenOfADyingProcess)
{
	be_subreaper();
	constexpr int kChildren = 40;
	for (int i = 0; i < rounds(30); i++) {
		Shared<Barrier> start(kChildren + 1);
		spawn([&] {
			for (int c = 0; c < kChildren; c++)
				spawn([&, c] {
					start->meet();
					return c;
				});
			start->meet();
			return 99;
		});
		Count want{{99 << 8, 1}};
		for (int c = 0; c < kChildren; c++)
			want[c << 8]++;
		ASSERT_EQ(collect_all(), want);
	}
}

// Several waiters, native ones too, while whole trees fall.
VM_TEST(WaitOrphan, FallingTrees)
{
	be_subreaper();
	for (int i = 0; i < rounds(20); i++) {
		Shared<Barrier> start(13);
		for (int t = 0; t < 3; t++)
			spawn([&] {
				for (int c = 0; c < 3; c++)
					spawn([&] {
						spawn([&] {
							start->meet();
							return 3;
						});
						if (start->meet(), true)
							return 2;
						return 0;
					});
				return 1;
			});
		std::atomic<int> seen[4] = {};
		std::vector<std::thread> waiters;
		for (bool native : {true, false, false})
			waiters.emplace_back([&, native] {
				int status = -1;
				while ((native ? waitpid(-1, &status, 0)
					       : bsd_wait4(-1, &status, 0, nullptr)) > 0)
					seen[(status >> 8) & 3]++;
			});
		start->meet();
		for (auto &waiter : waiters)
			waiter.join();
		ASSERT_EQ(seen[1], 3);
		ASSERT_EQ(seen[2] + seen[3], 18);
		ASSERT_EQ(seen[0], 0);
	}
}

VM_TEST(WaitOrphan, GoesToInitNotToUs)
{
	Shared<std::atomic<pid_t>> orphan;
	Tokens go;
	pid_t middle = spawn([&] {
		*orphan = spawn([&] {
			go.take();
			return 2;
		});
		return 1;
	});
	int status = -1;
	EXPECT_EQ(bsd_wait4(-1, &status, 0, nullptr), middle);
	EXPECT_EQ(status, 1 << 8);
	EXPECT_EQ(kill(*orphan, 0), 0);
	EXPECT_ERRNO(bsd_wait4(*orphan, nullptr, 0, nullptr), ECHILD);
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
	go.give();
}

// Asleep for any child; the last of its own ends, the other's go elsewhere.
VM_TEST(WaitOrphan, SubreaperThatIgnoresSigchld)
{
	be_subreaper();
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < rounds(50); i++) {
		Shared<std::atomic<pid_t>> orphan;
		pid_t middle = spawn([&] {
			signal(SIGCHLD, SIG_DFL);
			*orphan = spawn([] { return 2; });
			if (i & 1)
				native_peek(*orphan);
			return 1;
		});
		ASSERT_EQ(bsd_wait4(-1, nullptr, 0, nullptr), -1);
		ASSERT_EQ(errno, ECHILD);
		ASSERT_TRUE(no_more(middle));
		ASSERT_TRUE(no_more(*orphan));
	}
}

VM_TEST(WaitOrphan, NearestSubreaperFirst)
{
	be_subreaper();
	pid_t inner = spawn([] {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		spawn([] {
			native_peek(spawn([] { return 7; }));
			return 1;
		});
		Count seen = collect_all();
		return seen == Count{{1 << 8, 1}, {7 << 8, 1}} ? 0 : 1;
	});
	int status = -1;
	EXPECT_EQ(bsd_wait4(-1, &status, 0, nullptr), inner);
	EXPECT_EQ(status, 0);
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
}
