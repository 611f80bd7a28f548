// SPDX-License-Identifier: BSD-2-Clause
// bsd_knote: NOTE_EXIT comes for each end, once, with its status, and not before a wait
// would succeed.
#include "vm_ptrace.h"
#include "vm_test.h"
#include "vm_thread.h"

#include <sys/epoll.h>

#include <map>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

bool readable(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

struct bsd_note read_note(int fd)
{
	struct bsd_note note = {};
	EXPECT_EQ(read(fd, &note, sizeof(note)), ssize_t(sizeof(note)));
	EXPECT_EQ(note.fflags, NOTE_EXIT);
	return note;
}

int note_on(pid_t pid)
{
	int fd = bsd_knote(pid, NOTE_EXIT);
	EXPECT_GE(fd, 0) << strerror(errno);
	return fd;
}

// Reads what is noted of the child, and waits for it.
void expect_end(int fd, pid_t pid, int status)
{
	struct bsd_note note = read_note(fd); // sleeps for it
	EXPECT_EQ(note.ident, pid);
	EXPECT_EQ(note.data, status);
	int got = -1;
	EXPECT_EQ(bsd_waitpid(pid, &got, WNOHANG), pid);
	EXPECT_EQ(got, status);
	close(fd);
}

} // namespace

VM_TEST(Note, AChildsEnd)
{
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 5;
	});
	int fd = note_on(pid);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_FALSE(readable(fd));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	struct bsd_note note;
	EXPECT_ERRNO(read(fd, &note, sizeof(note)), EAGAIN);
	EXPECT_ERRNO(read(fd, &note, sizeof(note) - 1), EINVAL);
	fcntl(fd, F_SETFL, 0);
	go.give();
	expect_end(fd, pid, 5 << 8);
}

VM_TEST(Note, OnceAndThenTheFileEnds)
{
	pid_t pid = spawn([] { return 6; });
	int fd = note_on(pid);
	struct pollfd p = {fd, POLLIN, 0};
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_ERRNO(syscall(SYS_read, fd, nullptr, sizeof(struct bsd_note)), EFAULT);
	EXPECT_TRUE(readable(fd)); // that took nothing
	EXPECT_EQ(read_note(fd).data, 6 << 8);
	struct bsd_note note;
	EXPECT_EQ(read(fd, &note, sizeof(note)), 0);
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_EQ(p.revents, POLLHUP);
	close(fd);
	native_reap(pid);
}

VM_TEST(Note, AZombiesComesAtOnceAndStays)
{
	pid_t pid = spawn([] { return 7; });
	native_peek(pid);
	int fd = note_on(pid), other = note_on(pid);
	EXPECT_TRUE(readable(fd));
	EXPECT_EQ(native_reap(pid), 7 << 8);
	EXPECT_EQ(read_note(fd).data, 7 << 8);
	EXPECT_EQ(read_note(other).data, 7 << 8);
	EXPECT_ERRNO(bsd_knote(pid, NOTE_EXIT), ESRCH);
	close(fd);
	close(other);
}

VM_TEST(Note, WhatIsNotToBeHad)
{
	EXPECT_ERRNO(bsd_knote(getpid(), 0), EINVAL);
	EXPECT_ERRNO(bsd_knote(getpid(), NOTE_EXIT | 1), EINVAL);
	EXPECT_ERRNO(bsd_knote(0, NOTE_EXIT), ESRCH);
	EXPECT_ERRNO(bsd_knote(-1, NOTE_EXIT), ESRCH);
	EXPECT_ERRNO(bsd_knote(gettid_raw() + 400000, NOTE_EXIT), ESRCH);
}

// Another user's process tells nothing; one's own child does, whoever it has become.
VM_TEST(Note, OfOthersOnlyWithTheRight)
{
	Tokens go;
	pid_t other = spawn([&] {
		go.take();
		return 0;
	});
	int status = native_reap(spawn([&] {
		if (setresuid(65534, 65534, 65534) != 0)
			return 1;
		return bsd_knote(other, NOTE_EXIT) == -1 && errno == EPERM ? 0 : 2;
	}));
	EXPECT_EQ(status, 0);
	go.give();
	native_reap(other);

	Tokens changed;
	status = native_reap(spawn([&] {
		pid_t child = spawn([&] {
			setresuid(65533, 65533, 65533);
			changed.give();
			pause();
			return 0;
		});
		changed.take();
		if (setresuid(65534, 65534, 65534) != 0)
			return 1;
		int fd = bsd_knote(child, NOTE_EXIT);
		return fd >= 0 ? 0 : 3;
	}));
	EXPECT_EQ(status, 0);
}

// Not a child: its own parent has not reaped it when the note comes.
VM_TEST(Note, AGrandchild)
{
	Shared<std::atomic<pid_t>> grandchild;
	Tokens made, seen;
	pid_t parent = spawn([&] {
		pid_t pid = spawn([] {
			pause();
			return 0;
		});
		*grandchild = pid;
		made.give();
		seen.take();
		int status;
		return bsd_waitpid(pid, &status, WNOHANG) == pid && status == SIGKILL ? 0 : 1;
	});
	made.take();
	int fd = note_on(*grandchild);
	EXPECT_FALSE(readable(fd));
	kill(*grandchild, SIGKILL);
	EXPECT_EQ(read_note(fd).data, SIGKILL);
	seen.give();
	EXPECT_EQ(native_reap(parent), 0);
	close(fd);
}

