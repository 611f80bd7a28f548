// SPDX-License-Identifier: BSD-2-Clause
// bsd_hold: a process stays at its exit, to be looked at, until it is let go.
#include "vm_device.h"
#include "vm_test.h"

#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr uid_t kNobody = 65534;

struct bsd_stop read_stop(int hold)
{
	struct bsd_stop stop = {};
	EXPECT_EQ(read(hold, &stop, sizeof(stop)), ssize_t(sizeof(stop)));
	EXPECT_EQ(stop.event, unsigned(S_EXIT));
	return stop;
}

void expect_end_of_file(int hold)
{
	struct bsd_stop stop;
	EXPECT_EQ(read(hold, &stop, sizeof(stop)), 0);
}

short polled(int hold)
{
	struct pollfd p = {hold, POLLIN, 0};
	return poll(&p, 1, 0) == 1 ? p.revents : short(0);
}

bool polls_in_kernel(pid_t tid)
{
	int nr = -1;
	const std::string call = slurp("/proc/" + std::to_string(tid) + "/syscall");
	return sscanf(call.c_str(), "%d", &nr) == 1 && nr == SYS_poll && state_of(tid) == 'S';
}

// A child, and the children that it makes, that end when they are told to.
template <class F> pid_t held_child(int hold, Tokens &go, F body, unsigned more = 0)
{
	pid_t pid = spawn([&] {
		go.take();
		return body();
	});
	EXPECT_EQ(bsd_hold_stops(hold, pid, S_EXIT | more), 0) << strerror(errno);
	return pid;
}

void let_go_and_reap(int hold, pid_t pid, int status)
{
	EXPECT_EQ(bsd_hold_cont(hold, pid), 0);
	EXPECT_EQ(native_reap(pid), status);
}

} // namespace

