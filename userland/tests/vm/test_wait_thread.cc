// SPDX-License-Identifier: BSD-2-Clause
// A process's children are all its threads'; and what becomes of them, and of lwp ids,
// when threads end, exec, or clone siblings.
#include "vm_test.h"

#include <set>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

void expect_child(pid_t id, pid_t pid, int want)
{
	int status = -1;
	EXPECT_EQ(bsd_wait4(id, &status, 0, nullptr), pid);
	EXPECT_EQ(status, want);
}

int main_is_one_after_exec(bool leader_gone)
{
	std::string target = sibling("exec_target");
	pid_t leader = gettid_raw();
	std::thread([=] {
		if (leader_gone)
			until_state(leader, 'Z');
		execl(target.c_str(), "exec_target", "lwp", "44", nullptr);
		_exit(98);
	}).detach();
	if (leader_gone)
		exit_thread_raw(5);
	for (;;)
		pause();
}

} // namespace

VM_TEST(WaitThread, AnotherThreadForked)
{
	pid_t pid = 0;
	Tokens forked, end;
	std::thread forker([&] {
		pid = spawn([] { return 1; });
		forked.give();
		end.take();
	});
	forked.take();
	expect_child(pid, pid, 1 << 8);
	end.give();
	forker.join();
}

VM_TEST(WaitThread, ForkingThreadDied)
{
	for (bool zombie : {true, false}) {
		for (int i = 0; i < rounds(50); i++) {
			Tokens go;
			pid_t pid = 0, tid = 0;
			std::thread([&] {
				tid = gettid_raw();
				pid = spawn([&] {
					if (!zombie)
						go.take();
					return 3;
				});
				if (zombie)
					native_peek(pid);
			}).join();
			until_gone(tid);
			if (!zombie) {
				EXPECT_EQ(bsd_wait4(pid, nullptr, WNOHANG, nullptr), 0);
				go.give();
			}
			expect_child(i & 1 ? -1 : pid, pid, 3 << 8);
		}
	}
}

VM_TEST(WaitThread, ForkingThreadDiesWhileAnotherSleeps)
{
	for (int i = 0; i < rounds(50); i++) {
		Tokens go, forked, end;
		pid_t pid = 0, main_thread = gettid_raw();
		std::thread forker([&] {
			pid = spawn([&] {
				go.take();
				return 3;
			});
			forked.give();
			until_waiting(main_thread);
		});
		std::thread ender([&] {
			forker.join();
			go.give();
		});
		forked.take();
		expect_child(-1, pid, 3 << 8);
		ender.join();
	}
}

// The leader forks and ends; a thread that is left does the waiting.
VM_TEST(WaitThread, LeaderForkedAndEnded)
{
	pid_t parent = spawn([] {
		pid_t leader = gettid_raw();
		pid_t pid = spawn([] { return 3; });
		std::thread([=] {
			int status = -1;
			until_state(leader, 'Z');
			pid_t got = bsd_wait4(-1, &status, 0, nullptr);
			_exit(got == pid && status == 3 << 8 ? 11 : 12);
		}).detach();
		exit_thread_raw(0);
		return 13;
	});
	expect_child(parent, parent, 11 << 8);
}

VM_TEST(WaitThread, LeaderEndsLongBeforeTheProcess)
{
	Tokens go;
	pid_t pid = spawn([&] {
		std::thread([&] {
			go.take();
			_exit(77);
		}).detach();
		exit_thread_raw(1);
		return 13;
	});
	until_state(pid, 'Z');
	for (pid_t id : {pid, -1})
		EXPECT_EQ(bsd_wait4(id, nullptr, WNOHANG, nullptr), 0);
	std::thread late([&] {
		until_waiting(getpid());
		go.give();
	});
	expect_child(pid, pid, 77 << 8);
	late.join();
}

