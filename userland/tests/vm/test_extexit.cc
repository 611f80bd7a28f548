// SPDX-License-Identifier: BSD-2-Clause
// bsd_extexit: who ends, with which status, and when nothing may happen.
#include "vm_test.h"

#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr int kLwp = EXTEXIT_LWP | EXTEXIT_SIMPLE;
constexpr int kProc = EXTEXIT_PROC | EXTEXIT_SIMPLE;

void expect_end(pid_t pid, int want)
{
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, want);
}

// A thread that nobody joins: bsd_extexit ends it under pthread's feet.
template <class F> void detach(F body)
{
	std::thread(body).detach();
}

// Its child runs in this very frame.
[[gnu::noinline]] pid_t vfork_child_ends(int how, int *mark)
{
	pid_t pid = vfork();
	if (pid == 0) {
		bsd_extexit(how, 23, mark);
		_exit(90);
	}
	return pid;
}

[[noreturn]] void pause_for_ever()
{
	for (;;)
		pause();
}

} // namespace

VM_TEST(Extexit, UnknownWho)
{
	int canary = 77;
	for (int who : {2 << 16, 3 << 16, 4 << 16, 0x7fff0000, static_cast<int>(0x80000000),
			static_cast<int>(0xffff0000)})
		for (int action : {EXTEXIT_SIMPLE, EXTEXIT_SETINT, 2})
			EXPECT_ERRNO(bsd_extexit(who | action, 5, &canary), EINVAL);
	EXPECT_EQ(canary, 77);
}

VM_TEST(Extexit, UnknownAction)
{
	int canary = 77;
	for (int who : {EXTEXIT_PROC, EXTEXIT_LWP})
		for (int action : {2, 3, 4, 0x8000, 0xffff})
			EXPECT_ERRNO(bsd_extexit(who | action, 5, &canary), EINVAL);
	EXPECT_EQ(canary, 77);
	EXPECT_ERRNO(bsd_extexit(-1, 5, &canary), EINVAL);
}

// With others alive too, and the refused thread is as it was.
VM_TEST(Extexit, RefusedThreadGoesOn)
{
	pid_t pid = spawn([] {
		detach(pause_for_ever);
		std::thread([] {
			if (bsd_extexit(EXTEXIT_LWP | 2, 5, nullptr) != -1 || errno != EINVAL)
				_exit(90);
			if (bsd_extexit(EXTEXIT_LWP | EXTEXIT_SETINT, 5, nullptr) != -1 ||
			    errno != EFAULT)
				_exit(91);
		}).join();
		pid_t child = spawn([] { return 4; });
		int status = -1;
		if (bsd_wait4(child, &status, 0, nullptr) != child || status != 4 << 8)
			return 92;
		return 6;
	});
	expect_end(pid, 6 << 8);
}

VM_TEST(Extexit, EightBitsSurvive)
{
	for (int status :
	     {0, 1, 127, 128, 255, 256, 257, 0x12345678, -1, static_cast<int>(0x80000000)})
		for (int how : {kProc, kLwp}) {
			pid_t pid = spawn([=] {
				bsd_extexit(how, status, nullptr);
				return 99;
			});
			expect_end(pid, exit_status(status));
		}
}

VM_TEST(Extexit, SimpleIgnoresTheAddress)
{
	for (int how : {kProc, kLwp})
		for (uintptr_t addr : {0ul, 1ul, 0xffff888000000000ul, ~0ul}) {
			pid_t pid = spawn([=] {
				bsd_extexit(how, 3, reinterpret_cast<void *>(addr));
				return 99;
			});
			expect_end(pid, 3 << 8);
		}
}

VM_TEST(Extexit, ThreadEndsAlone)
{
	pid_t pid = spawn([] {
		std::atomic<pid_t> tid{0};
		detach([&] {
			tid = gettid_raw();
			bsd_extexit(kLwp, 5, nullptr);
			_exit(90);
		});
		while (tid == 0)
			sched_yield();
		until_gone(tid);
		return 8;
	});
	expect_end(pid, 8 << 8);
}

VM_TEST(Extexit, LeaderEndsAlone)
{
	Tokens go;
	pid_t pid = spawn([&] {
		detach([&] {
			go.take();
			bsd_extexit(kLwp, 77, nullptr);
			_exit(90);
		});
		bsd_extexit(kLwp, 1, nullptr);
		return 91;
	});
	until_state(pid, 'Z');
	EXPECT_EQ(bsd_wait4(pid, nullptr, WNOHANG, nullptr), 0);
	go.give();
	expect_end(pid, 77 << 8);
}