// The leader's end is not the process's.
VM_TEST(Note, WithTheLastThread)
{
	Shared<std::atomic<pid_t>> thread;
	Tokens go;
	pid_t pid = spawn([&] {
		BareThread second;
		second.start(
			[](BareThread &t) {
				static_cast<Tokens *>(t.arg)->take();
				syscall(SYS_exit_group, 9);
			},
			&go);
		for (;;)
			exit_thread_raw(1);
		return 0;
	});
	int fd = note_on(pid);
	until_state(pid, 'Z');
	EXPECT_FALSE(readable(fd));
	go.give();
	expect_end(fd, pid, 9 << 8);
}

VM_TEST(Note, OfWhoIsReapedByNobody)
{
	signal(SIGCHLD, SIG_IGN);
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 3;
	});
	int fd = note_on(pid);
	go.give();
	EXPECT_EQ(read_note(fd).data, 3 << 8);
	EXPECT_ERRNO(bsd_waitpid(pid, nullptr, 0), ECHILD);
	close(fd);
}

// A tracer that is not the parent has the zombie first.
VM_TEST(Note, AfterAForeignTracer)
{
	Tokens traced, go, reap;
	pid_t pid = spawn([&] {
		go.take();
		return 8;
	});
	pid_t tracer = spawn([&] {
		if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0)
			return 1;
		traced.give();
		reap.take();
		return native_reap(pid) == 8 << 8 ? 0 : 2;
	});
	traced.take();
	int fd = note_on(pid);
	go.give();
	until_state(pid, 'Z');
	EXPECT_FALSE(readable(fd));
	EXPECT_EQ(bsd_waitpid(pid, nullptr, WNOHANG), 0);
	reap.give();
	expect_end(fd, pid, 8 << 8);
	EXPECT_EQ(native_reap(tracer), 0);
}

// An event loop over a thousand children, with threads and signals, all ends met once.
VM_TEST(Note, AThousandInAnEventLoop)
{
	const int n = rounds(1000);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	std::map<int, pid_t> noted;
	struct rlimit files = {rlim_t(n) + 100, rlim_t(n) + 100};
	setrlimit(RLIMIT_NOFILE, &files);
	Tokens go;
	for (int i = 0; i < n; i++) {
		pid_t pid = spawn([&, i] {
			if (i % 2)
				go.take();
			if (i % 3 == 0)
				raise(SIGKILL);
			return i & 0x7f;
		});
		int fd = note_on(pid);
		struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
		noted[fd] = pid;
	}
	go.give(n / 2);
	while (!noted.empty()) {
		struct epoll_event event;
		if (epoll_wait(epoll, &event, 1, -1) != 1)
			continue;
		auto it = noted.find(event.data.fd);
		ASSERT_NE(it, noted.end());
		struct bsd_note note = read_note(it->first);
		int status = -1;
		EXPECT_EQ(note.ident, it->second);
		EXPECT_EQ(bsd_waitpid(it->second, &status, WNOHANG), it->second);
		EXPECT_EQ(note.data, status);
		// Children born since have the file open, too.
		epoll_ctl(epoll, EPOLL_CTL_DEL, it->first, nullptr);
		close(it->first);
		noted.erase(it);
	}
	EXPECT_ERRNO(bsd_wait(nullptr), ECHILD);
}

// While it dies, and is reaped, a note is either refused or comes.
VM_TEST(Note, AttachedWhileItDies)
{
	for (int i = rounds(500); i > 0; i--) {
		pid_t pid = spawn([i] {
			spin(i * 37 % 5000);
			return 2;
		});
		std::thread reaper([pid] { native_reap(pid); });
		spin(i * 91 % 20000);
		int fd = bsd_knote(pid, NOTE_EXIT);
		if (fd >= 0) {
			EXPECT_EQ(read_note(fd).data, 2 << 8);
			close(fd);
		} else {
			EXPECT_EQ(errno, ESRCH);
		}
		reaper.join();
	}
}

// Those who are not told are not in the way.
VM_TEST(Note, ClosedBeforeTheEnd)
{
	for (int i = rounds(300); i > 0; i--) {
		Tokens go;
		pid_t pid = spawn([&] {
			go.take();
			return 4;
		});
		int fd = note_on(pid), kept = note_on(pid);
		std::thread closer([fd] { close(fd); });
		go.give();
		expect_end(kept, pid, 4 << 8);
		closer.join();
	}
}

VM_TEST(Note, AfterAnExecByAnotherThread)
{
	Tokens go;
	pid_t pid = spawn([&] {
		BareThread second;
		second.start(
			[](BareThread &t) {
				static_cast<Tokens *>(t.arg)->take();
				execl("/bin/sh", "sh", "-c", "exit 21", nullptr);
			},
			&go);
		for (;;)
			pause();
		return 0;
	});
	int fd = note_on(pid);
	go.give();
	expect_end(fd, pid, 21 << 8);
}