VM_TEST(Hold, StaysAndShowsHowItEnds)
{
	Tokens go;
	int hold = bsd_hold(), note;
	EXPECT_EQ(fcntl(hold, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(polled(hold), POLLIN | POLLHUP);
	expect_end_of_file(hold);
	pid_t pid = held_child(hold, go, [] { return 3; });
	note = bsd_knote(pid, NOTE_EXIT);
	EXPECT_EQ(polled(hold), 0);
	go.give();
	struct bsd_stop stop = read_stop(hold);
	EXPECT_EQ(stop.pid, pid);
	EXPECT_EQ(stop.status, 3 << 8);

	Device dev;
	for (int i = 0; i < 2; i++) {
		Proc proc = get_proc(dev, pid);
		EXPECT_EQ(proc.error, 0);
		EXPECT_EQ(proc.k.stat, unsigned(BSDPROC_SACTIVE));
		EXPECT_EQ(proc.k.stype, unsigned(S_EXIT));
		EXPECT_EQ(proc.k.xstat, 3 << 8);
		EXPECT_TRUE(proc.k.flags & BSDPROC_P_WEXIT);
		EXPECT_EQ(proc.k.nthreads, 1u);
		EXPECT_GT(proc.k.ru.minflt, 0u);
		EXPECT_EQ(bsd_waitpid(pid, nullptr, WNOHANG), 0);
		EXPECT_EQ(polled(note), 0);
		EXPECT_EQ(polled(hold), 0);
		kill(pid, SIGKILL); // it has had its last signal
	}
	EXPECT_EQ(bsd_hold_cont(hold, pid), 0);
	EXPECT_EQ(native_reap(pid), 3 << 8);
	EXPECT_ERRNO(bsd_hold_cont(hold, pid), ESRCH);
	expect_end_of_file(hold);
}

VM_TEST(Hold, AKilledOne)
{
	Tokens go;
	int hold = bsd_hold();
	pid_t pid = held_child(hold, go, [] { return 0; });
	kill(pid, SIGKILL);
	EXPECT_EQ(read_stop(hold).status, SIGKILL);
	let_go_and_reap(hold, pid, SIGKILL);
}

// By its last thread alone, with the status of the whole.
VM_TEST(Hold, AThreadedOne)
{
	Tokens go;
	int hold = bsd_hold();
	pid_t pid = held_child(hold, go, [] {
		for (int i = 0; i < 5; i++)
			std::thread([] {
				for (;;)
					pause();
			}).detach();
		exit_thread_raw(1);
		return 0;
	});
	go.give();
	until_state(pid, 'Z');
	EXPECT_EQ(polled(hold), 0);
	kill(pid, SIGTERM);
	EXPECT_EQ(read_stop(hold).status, SIGTERM);
	Device dev;
	EXPECT_EQ(get_proc(dev, pid).k.nthreads, 1u);
	let_go_and_reap(hold, pid, SIGTERM);
}

VM_TEST(Hold, NothingIsTakenByABadRead)
{
	Tokens go;
	int hold = bsd_hold();
	pid_t pid = held_child(hold, go, [] { return 3; });
	struct bsd_stop stop;
	fcntl(hold, F_SETFL, O_NONBLOCK);
	EXPECT_ERRNO(read(hold, &stop, sizeof(stop)), EAGAIN);
	EXPECT_ERRNO(read(hold, &stop, sizeof(stop) - 1), EINVAL);
	go.give();
	struct pollfd p = {hold, POLLIN, 0};
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_ERRNO(syscall(SYS_read, hold, nullptr, sizeof(stop)), EFAULT);
	EXPECT_EQ(read_stop(hold).pid, pid);
	let_go_and_reap(hold, pid, 3 << 8);
}

// All that a process starts, by whichever way, and whoever its parent is.
VM_TEST(Hold, Descendants)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	Tokens go, last;
	int hold = bsd_hold();
	pid_t pid = held_child(
		hold, go,
		[] {
			spawn([] { return 10; });
			spawn_vfork(
				[] { return execl("/bin/sh", "sh", "-c", "exit 11", nullptr); });
			spawn_flags(CLONE_PARENT | SIGCHLD, [] { return 12; });
			std::thread([] { spawn([] { return 13; }); }).join();
			spawn([] {
				spawn([] { return 14; });
				return 15;
			});
			return 16;
		},
		BSD_S_FORK);
	pid_t before = spawn([&] { // not a descendant
		last.take();
		return 0;
	});
	go.give();
	std::multiset<int> codes;
	struct bsd_stop stop;
	while (read(hold, &stop, sizeof(stop)) == ssize_t(sizeof(stop))) {
		codes.insert(stop.status >> 8);
		EXPECT_EQ(bsd_hold_cont(hold, stop.pid), 0);
	}
	EXPECT_EQ(codes, (std::multiset<int>{10, 11, 12, 13, 14, 15, 16}));
	last.give();
	EXPECT_EQ(native_reap(before), 0);
	EXPECT_EQ(native_reap(pid), 16 << 8);
}

VM_TEST(Hold, ClosingLetsAllGo)
{
	int hold = bsd_hold();
	std::vector<pid_t> pids;
	Tokens go;
	int many = std::max(10, rounds(500));
	for (int i = 0; i < many; i++)
		pids.push_back(held_child(hold, go, [] { return 1; }));
	go.give(many);
	for (int i = 0; i < many; i++)
		read_stop(hold);
	EXPECT_ERRNO(bsd_hold_cont(hold, getpid()), ESRCH);
	EXPECT_EQ(bsd_waitpid(-1, nullptr, WNOHANG), 0);
	pids.push_back(held_child(hold, go, [] { return 1; })); // has not ended yet
	close(hold);
	go.give();
	for (pid_t pid : pids)
		EXPECT_EQ(native_reap(pid), 1 << 8);
}

VM_TEST(Hold, TheTracersDeathLetsAllGo)
{
	Tokens go, ready;
	pid_t pid = spawn([&] {
		go.take();
		return 2;
	});
	pid_t tracer = spawn([&] {
		int hold = bsd_hold();
		EXPECT_EQ(bsd_hold_stops(hold, pid, S_EXIT), 0);
		go.give();
		read_stop(hold);
		ready.give();
		for (;;)
			pause();
		return 0;
	});
	ready.take();
	EXPECT_EQ(bsd_waitpid(pid, nullptr, WNOHANG), 0);
	kill(tracer, SIGKILL);
	EXPECT_EQ(native_reap(pid), 2 << 8);
	EXPECT_EQ(native_reap(tracer), SIGKILL);
}

// Files are closed before the stop, so nobody waits for himself, nor two for each other.
VM_TEST(Hold, ItselfAndEachOther)
{
	EXPECT_EQ(native_reap(spawn([] {
			  EXPECT_EQ(bsd_hold_stops(bsd_hold(), 0, S_EXIT), 0);
			  return 8;
		  })),
		  8 << 8);

	Shared<std::array<std::atomic<pid_t>, 2>> pids;
	for (int i : {0, 1})
		(*pids)[i] = spawn([&, i] {
			while (!(*pids)[!i])
				sched_yield();
			EXPECT_EQ(bsd_hold_stops(bsd_hold(), (*pids)[!i], S_EXIT), 0);
			for (;;)
				pause();
			return 0;
		});
	for (int i : {0, 1})
		until_state((*pids)[i], 'S');
	for (int i : {0, 1})
		kill((*pids)[i], SIGKILL);
	for (int i : {0, 1})
		EXPECT_EQ(native_reap((*pids)[i]), SIGKILL);
}

// Its last descriptor lies in a socket's queue, and goes when Linux closes that.
VM_TEST(Hold, ItselfByADescriptorOnItsWay)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = spawn([] {
			int hold = bsd_hold(), pair[2];
			EXPECT_EQ(bsd_hold_stops(hold, 0, S_EXIT), 0);
			EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
			char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
			struct iovec data = {&byte, 1};
			struct msghdr message = {};
			message.msg_iov = &data;
			message.msg_iovlen = 1;
			message.msg_control = control;
			message.msg_controllen = sizeof(control);
			struct cmsghdr *c = CMSG_FIRSTHDR(&message);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(c), &hold, sizeof(hold));
			EXPECT_EQ(sendmsg(pair[0], &message, 0), 1);
			close(hold);
			return 4;
		});
		EXPECT_EQ(native_reap(pid), 4 << 8);
	}
}

