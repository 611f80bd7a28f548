// SPDX-License-Identifier: BSD-2-Clause
// Pid namespaces and numbers that come round: a wait names a process, not a number.
#include "vm_pid.h"
#include "vm_test.h"

#include <map>
#include <set>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

// Runs `body` as init of a new pid namespace; returns its wait status.
template <class F> int in_namespace(F body)
{
	pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, body);
	int status = -1;
	EXPECT_EQ(bsd_wait4(init, &status, 0, nullptr), init);
	return status;
}

} // namespace

VM_TEST(WaitPidns, NumbersOfTheNamespace)
{
	EXPECT_EQ(in_namespace([] {
			  if (getpid() != 1)
				  return 1;
			  std::set<pid_t> pids;
			  for (int i = 0; i < 5; i++)
				  pids.insert(spawn([] { return 3; }));
			  if (*pids.begin() != 2)
				  return 2;
			  for (int status; !pids.empty();) {
				  pid_t got = bsd_wait4(-1, &status, 0, nullptr);
				  if (pids.erase(got) != 1 || status != 3 << 8)
					  return 3;
			  }
			  return bsd_wait4(-1, nullptr, 0, nullptr) == -1 && errno == ECHILD ? 0
											     : 4;
		  }),
		  0);
}

VM_TEST(WaitPidns, NumbersOfTheWaiter)
{
	Shared<std::atomic<pid_t>> inside;
	pid_t outside = spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
		*inside = getpid();
		return 5;
	});
	native_peek(outside);
	EXPECT_EQ(*inside, 1);
	EXPECT_ERRNO(bsd_wait4(*inside, nullptr, 0, nullptr), ECHILD);
	int status = -1;
	EXPECT_EQ(bsd_wait4(-1, &status, 0, nullptr), outside);
	EXPECT_EQ(status, 5 << 8);
}

VM_TEST(WaitPidns, NumbersOutsideMeanNothingInside)
{
	Tokens go;
	pid_t us = getpid();
	pid_t other = spawn([&] {
		go.take();
		return 0;
	});
	EXPECT_EQ(in_namespace([=] {
			  pid_t mine = spawn([] { return 1; });
			  native_peek(mine);
			  for (pid_t outer : {other, us})
				  if (outer != mine &&
				      (bsd_wait4(outer, nullptr, 0, nullptr) != -1 ||
				       errno != ECHILD))
					  return 1;
			  return bsd_wait4(mine, nullptr, 0, nullptr) == mine ? 0 : 2;
		  }),
		  0);
	go.give();
	EXPECT_EQ(native_reap(other), 0);
}

VM_TEST(WaitPidns, InitGetsItsOrphans)
{
	EXPECT_EQ(in_namespace([] {
			  constexpr int kTrees = 20;
			  for (int i = 0; i < kTrees; i++)
				  spawn([] {
					  spawn([] { return 2; });
					  return 1;
				  });
			  int seen[3] = {}, status;
			  while (bsd_wait4(-1, &status, 0, nullptr) > 0)
				  if (status >> 8 <= 2)
					  seen[status >> 8]++;
			  return errno == ECHILD && seen[1] == kTrees && seen[2] == kTrees ? 0 : 1;
		  }),
		  0);
}

VM_TEST(WaitPidns, InitDiesWithHundredsInside)
{
	for (int i = 0; i < rounds(3); i++) {
		Tokens ready;
		pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
			for (int k = 0; k < 150; k++)
				spawn([&] {
					ready.give();
					return pause();
				});
			pause();
			return 1;
		});
		ready.take(150);
		EXPECT_EQ(bsd_wait4(init, nullptr, WNOHANG, nullptr), 0);
		kill(init, SIGKILL);
		int status = -1;
		EXPECT_EQ(bsd_wait4(init, &status, 0, nullptr), init);
		EXPECT_EQ(status, SIGKILL);
		EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
	}
}

