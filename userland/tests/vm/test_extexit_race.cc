// SPDX-License-Identifier: BSD-2-Clause
// Threads that race to end: one is the last, and its status is the process's.
#include "vm_test.h"

#include <set>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr int kThreads = 6;

struct Marks {
	std::atomic<int> of[kThreads] = {};
	std::atomic<int> came_back{0};
};

// Runs a process of kThreads threads, the leader among them, that leave a barrier together
// to call bsd_extexit(how(i), 10 + i). Returns its wait status.
template <class How, class Meanwhile> int race(How how, Meanwhile meanwhile, Marks &marks)
{
	Shared<Barrier> start(kThreads + 1);
	pid_t pid = spawn([&] {
		auto run = [&](int i) {
			start->meet();
			bsd_extexit(how(i), 10 + i, &marks.of[i]);
			marks.came_back++;
		};
		for (int i = 1; i < kThreads; i++)
			std::thread(run, i).detach();
		run(0);
		return 90;
	});
	start->meet();
	meanwhile(pid);
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(marks.came_back, 0);
	return status;
}

bool is_number_of(int status, int first, int end)
{
	int code = status >> 8;
	return (status & 0xff) == 0 && code >= 10 + first && code < 10 + end;
}

void nothing(pid_t) {}

} // namespace

VM_TEST(ExtexitRace, OneIsTheLast)
{
	std::set<int> last;
	// Until they were races: not always the same one is the last.
	for (int i = 0; i < rounds(2000) || last.size() < 2; i++) {
		Shared<Marks> marks;
		int status = race([](int) { return EXTEXIT_LWP; }, nothing, *marks);
		ASSERT_TRUE(is_number_of(status, 0, kThreads)) << std::hex << status;
		last.insert(status);
	}
}

VM_TEST(ExtexitRace, EveryoneStoresItsMark)
{
	for (int i = 0; i < rounds(300); i++) {
		Shared<Marks> marks;
		int status =
			race([](int) { return EXTEXIT_LWP | EXTEXIT_SETINT; }, nothing, *marks);
		ASSERT_TRUE(is_number_of(status, 0, kThreads)) << std::hex << status;
		for (int t = 0; t < kThreads; t++)
			ASSERT_EQ(marks->of[t], 10 + t) << "thread " << t << " of round " << i;
	}
}

// While the one that wants the process's end lives, no other can be the last.
VM_TEST(ExtexitRace, OneEndsTheProcess)
{
	for (int i = 0; i < rounds(300); i++) {
		Shared<Marks> marks;
		int master = i % kThreads;
		int status = race([=](int t) { return t == master ? EXTEXIT_PROC : EXTEXIT_LWP; },
				  nothing, *marks);
		ASSERT_EQ(status, (10 + master) << 8);
	}
}

VM_TEST(ExtexitRace, SomeEndTheProcess)
{
	for (int i = 0; i < rounds(300); i++) {
		Shared<Marks> marks;
		int masters = 2 + i % (kThreads - 1);
		int status = race([=](int t) { return t < masters ? EXTEXIT_PROC : EXTEXIT_LWP; },
				  nothing, *marks);
		ASSERT_TRUE(is_number_of(status, 0, masters)) << std::hex << status;
	}
}

VM_TEST(ExtexitRace, SomeEndTheProcessWithMarks)
{
	for (int i = 0; i < rounds(300); i++) {
		Shared<Marks> marks;
		int status = race(
			[=](int t) {
				return (t & 1 ? EXTEXIT_PROC : EXTEXIT_LWP) | EXTEXIT_SETINT;
			},
			nothing, *marks);
		int code = (status >> 8) - 10;
		ASSERT_TRUE(is_number_of(status, 0, kThreads) && (code & 1)) << std::hex << status;
		ASSERT_EQ(marks->of[code], 10 + code);
		for (int t = 0; t < kThreads; t++)
			ASSERT_TRUE(marks->of[t] == 0 || marks->of[t] == 10 + t);
	}
}

VM_TEST(ExtexitRace, Killed)
{
	bool killed = false; // or it was no race
	for (int i = 0; i < rounds(300) || !killed; i++) {
		Shared<Marks> marks;
		int status = race([=](int t) { return t == i % 8 ? EXTEXIT_PROC : EXTEXIT_LWP; },
				  [=](pid_t pid) {
					  spin((i * 131) % 4000);
					  kill(pid, SIGKILL);
				  },
				  *marks);
		ASSERT_TRUE(status == SIGKILL || is_number_of(status, 0, kThreads))
			<< std::hex << status;
		killed |= status == SIGKILL;
	}
}

VM_TEST(ExtexitRace, AgainstExitGroup)
{
	for (int i = 0; i < rounds(300); i++) {
		Shared<Barrier> start(kThreads + 1);
		pid_t pid = spawn([&] {
			for (int t = 1; t < kThreads; t++)
				std::thread([&, t] {
					start->meet();
					bsd_extexit(t & 1 ? EXTEXIT_LWP : EXTEXIT_PROC, 10 + t,
						    nullptr);
				}).detach();
			std::thread([&] {
				start->meet();
				_exit(50);
			}).detach();
			start->meet();
			bsd_extexit(EXTEXIT_LWP, 10, nullptr);
			return 90;
		});
		int status = -1;
		ASSERT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		int code = status >> 8;
		ASSERT_EQ(status & 0xff, 0);
		ASSERT_TRUE(code == 50 || code == 12 || code == 14) << code;
	}
}

// Threads end while one of them execs: the new image is a process of one thread.
VM_TEST(ExtexitRace, AgainstExec)
{
	std::string target = sibling("exec_target");
	for (int i = 0; i < rounds(100); i++) {
		Shared<Barrier> start(kThreads);
		pid_t pid = spawn([&] {
			auto run = [&](int t) {
				start->meet();
				if (t == i % kThreads)
					execl(target.c_str(), "exec_target", "lwp", "51", nullptr);
				bsd_extexit(EXTEXIT_LWP, 10 + t, nullptr);
				_exit(90);
			};
			for (int t = 1; t < kThreads; t++)
				std::thread(run, t).detach();
			run(0);
			return 91;
		});
		int status = -1;
		ASSERT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		ASSERT_EQ(status, 51 << 8);
	}
}

// New threads are born while the old ones end.
VM_TEST(ExtexitRace, AgainstBirth)
{
	for (int i = 0; i < rounds(200); i++) {
		Shared<std::atomic<int>> born;
		pid_t pid = spawn([&] {
			for (int t = 0; t < 10; t++)
				std::thread([&] {
					++*born;
					bsd_extexit(EXTEXIT_LWP, 20, nullptr);
					_exit(90);
				}).detach();
			bsd_extexit(EXTEXIT_LWP, 20, nullptr);
			return 91;
		});
		int status = -1;
		ASSERT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		ASSERT_EQ(status, 20 << 8);
		ASSERT_EQ(*born, 10);
	}
}

// Several such processes at once, collected by several threads.
VM_TEST(ExtexitRace, ManyProcesses)
{
	std::atomic<int> collected{0}, wrong{0};
	std::vector<std::thread> racers;
	for (int r = 0; r < 4; r++)
		racers.emplace_back([&] {
			for (int i = 0; i < rounds(100); i++) {
				Shared<Marks> marks;
				int status = race([](int) { return EXTEXIT_LWP; }, nothing, *marks);
				collected++;
				wrong += !is_number_of(status, 0, kThreads);
			}
		});
	for (auto &racer : racers)
		racer.join();
	EXPECT_EQ(collected, 4 * rounds(100));
	EXPECT_EQ(wrong, 0);
}