// The tracer is held by one whom it traces, and who stops for it on its way out.
VM_TEST(Hold, ByOneWhomItTraces)
{
	Shared<std::atomic<pid_t>> tracee;
	pid_t tracer = spawn([&] {
		*tracee = spawn([] {
			if (bsd_hold_stops(bsd_hold(), getppid(), S_EXIT) != 0)
				return 99;
			ptrace(PTRACE_TRACEME);
			kill(getpid(), SIGSTOP);
			return 5;
		});
		int status = -1;
		EXPECT_EQ(waitpid(*tracee, &status, __WALL), *tracee);
		EXPECT_EQ(ptrace(PTRACE_SETOPTIONS, tracee->load(), 0, PTRACE_O_TRACEEXIT), 0);
		EXPECT_EQ(ptrace(PTRACE_CONT, tracee->load(), 0, 0), 0);
		return 6;
	});
	EXPECT_EQ(native_reap(tracer), 6 << 8);
}

// By a descriptor that somebody else has too.
VM_TEST(Hold, ItselfForAnother)
{
	int hold = bsd_hold();
	pid_t pid = spawn([&] {
		EXPECT_EQ(bsd_hold_stops(hold, 0, S_EXIT), 0);
		return 8;
	});
	struct bsd_stop stop;
	while (read(hold, &stop, sizeof(stop)) == 0)
		sched_yield(); // it has not asked yet
	EXPECT_EQ(stop.pid, pid);
	let_go_and_reap(hold, pid, 8 << 8);
}

VM_TEST(Hold, WhatIsNotToBeHad)
{
	Tokens go;
	int hold = bsd_hold(), other = bsd_hold(), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = held_child(hold, go, [] { return 0; });
	EXPECT_ERRNO(bsd_hold_stops(other, pid, S_EXIT), EBUSY);
	EXPECT_ERRNO(bsd_hold_stops(hold, pid, 1), EINVAL);
	EXPECT_ERRNO(bsd_hold_stops(null, pid, S_EXIT), EINVAL);
	EXPECT_ERRNO(bsd_hold_stops(-1, pid, S_EXIT), EBADF);
	EXPECT_ERRNO(bsd_hold_stops(12345, pid, S_EXIT), EBADF);
	EXPECT_ERRNO(bsd_hold_stops(hold, gettid_raw() + 400000, S_EXIT), ESRCH);
	EXPECT_ERRNO(bsd_hold_stops(hold, -1, S_EXIT), ESRCH);
	EXPECT_ERRNO(bsd_hold_stops(hold, getpid(), 0), ESRCH);
	EXPECT_ERRNO(bsd_hold_cont(hold, pid), ESRCH);
	EXPECT_ERRNO(bsd_hold_cont(null, pid), EINVAL);
	EXPECT_ERRNO(bsd_hold_cont(-1, pid), EBADF);
	// Not asked any more: free for another one, then held by nobody.
	EXPECT_EQ(bsd_hold_stops(hold, pid, 0), 0);
	expect_end_of_file(hold);
	EXPECT_EQ(bsd_hold_stops(other, pid, BSD_S_FORK), 0);
	EXPECT_EQ(bsd_hold_stops(other, pid, 0), 0);
	go.give();
	native_peek(pid);
	EXPECT_ERRNO(bsd_hold_stops(hold, pid, S_EXIT), ESRCH);
	EXPECT_EQ(native_reap(pid), 0);
}

// A held one is let go by taking the wish back, too.
VM_TEST(Hold, TakenBackWhileHeld)
{
	Tokens go;
	int hold = bsd_hold();
	pid_t pid = held_child(hold, go, [] { return 3; });
	go.give();
	struct pollfd p = {hold, POLLIN, 0};
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_EQ(bsd_hold_stops(hold, pid, 0), 0);
	EXPECT_EQ(native_reap(pid), 3 << 8);
	expect_end_of_file(hold);
}

