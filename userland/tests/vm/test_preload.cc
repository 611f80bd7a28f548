// SPDX-License-Identifier: BSD-2-Clause
// The preload in a program that is linked with it, so all waits here are served, the harness's
// too. What diff_wait cannot play, as Linux does not always do the same.
#include "vm_test.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "bsdproc_ioctl.h"

using namespace vm;

namespace
{

// Our descriptors of the device.
std::vector<int> handles()
{
	std::vector<int> fds;
	DIR *dir = opendir("/proc/self/fd");
	while (struct dirent *entry = dir ? readdir(dir) : nullptr) {
		char to[64];
		const ssize_t n = readlinkat(dirfd(dir), entry->d_name, to, sizeof(to));
		if (n > 0 && std::string(to, static_cast<size_t>(n)) == BSDPROC_DEVICE)
			fds.push_back(atoi(entry->d_name));
	}
	closedir(dir);
	return fds;
}

int lowest_free()
{
	const int fd = dup(STDOUT_FILENO);
	close(fd);
	return fd;
}

void expect_wait_works(int code)
{
	const pid_t pid = spawn([=] { return code; });
	int status = -1;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, exit_status(code));
	EXPECT_ERRNO(waitpid(pid, &status, 0), ECHILD);
}

void limit_descriptors(rlim_t most)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = most;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("setrlimit");
}

// The harness has waited in our parent; here it is to begin anew.
void forget_handle()
{
	for (int fd : handles())
		close(fd);
}

uint64_t mask()
{
	uint64_t now = 0;
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &now, sizeof(now));
	return now;
}

} // namespace

// ---- the handle ------------------------------------------------------------------

VM_TEST(Preload, HandleIsOutOfTheWay)
{
	forget_handle();
	const int before = lowest_free();
	expect_wait_works(3);
	EXPECT_EQ(lowest_free(), before);
	EXPECT_EQ(handles(), std::vector<int>{250});
	EXPECT_EQ(fcntl(250, F_GETFD), FD_CLOEXEC);
	// In the place of another file it is the next.
	dup2(STDOUT_FILENO, 250);
	expect_wait_works(4);
	EXPECT_EQ(handles(), std::vector<int>{251});
}

VM_TEST(Preload, FewDescriptors)
{
	forget_handle();
	limit_descriptors(40);
	expect_wait_works(5);
	const std::vector<int> fds = handles();
	ASSERT_EQ(fds.size(), 1u);
	EXPECT_GT(fds[0], STDERR_FILENO);
	EXPECT_LT(fds[0], 40);
}

// Linux serves who cannot ask.
VM_TEST(Preload, NoDescriptors)
{
	forget_handle();
	limit_descriptors(20);
	while (dup(STDOUT_FILENO) >= 0)
		;
	ASSERT_EQ(errno, EMFILE);
	expect_wait_works(6);
	EXPECT_TRUE(handles().empty());
}

VM_TEST(Preload, NoDevice)
{
	forget_handle();
	char empty[] = "/tmp/test_preload.XXXXXX";
	ASSERT_TRUE(mkdtemp(empty));
	const pid_t pid = spawn([&] {
		if (chroot(empty) != 0 || chdir("/") != 0)
			return 90;
		const pid_t child = spawn([] { return 7; });
		int status = -1;
		return waitpid(child, &status, 0) == child && status == 7 << 8 ? 0 : 91;
	});
	int status = -1;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	rmdir(empty);
}

// One thread takes it away all the time, as a program may that closes what it does not know.
VM_TEST(Preload, HandleLostUnderThreads)
{
	std::atomic<int> waiting{3}, wrong{0};
	std::vector<std::thread> threads;
	for (int t = 0; t < 3; t++)
		threads.emplace_back([&] {
			for (int i = 0; i < rounds(60); i++) {
				const pid_t pid = spawn([=] { return i & 0xff; });
				int status = -1;
				wrong += waitpid(pid, &status, 0) != pid || status != (i & 0xff)
											      << 8;
			}
			waiting--;
		});
	while (waiting > 0) {
		for (int fd = 250; fd < 254; fd++)
			close(fd);
		sched_yield();
	}
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(wrong, 0);
}

// ---- cancellation ------------------------------------------------------------------

namespace
{

struct Wait {
	pid_t pid;
	pid_t got = 0;
	int status = -1;
	std::atomic<pid_t> tid{0};
};

void *wait_for(void *arg)
{
	auto *wait = static_cast<Wait *>(arg);
	wait->tid = gettid_raw();
	wait->got = waitpid(wait->pid, &wait->status, 0);
	return nullptr;
}

} // namespace