// The thread that is left ends in every way that there is.
VM_TEST(Extexit, LeaderEndedThenAnotherEnd)
{
	// Asked for here: who has lost its leader has lost /proc/self/exe as well.
	std::string target = sibling("exec_target");
	for (int way = 0; way < 5; way++) {
		Tokens go;
		pid_t pid = spawn([&] {
			detach([&] {
				go.take();
				switch (way) {
				case 0:
					bsd_extexit(kProc, 31, nullptr);
					break;
				case 1:
					_exit(31);
				case 2:
					exit_thread_raw(31);
					break;
				case 3:
					kill(getpid(), SIGKILL);
					break;
				default:
					execl(target.c_str(), "exec_target", "lwp", "31", nullptr);
				}
				_exit(90);
			});
			bsd_extexit(kLwp, 1, nullptr);
			return 91;
		});
		until_state(pid, 'Z');
		go.give();
		expect_end(pid, way == 3 ? SIGKILL : 31 << 8);
	}
}

VM_TEST(Extexit, ProcessFromAnotherThread)
{
	pid_t pid = spawn([] {
		detach(pause_for_ever);
		detach([] {
			bsd_extexit(kProc, 44, nullptr);
			_exit(90);
		});
		pause_for_ever();
		return 91;
	});
	expect_end(pid, 44 << 8);
}

VM_TEST(Extexit, ThreadsEndOneAfterTheOther)
{
	constexpr int kThreads = 6;
	Tokens turn[kThreads];
	Shared<std::atomic<pid_t>> tids[kThreads];
	pid_t pid = spawn([&] {
		for (int i = 1; i < kThreads; i++)
			detach([&, i] {
				*tids[i] = gettid_raw();
				turn[i].take();
				bsd_extexit(kLwp, 10 + i, nullptr);
				_exit(90);
			});
		*tids[0] = gettid_raw();
		turn[0].take();
		bsd_extexit(kLwp, 10, nullptr);
		return 91;
	});
	for (auto &tid : tids)
		while (*tid == 0)
			sched_yield();
	// The leader goes second; its task stays, as a zombie.
	for (int i : {3, 0, 5, 1, 4}) {
		EXPECT_EQ(bsd_wait4(pid, nullptr, WNOHANG, nullptr), 0);
		turn[i].give();
		if (i == 0)
			until_state(pid, 'Z');
		else
			until_gone(*tids[i]);
	}
	turn[2].give();
	expect_end(pid, 12 << 8);
}

VM_TEST(Extexit, InVforkChild)
{
	for (int how : {kProc, kLwp, EXTEXIT_PROC | EXTEXIT_SETINT, EXTEXIT_LWP | EXTEXIT_SETINT}) {
		int mark = 0;
		expect_end(vfork_child_ends(how, &mark), 23 << 8);
		EXPECT_EQ(mark, EXTEXIT_ACTION(how) == EXTEXIT_SETINT ? 23 : 0);
	}
}

VM_TEST(Extexit, InVforkChildAsFirstUse)
{
	std::string target = sibling("exec_target");
	for (const char *lwp : {"0", "1"}) {
		pid_t pid = spawn([&] {
			execl(target.c_str(), "exec_target", "vfork", lwp, nullptr);
			return 98;
		});
		expect_end(pid, 0);
	}
}

VM_TEST(Extexit, RightAfterExec)
{
	std::string target = sibling("exec_target");
	pid_t pid = spawn([&] {
		execl(target.c_str(), "exec_target", "extexit", "19", nullptr);
		return 98;
	});
	expect_end(pid, 19 << 8);
}

// The handler may have come in the middle of malloc, or of a wait.
VM_TEST(Extexit, InSignalHandler)
{
	for (int i = 0; i < rounds(50); i++) {
		Tokens ready;
		pid_t pid = spawn([&] {
			struct sigaction act = {};
			act.sa_handler = i & 1 ? [](int) { bsd_extexit(kProc, 61, nullptr); }
					       : [](int) { bsd_extexit(kLwp, 61, nullptr); };
			sigaction(SIGUSR1, &act, nullptr);
			ready.give();
			if (i & 2) {
				pid_t child = spawn([] { return pause(); });
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				bsd_wait4(child, nullptr, 0, nullptr);
			}
			void *volatile block;
			for (size_t n = 0;; n++) {
				block = malloc(n % 5000);
				free(block);
			}
			return 90;
		});
		ready.take();
		if (i & 2)
			until_waiting(pid);
		kill(pid, SIGUSR1);
		int status = -1;
		ASSERT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		ASSERT_EQ(status, 61 << 8);
	}
}

VM_TEST(Extexit, Unprivileged)
{
	for (int how : {kProc, kLwp}) {
		pid_t pid = spawn([=] {
			if (setgid(65534) != 0 || setuid(65534) != 0)
				return 98;
			detach(pause_for_ever);
			std::thread([=] { bsd_extexit(kLwp, 1, nullptr); }).detach();
			bsd_extexit(kProc | how, 12, nullptr);
			return 99;
		});
		if (how == kLwp) {
			// The thread that pauses keeps it alive.
			until_state(pid, 'Z');
			EXPECT_EQ(bsd_wait4(pid, nullptr, WNOHANG, nullptr), 0);
			kill(pid, SIGKILL);
			expect_end(pid, SIGKILL);
		} else {
			expect_end(pid, 12 << 8);
		}
	}
}