// Two threads that end of themselves, with no exit_group: the last one's code counts.
VM_TEST(WaitThread, LastThreadEndsLast)
{
	for (bool leader_last : {true, false}) {
		pid_t pid = spawn([=] {
			pid_t leader = gettid_raw();
			std::atomic<pid_t> tid{0};
			std::thread([&, leader] {
				tid = gettid_raw();
				if (!leader_last)
					until_state(leader, 'Z');
				exit_thread_raw(5);
			}).detach();
			while (tid == 0)
				sched_yield();
			if (leader_last)
				until_gone(tid);
			exit_thread_raw(6);
			return 13;
		});
		int want = native_peek(pid).si_status;
		expect_child(pid, pid, want << 8);
		EXPECT_EQ(want, leader_last ? 6 : 5);
	}
}

VM_TEST(WaitThread, CloneParent)
{
	Shared<std::atomic<pid_t>> sibling;
	Tokens go;
	pid_t pid = spawn([&] {
		*sibling = spawn_flags(CLONE_PARENT | SIGCHLD, [&] {
			go.take();
			return 2;
		});
		int status;
		if (bsd_wait4(-1, &status, 0, nullptr) != -1 || errno != ECHILD)
			return 9;
		return 1;
	});
	expect_child(pid, pid, 1 << 8);
	EXPECT_EQ(bsd_wait4(*sibling, nullptr, WNOHANG, nullptr), 0);
	go.give();
	expect_child(-1, *sibling, 2 << 8);
}

// CLONE_PARENT while that parent dies: the sibling must go where Linux puts it.
VM_TEST(WaitThread, CloneParentOfADyingParent)
{
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (int i = 0; i < rounds(150); i++) {
		Shared<Barrier> start(2);
		Shared<std::atomic<int>> made;
		spawn([&] {
			spawn([&] {
				start->meet();
				for (int k = 0; k < 3; k++) {
					spawn_flags(CLONE_PARENT | SIGCHLD, [] { return 3; });
					++*made;
				}
				return 2;
			});
			start->meet();
			return 1;
		});
		int seen[4] = {}, status = -1;
		while (bsd_wait4(-1, &status, 0, nullptr) > 0)
			seen[(status >> 8) & 3]++;
		ASSERT_EQ(errno, ECHILD);
		// Those cloned while the parent lived were its own, and came to us with its death.
		ASSERT_EQ(seen[1], 1);
		ASSERT_EQ(seen[2], 1);
		ASSERT_EQ(seen[3], *made);
	}
}

VM_TEST(WaitThread, ExecByAnotherThread)
{
	for (bool leader_gone : {false, true})
		for (int i = 0; i < rounds(25); i++) {
			pid_t pid = spawn([=] { return main_is_one_after_exec(leader_gone); });
			expect_child(pid, pid, 44 << 8);
		}
}

// Its children stay its own.
VM_TEST(WaitThread, ExecByAnotherThreadKeepsChildren)
{
	std::string target = sibling("exec_target");
	for (bool zombie : {true, false}) {
		pid_t parent = spawn([&] {
			Tokens go;
			pid_t pid = spawn([&] {
				if (!zombie)
					go.take();
				return 46;
			});
			if (zombie)
				native_peek(pid);
			std::thread([&] {
				if (!zombie)
					go.give();
				execl(target.c_str(), "exec_target", "wait",
				      std::to_string(pid).c_str(), "46", nullptr);
				_exit(98);
			}).join();
			return 97;
		});
		expect_child(parent, parent, 0);
	}
}

VM_TEST(WaitThread, LwpIds)
{
	EXPECT_EQ(bsd_lwp_gettid(), 1);
	constexpr int kThreads = 5;
	std::atomic<int> arrived{0};
	int ids[kThreads] = {};
	std::vector<std::thread> threads;
	for (int i = 0; i < kThreads; i++)
		threads.emplace_back([&, i] {
			ids[i] = bsd_lwp_gettid();
			EXPECT_EQ(bsd_lwp_gettid(), ids[i]);
			for (arrived++; arrived < kThreads;)
				sched_yield();
		});
	for (auto &thread : threads)
		thread.join();
	std::set<int> different(ids, ids + kThreads);
	EXPECT_EQ(different.size(), static_cast<size_t>(kThreads));
	EXPECT_GT(*different.begin(), 1);
	EXPECT_EQ(bsd_lwp_gettid(), 1);

	pid_t pid = spawn([] { return bsd_lwp_gettid(); });
	expect_child(pid, pid, 1 << 8);
}