// A thread is cancelled while the child ends: it has collected it and says so, or it is gone
// and the child is there. The delay goes to where both are met.
VM_TEST(Preload, CancelledAsTheChildEnds)
{
	int delay = 1000, cancelled = 0;
	const int total = std::max(rounds(600), 60);
	for (int i = 0; i < total; i++) {
		Tokens go;
		Wait wait = {};
		wait.pid = spawn([&] {
			go.take();
			return i & 0xff;
		});
		pthread_t thread;
		void *value = nullptr;
		ASSERT_EQ(pthread_create(&thread, nullptr, wait_for, &wait), 0);
		while (wait.tid == 0)
			sched_yield();
		until_waiting(wait.tid);
		go.give();
		spin(delay);
		pthread_cancel(thread);
		pthread_join(thread, &value);
		const bool lost = value == PTHREAD_CANCELED;
		if (lost) {
			int status = -1;
			ASSERT_EQ(waitpid(wait.pid, &status, 0), wait.pid) << i;
			ASSERT_EQ(status, exit_status(i));
		} else {
			ASSERT_EQ(wait.got, wait.pid);
			ASSERT_EQ(wait.status, exit_status(i));
			EXPECT_ERRNO(waitpid(wait.pid, nullptr, 0), ECHILD);
		}
		cancelled += lost;
		// In great steps as long as only one of them has been.
		const int step = cancelled && cancelled <= i ? delay / 8 + 1 : delay / 2 + 1;
		delay = std::clamp(delay + (lost ? step : -step), 0, 50'000'000);
	}
	EXPECT_GT(cancelled, total / 20);
	EXPECT_LT(cancelled, total - total / 20);
}

// A child of vfork that is killed in its wait has used its parent's control block.
VM_TEST(Preload, VforkChildKilledInItsWait)
{
	std::atomic<bool> stop{false};
	std::thread other([&] {
		while (!stop)
			sched_yield();
	});
	Shared<std::atomic<pid_t>> tid{0};
	const pid_t killer = spawn([&] {
		while (*tid == 0)
			sched_yield();
		until_waiting(*tid);
		kill(*tid, SIGKILL);
		return 0;
	});
	const pid_t pid = spawn_vfork([&] {
		const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		while (child == 0) // NOLINT(bugprone-infinite-loop): until it is killed
			syscall(SYS_pause);
		*tid = gettid_raw();
		waitpid(static_cast<pid_t>(child), nullptr, 0);
		return 1;
	});
	int type = -1;
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	EXPECT_EQ(type, PTHREAD_CANCEL_DEFERRED);
	int status = -1;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, SIGKILL);
	EXPECT_EQ(waitpid(killer, &status, 0), killer);
	stop = true;
	other.join();
}

// ---- signals ------------------------------------------------------------------------

namespace
{

// By whom each child was collected, by its number in `made`.
std::atomic<int> collected[1024];
std::atomic<pid_t> made[1024];
std::atomic<int> strangers;

void note(pid_t pid)
{
	for (auto &slot : made)
		if (slot == pid) {
			collected[&slot - made]++;
			return;
		}
	strangers++;
}

void reap_all(int)
{
	const int saved = errno;
	for (pid_t pid; (pid = waitpid(-1, nullptr, WNOHANG)) > 0;)
		note(pid);
	errno = saved;
}

} // namespace

// Threads that wait for their own children, whose ends a handler in any of them reaps, too.
VM_TEST(Preload, HandlerAndThreadsMeetEachOnce)
{
	struct sigaction act = {};
	act.sa_handler = reap_all;
	act.sa_flags = SA_RESTART;
	sigaction(SIGCHLD, &act, nullptr);
	const uint64_t before = mask();
	const int each = std::min(rounds(80), 256);
	std::atomic<int> wrong{0};
	std::vector<std::thread> threads;
	for (int t = 0; t < 4; t++)
		threads.emplace_back([&, t] {
			for (int i = 0; i < each; i++) {
				Tokens known;
				const pid_t pid = spawn([&] {
					signal(SIGCHLD, SIG_DFL);
					known.take();
					return 8;
				});
				made[t * 256 + i] = pid;
				known.give();
				const pid_t got = waitpid(pid, nullptr, 0);
				if (got == pid)
					note(pid);
				else
					wrong += got != -1 || errno != ECHILD;
				wrong += mask() != before;
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	signal(SIGCHLD, SIG_DFL);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(strangers, 0);
	for (int t = 0; t < 4; t++)
		for (int i = 0; i < each; i++)
			EXPECT_EQ(collected[t * 256 + i], 1) << t << " " << i;
}

// Whatever becomes of a wait, the thread's mask is what it was.
VM_TEST(Preload, MaskIsAsBefore)
{
	const uint64_t odd = uint64_t(1) << (SIGUSR2 - 1) | uint64_t(1) << (40 - 1);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &odd, nullptr, sizeof(odd));
	EXPECT_ERRNO(waitpid(-1, nullptr, 0), ECHILD);
	EXPECT_EQ(mask(), odd);
	Tokens go;
	const pid_t pid = spawn([&] {
		go.take();
		return 9;
	});
	EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), 0);
	EXPECT_EQ(mask(), odd);
	go.give();
	siginfo_t info = {};
	EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(mask(), odd);
	EXPECT_EQ(wait4(pid, reinterpret_cast<int *>(8), 0, nullptr), -1);
	EXPECT_EQ(mask(), odd);
	EXPECT_ERRNO(waitpid(-1, nullptr, 0), ECHILD); // collected all the same, as Linux has it
}
