// SPDX-License-Identifier: BSD-2-Clause
// Handles: a request is the calling thread's, whoever opened the handle, and a handle may
// go away at any time.
#include "vm_device.h"
#include "vm_test.h"

#include <thread>
#include <vector>

using namespace vm;

VM_TEST(DeviceHandle, InheritedSpeaksForTheCaller)
{
	Device dev;
	pid_t ours = spawn([] { return 1; });
	native_peek(ours);
	pid_t heir = spawn([&] {
		if (get_proc(dev, 0).k.pid != getpid())
			return 90;
		struct bsdproc_wait w = {};
		w.options = BSDPROC_WNOHANG;
		if (dev(BSDPROC_WAIT, &w) != -1 || errno != ECHILD)
			return 91;
		pid_t own = spawn([] { return 2; });
		native_peek(own);
		if (dev(BSDPROC_WAIT, &w) != 0 || w.pid != own || w.xstat != 2 << 8)
			return 92;
		native_reap(own);
		struct bsdproc_extexit e = {};
		e.how = BSDPROC_EXTEXIT_LWP;
		if (dev(BSDPROC_EXTEXIT, &e) != 0 || e.verdict != BSDPROC_VERDICT_PROC)
			return 93;
		return 7;
	});
	EXPECT_EQ(native_reap(heir), 7 << 8);
	EXPECT_EQ(get_proc(dev, 0).k.flags & BSDPROC_P_WEXIT, 0u);
	EXPECT_EQ(claim(dev, ours).pid, ours);
	EXPECT_EQ(native_reap(ours), 1 << 8);
}

VM_TEST(DeviceHandle, SharedByThreads)
{
	Device dev;
	std::vector<std::thread> threads;
	std::atomic<int> wrong{0};
	for (int t = 0; t < 4; t++)
		threads.emplace_back([&] {
			for (int i = 0; i < rounds(150); i++) {
				pid_t pid = spawn([=] { return i & 0xff; });
				struct bsdproc_wait w = claim(dev, pid);
				wrong += w.pid != pid || w.xstat != (i & 0xff) << 8;
				wrong += native_reap(pid) != (i & 0xff) << 8;
			}
		});
	for (auto &thread : threads)
		thread.join();
	EXPECT_EQ(wrong, 0);
}

// Closed under threads that use it, and under one that sleeps in it.
VM_TEST(DeviceHandle, ClosedMeanwhile)
{
	for (int i = 0; i < rounds(60); i++) {
		int fd = open(BSDPROC_DEVICE, O_RDWR | O_CLOEXEC);
		ASSERT_GE(fd, 0);
		std::atomic<int> strange{0};
		std::vector<std::thread> threads;
		for (int t = 0; t < 3; t++)
			threads.emplace_back([&, t] {
				for (;;) {
					struct bsdproc_getproc g = {};
					struct bsdproc_list l = {};
					int got = t & 1 ? ioctl(fd, BSDPROC_GETPROC, &g)
							: ioctl(fd, BSDPROC_LIST, &l);
					if (got == 0)
						continue;
					strange += errno != EBADF;
					return;
				}
			});
		spin(i * 300);
		close(fd);
		for (auto &thread : threads)
			thread.join();
		ASSERT_EQ(strange, 0);
	}
}

VM_TEST(DeviceHandle, ClosedUnderASleeper)
{
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 5;
	});
	int fd = open(BSDPROC_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	std::atomic<pid_t> tid{0};
	std::thread sleeper([&] {
		struct bsdproc_wait w = {};
		tid = gettid_raw();
		EXPECT_EQ(ioctl(fd, BSDPROC_WAIT, &w), 0);
		EXPECT_EQ(w.pid, pid);
		EXPECT_EQ(w.xstat, 5 << 8);
	});
	while (tid == 0)
		sched_yield();
	until_waiting(tid);
	close(fd);
	go.give();
	sleeper.join();
	EXPECT_EQ(native_reap(pid), 5 << 8);
}

// The library's own handle: gone, or another file's, and the library finds out.
VM_TEST(DeviceHandle, LibraryLosesItsHandle)
{
	EXPECT_EQ(bsd_lwp_gettid(), 1);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	EXPECT_EQ(bsd_lwp_gettid(), 1);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(null, 0);
	for (int fd = 3; fd < 64; fd++)
		if (fd != null)
			dup2(null, fd);
	EXPECT_EQ(bsd_lwp_gettid(), 1);
	pid_t pid = spawn([] { return 3; });
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, 3 << 8);
	// Not one of the other files was closed for it.
	for (int fd = 3; fd < 64; fd++)
		EXPECT_NE(fcntl(fd, F_GETFD), -1) << fd;
}

VM_TEST(DeviceHandle, NothingIsInheritedByExec)
{
	EXPECT_EQ(bsd_lwp_gettid(), 1);
	pid_t pid = spawn([] {
		execl("/bin/sh", "sh", "-c",
		      "for fd in /proc/self/fd/*; do readlink $fd; done | grep -c bsdproc",
		      nullptr);
		return 98;
	});
	EXPECT_EQ(native_reap(pid), 1 << 8); // grep: not one line
}

VM_TEST(DeviceHandle, NoDescriptorsLeft)
{
	EXPECT_EQ(bsd_lwp_gettid(), 1);
	int before = dup(0);
	close(before);
	std::vector<std::thread> threads;
	for (int t = 0; t < 4; t++)
		threads.emplace_back([] {
			for (int i = 0; i < rounds(50); i++) {
				pid_t pid = spawn([] { return bsd_lwp_gettid() == 1 ? 0 : 1; });
				bsd_wait4(pid, nullptr, 0, nullptr);
			}
		});
	for (auto &thread : threads)
		thread.join();
	int after = dup(0);
	close(after);
	EXPECT_EQ(after, before);
}

// First use by many threads at once.
VM_TEST(DeviceHandle, FirstUseAtOnce)
{
	for (int i = 0; i < rounds(30); i++) {
		pid_t pid = spawn([] {
			for (int fd = 3; fd < 64; fd++)
				close(fd);
			Barrier start(4);
			std::atomic<int> wrong{0};
			std::vector<std::thread> threads;
			for (int t = 0; t < 4; t++)
				threads.emplace_back([&] {
					start.meet();
					wrong += bsd_lwp_gettid() < 1;
				});
			for (auto &thread : threads)
				thread.join();
			int handles = 0;
			char name[64], to[64];
			for (int fd = 3; fd < 64; fd++) {
				snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
				ssize_t n = readlink(name, to, sizeof(to) - 1);
				handles += n > 0 && std::string(to, static_cast<size_t>(n)) ==
							    BSDPROC_DEVICE;
			}
			return handles == 1 && wrong == 0 ? 0 : 1;
		});
		ASSERT_EQ(native_reap(pid), 0);
	}
}