VM_TEST(WaitPidns, InitExitsWithZombiesAndLivingInside)
{
	for (int i = 0; i < rounds(20); i++)
		EXPECT_EQ(in_namespace([] {
				  for (int k = 0; k < 5; k++) {
					  spawn([] { return 1; });
					  spawn([] { return pause(); });
				  }
				  return 6;
			  }),
			  6 << 8);
}

// A child that a parent made in another namespace by setns's cousin, unshare.
VM_TEST(WaitPidns, Unshared)
{
	ASSERT_EQ(unshare(CLONE_NEWPID), 0);
	pid_t first = spawn([] { return getpid(); });
	int status = -1;
	EXPECT_EQ(bsd_wait4(first, &status, 0, nullptr), first);
	EXPECT_EQ(status, 1 << 8);
}

VM_TEST(PidReuse, SameNumberAgain)
{
	for (int i = 0; i < rounds(50); i++) {
		pid_t pid = spawn([] { return 1; });
		int status = -1;
		ASSERT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		ASSERT_EQ(status, 1 << 8);
		Tokens go;
		ASSERT_TRUE(spawn_as(pid, [&] {
			go.take();
			return 2;
		}));
		ASSERT_EQ(bsd_wait4(pid, nullptr, WNOHANG, nullptr), 0);
		go.give();
		ASSERT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		ASSERT_EQ(status, 2 << 8);
	}
}

VM_TEST(PidReuse, AfterNativeReap)
{
	for (int i = 0; i < rounds(50); i++) {
		pid_t pid = spawn([] { return 1; });
		ASSERT_EQ(native_reap(pid), 1 << 8);
		ASSERT_TRUE(spawn_as(pid, [] { return 2; }));
		int status = -1;
		ASSERT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		ASSERT_EQ(status, 2 << 8);
	}
}

// The number now belongs to someone who is not our child.
VM_TEST(PidReuse, NowAStranger)
{
	for (int i = 0; i < rounds(30); i++) {
		Tokens go, made;
		pid_t pid = spawn([] { return 1; });
		ASSERT_EQ(native_reap(pid), 1 << 8);
		pid_t other = spawn([&] {
			bool ok = spawn_as(pid, [&] {
				go.take();
				return 0;
			});
			made.give();
			return ok ? native_reap(pid) : 1;
		});
		made.take();
		ASSERT_EQ(kill(pid, 0), 0);
		EXPECT_ERRNO(bsd_wait4(pid, nullptr, WNOHANG, nullptr), ECHILD);
		EXPECT_ERRNO(bsd_wait4(pid, nullptr, 0, nullptr), ECHILD);
		go.give();
		ASSERT_EQ(native_reap(other), 0);
	}
}

// A group's number outlives its leader and must not be taken for a new process's.
VM_TEST(PidReuse, GroupOutlivesItsLeader)
{
	Tokens go, grouped;
	pid_t leader = spawn([&] {
		setpgid(0, 0);
		grouped.give();
		go.take();
		return 1;
	});
	grouped.take();
	pid_t member = spawn([&] {
		setpgid(0, leader);
		grouped.give();
		go.take();
		return 2;
	});
	grouped.take();
	kill(leader, SIGKILL);
	int status = -1;
	EXPECT_EQ(bsd_wait4(leader, &status, 0, nullptr), leader);
	EXPECT_EQ(status, SIGKILL);
	EXPECT_ERRNO(bsd_wait4(leader, nullptr, 0, nullptr), ECHILD);
	EXPECT_EQ(bsd_wait4(-leader, nullptr, WNOHANG, nullptr), 0);
	go.give();
	EXPECT_EQ(bsd_wait4(-leader, &status, 0, nullptr), member);
	EXPECT_EQ(status, 2 << 8);
	EXPECT_ERRNO(bsd_wait4(-leader, nullptr, 0, nullptr), ECHILD);
}