// Two users that must not hold each other's: at the asking, and at the stop.
VM_TEST(Hold, OnlyWithTheRight)
{
	Tokens go;
	pid_t roots = spawn([&] {
		go.take();
		return 5;
	});
	Shared<std::atomic<int>> hold;
	// Opened by nobody; asked with root's right.
	pid_t opener = spawn_flags(CLONE_FILES | SIGCHLD, [&] {
		syscall(SYS_setresuid, kNobody, kNobody, kNobody);
		int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, BSDPROC_DEVICE, O_RDWR, 0));
		struct bsdproc_hold args = {};
		*hold = ioctl(fd, BSDPROC_HOLD, &args);
		struct bsdproc_stops stops = {*hold, roots, S_EXIT, 0};
		return ioctl(fd, BSDPROC_STOPS, &stops) == -1 ? errno : 0;
	});
	EXPECT_EQ(native_reap(opener), EPERM << 8);
	ASSERT_GE(hold->load(), 0);
	EXPECT_EQ(bsd_hold_stops(*hold, roots, S_EXIT), 0);
	go.give();
	EXPECT_EQ(native_reap(roots), 5 << 8);
	expect_end_of_file(*hold);
}

VM_TEST(Hold, ReadersAreWoken)
{
	Tokens go;
	int hold = bsd_hold();
	pid_t pid = held_child(hold, go, [] { return 3; });
	std::vector<std::thread> readers;
	std::atomic<int> stops = 0, ends = 0;
	for (int i = 0; i < 3; i++)
		readers.emplace_back([&] {
			struct bsd_stop stop;
			while (read(hold, &stop, sizeof(stop)) == ssize_t(sizeof(stop))) {
				stops++;
				EXPECT_EQ(bsd_hold_cont(hold, stop.pid), 0);
			}
			ends++;
		});
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {EPOLLIN, {}};
	EXPECT_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, hold, &event), 0);
	go.give();
	EXPECT_EQ(epoll_wait(epoll, &event, 1, -1), 1);
	for (auto &reader : readers)
		reader.join();
	EXPECT_EQ(stops, 1);
	EXPECT_EQ(ends, 3);
	EXPECT_EQ(native_reap(pid), 3 << 8);
}

// Who asks for nothing but the end is woken by it: when the last process is let go, is not
// asked for any more, or ends without a stop.
VM_TEST(Hold, PollersAreWokenAtTheEnd)
{
	const char *const ends[] = {"let go", "taken back", "no stop"};
	for (int how = 0; how < 3; how++) {
		SCOPED_TRACE(ends[how]);
		Tokens go;
		int hold = bsd_hold();
		pid_t pid = spawn([&] {
			go.take();
			return 3;
		});
		EXPECT_EQ(bsd_hold_stops(hold, pid, how == 2 ? BSD_S_FORK : S_EXIT), 0);
		if (how == 0) {
			go.give();
			read_stop(hold);
		}
		std::atomic<pid_t> tid{0};
		std::thread poller([&] {
			struct pollfd p = {hold, 0, 0};
			tid = gettid_raw();
			// With a limit it would look once more when that is over.
			EXPECT_EQ(poll(&p, 1, -1), 1);
			EXPECT_EQ(p.revents, POLLHUP);
		});
		while (!tid || !polls_in_kernel(tid))
			sched_yield();
		if (how == 0) {
			EXPECT_EQ(bsd_hold_cont(hold, pid), 0);
		} else if (how == 1) {
			EXPECT_EQ(bsd_hold_stops(hold, pid, 0), 0);
		}
		if (how != 0)
			go.give();
		poller.join();
		EXPECT_EQ(native_reap(pid), 3 << 8);
		close(hold);
	}
}

// Closing, letting go, killing and exiting side by side: nobody stays behind.
VM_TEST(Hold, AllAtOnce)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < rounds(60); i++) {
		int hold = bsd_hold();
		Tokens go;
		std::vector<pid_t> pids;
		for (int n = 0; n < 6; n++)
			pids.push_back(held_child(
				hold, go,
				[n] {
					spawn([] { return 7; });
					return n;
				},
				n & 1 ? BSD_S_FORK : 0));
		std::thread reader([&] {
			struct bsd_stop stop;
			for (int n = 0; n < i % 8; n++)
				if (read(hold, &stop, sizeof(stop)) == ssize_t(sizeof(stop)))
					bsd_hold_cont(hold, stop.pid);
		});
		go.give(6);
		kill(pids[i % 6], SIGKILL);
		for (int n = 0; n < 6; n += 2)
			bsd_hold_stops(hold, pids[n], 0);
		reader.join();
		close(hold);
		for (pid_t pid : pids)
			native_reap(pid);
		while (waitpid(-1, nullptr, 0) > 0)
			;
	}
}
