// SPDX-License-Identifier: BSD-2-Clause
// KTRACE: what a traced process does is told in its order, to who may see it, and what does
// not fit is counted. In a module that was built without it: nothing of it is there.
#include "vm_stream.h"

#include <sys/stat.h>

#include <map>
#include <thread>
#include <vector>

using namespace vm;

#ifndef KTRACE

VM_TEST(Ktrace, NotBuiltIn)
{
	Device device;
	struct bsdproc_ktrace args = {16, 0};
	EXPECT_ERRNO(device(BSDPROC_KTRACE, &args), ENOTTY);
	struct bsdproc_ktrset set = {0, 0, BSDPROC_KTRFAC_EXIT, 0};
	EXPECT_ERRNO(device(BSDPROC_KTRSET, &set), ENOTTY);
	EXPECT_ERRNO(bsd_ktrace(16), ENOSYS);
	EXPECT_ERRNO(bsd_ktrace_set(0, 0, BSD_KTRFAC_EXIT), ENOSYS);
}

#else

namespace
{

constexpr unsigned kAll = BSDPROC_KTRFAC_ALL;
constexpr unsigned kInherit = BSDPROC_KTRFAC_INHERIT;

using Record = struct bsdproc_ktr;

class Trace : public Stream<Record>
{
public:
	explicit Trace(uint32_t records = 4096) : Stream(bsd_ktrace(records)) {}

	int set(pid_t pid, unsigned facs) const { return bsd_ktrace_set(fd, pid, facs); }
	// Until nobody is left to be traced.
	std::vector<Record> all()
	{
		std::vector<Record> records;
		while (!over) {
			EXPECT_TRUE(readable(-1));
			for (const Record &record : take())
				records.push_back(record);
		}
		return records;
	}
};

// A child that does it once it is traced.
template <class F> pid_t traced(const Trace &trace, unsigned facs, F body)
{
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return body();
	});
	EXPECT_EQ(trace.set(pid, facs), 0) << strerror(errno);
	go.give();
	return pid;
}

// "fork", "exit 3", "sig 15" ...: what does not depend on numbers of processes.
std::string text(const Record &r)
{
	const std::string signo = std::to_string(r.signo);
	switch (r.type) {
	case BSDPROC_KTR_FORK:
		return "fork";
	case BSDPROC_KTR_EXEC:
		return "exec " + std::string(r.comm);
	case BSDPROC_KTR_EXIT:
		return "exit " + std::to_string(r.xstat);
	case BSDPROC_KTR_SIG:
		return "sig " + signo + (r.action ? " " + std::to_string(r.action) : "");
	case BSDPROC_KTR_PSIG:
		return "psig " + signo + (r.action ? " " + std::to_string(r.action) : "");
	case BSDPROC_KTR_WAIT:
		return r.other ? "wait one" : "wait";
	case BSDPROC_KTR_REAP:
		return "reap " + std::to_string(r.xstat);
	case BSDPROC_KTR_STOP:
		return "stop";
	default:
		return "?";
	}
}

std::string texts(const std::vector<Record> &records)
{
	std::string all;
	for (const Record &r : records)
		all += (all.empty() ? "" : ", ") + text(r);
	return all;
}

uint64_t now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return uint64_t(t.tv_sec) * 1000000000 + uint64_t(t.tv_nsec);
}

void on_signal(int) {}

} // namespace

VM_TEST(Ktrace, ALife)
{
	Trace trace;
	const uint64_t before = now(CLOCK_BOOTTIME), day = now(CLOCK_REALTIME);
	pid_t pid = traced(trace, kAll, [] {
		pid_t child = spawn([] { return 7; });
		if (native_reap(child) != exit_status(7))
			return 1;
		execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
		return 2;
	});
	const std::vector<Record> r = trace.all();
	EXPECT_EQ(native_reap(pid), exit_status(3));
	// The child's SIGCHLD comes before the wait has reaped it, sooner or later than the
	// wait's beginning.
	ASSERT_EQ(r.size(), 6u) << texts(r);
	std::map<uint32_t, Record> by;
	for (const Record &record : r) {
		EXPECT_EQ(by.count(record.type), 0u) << text(record);
		by[record.type] = record;
		EXPECT_EQ(record.pid, pid);
		EXPECT_EQ(record.lost, 0u);
		EXPECT_GE(record.boot, before);
		EXPECT_LE(record.boot, now(CLOCK_BOOTTIME));
		EXPECT_NEAR(double(record.time - day), double(record.boot - before), 1e9);
	}
	EXPECT_EQ(text(r[0]), "fork");
	const pid_t child = r[0].other;
	EXPECT_EQ(by[BSDPROC_KTR_SIG].signo, SIGCHLD);
	EXPECT_EQ(by[BSDPROC_KTR_SIG].other, child);
	EXPECT_EQ(by[BSDPROC_KTR_SIG].action, unsigned(BSDPROC_KTR_IGNORED));
	EXPECT_EQ(by[BSDPROC_KTR_WAIT].other, child);
	EXPECT_EQ(texts({r[3], r[4], r[5]}), "reap 1792, exec sh, exit 768");
	EXPECT_EQ(r[3].other, child);
	for (int i : {0, 4, 5})
		EXPECT_EQ(r[i].tid, pid);
	// The signal is the child's; all else is of one thread.
	uint64_t last = 0;
	for (const auto &record : r)
		if (record.type != BSDPROC_KTR_SIG) {
			EXPECT_GE(record.boot, last);
			last = record.boot;
		}
}

VM_TEST(Ktrace, OnlyWhatWasAskedFor)
{
	const struct {
		unsigned facs;
		const char *texts;
	} cases[] = {
		{BSDPROC_KTRFAC_FORK, "fork"},
		{BSDPROC_KTRFAC_EXEC, "exec true"},
		{BSDPROC_KTRFAC_EXIT, "exit 0"},
		{BSDPROC_KTRFAC_SIG, "sig 17 1"},
		{BSDPROC_KTRFAC_WAIT, "wait one, reap 0"},
		{BSDPROC_KTRFAC_INHERIT, ""},
	};
	for (const auto &c : cases) {
		Trace trace;
		pid_t pid = traced(trace, c.facs, [] {
			native_reap(spawn([] { return 0; }));
			execl("/bin/true", "true", nullptr);
			return 1;
		});
		EXPECT_EQ(texts(trace.all()), c.texts);
		native_reap(pid);
	}
}

VM_TEST(Ktrace, Signals)
{
	Trace trace;
	Tokens ready;
	pid_t pid = traced(trace, BSDPROC_KTRFAC_SIG | BSDPROC_KTRFAC_EXIT, [&] {
		signal(SIGUSR1, on_signal);
		signal(SIGUSR2, SIG_IGN);
		sigset_t mask, waiting;
		sigemptyset(&mask);
		sigaddset(&mask, SIGHUP);
		waiting = mask;
		sigaddset(&mask, SIGUSR1);
		sigprocmask(SIG_BLOCK, &mask, nullptr);
		ready.give();
		sigsuspend(&waiting);
		ready.give();
		for (;;)
			pause();
		return 0;
	});
	ready.take();
	kill(pid, SIGUSR2);
	kill(pid, SIGHUP);
	kill(pid, SIGHUP);
	kill(pid, SIGUSR1);
	ready.take();
	kill(pid, SIGKILL);
	EXPECT_EQ(native_reap(pid), SIGKILL);
	const std::vector<Record> r = trace.all();
	EXPECT_EQ(texts(r), "sig 12 1, sig 1, sig 1 3, sig 10, psig 10 2, sig 9, psig 9, exit 9");
	for (const Record &record : r)
		if (record.type == BSDPROC_KTR_SIG) {
			EXPECT_EQ(record.other, getpid());
			EXPECT_EQ(record.code, SI_USER);
			EXPECT_EQ(record.tid, 0);
		}
}

// Whichever thread dies of it, it was SIGTERM; and an exit by one of them is no signal.
VM_TEST(Ktrace, SignalsOfThreads)
{
	for (bool killed : {true, false}) {
		Trace trace;
		Tokens ready;
		pid_t pid = traced(trace, BSDPROC_KTRFAC_SIG | BSDPROC_KTRFAC_EXIT, [&] {
			std::thread([] {
				for (;;)
					pause();
			}).detach();
			ready.give();
			while (killed)
				pause();
			_exit(4);
			return 0;
		});
		ready.take();
		if (killed)
			kill(pid, SIGTERM);
		native_reap(pid);
		const std::string all = texts(trace.all());
		EXPECT_EQ(all, killed ? "sig 15, psig 15, psig 15, exit 15" : "exit 1024");
	}
}

// Each birth and each end of a tree is told once, however many there are.
VM_TEST(Ktrace, ATree)
{
	Trace trace(16384);
	pid_t root = traced(trace, BSDPROC_KTRFAC_FORK | BSDPROC_KTRFAC_EXIT | kInherit, [] {
		for (int i = 0; i < 10; i++)
			spawn([i] {
				for (int j = 0; j < 10; j++)
					native_reap(spawn([j] { return j; }));
				return 20 + i;
			});
		while (waitpid(-1, nullptr, 0) > 0)
			;
		return 99;
	});
	std::map<pid_t, int> born = {{root, 1}}, ended;
	for (const Record &r : trace.all()) {
		EXPECT_EQ(born[r.pid], 1) << "told of before its birth";
		EXPECT_EQ(ended.count(r.pid), 0u) << "told of after its end";
		if (r.type == BSDPROC_KTR_FORK)
			EXPECT_EQ(born[r.other]++, 0);
		else
			ended[r.pid] = r.xstat;
	}
	EXPECT_EQ(native_reap(root), exit_status(99));
	EXPECT_EQ(trace.lost, 0u);
	EXPECT_EQ(born.size(), 111u);
	EXPECT_EQ(ended.size(), 111u);
	std::map<int, int> codes;
	for (const auto &[pid, xstat] : ended)
		codes[WEXITSTATUS(xstat)]++;
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(codes[i], 10);
		EXPECT_EQ(codes[20 + i], 1);
	}
}

VM_TEST(Ktrace, NotInherited)
{
	Trace trace;
	Tokens end;
	pid_t pid = traced(trace, BSDPROC_KTRFAC_FORK | BSDPROC_KTRFAC_EXIT, [&] {
		spawn([&] {
			end.take();
			return 0;
		});
		return 0;
	});
	EXPECT_EQ(texts(trace.all()), "fork, exit 0"); // while the child lives
	native_reap(pid);
	end.give();
}

// A full ring: what is read and what is said to be lost is all that was.
VM_TEST(Ktrace, WhatDoesNotFit)
{
	for (unsigned room : {1u, 3u, 64u}) {
		Trace trace(room);
		pid_t pid = traced(trace, BSDPROC_KTRFAC_FORK | BSDPROC_KTRFAC_EXIT | kInherit, [] {
			for (int i = 0; i < 100; i++)
				native_reap(spawn([] { return 0; }));
			return 0;
		});
		if (room == 3)
			native_reap(pid); // nobody reads meanwhile
		const size_t got = trace.all().size();
		EXPECT_EQ(got + trace.lost, 201u);
		if (room == 3) {
			EXPECT_EQ(got, 3u);
		} else {
			native_reap(pid);
		}
	}
}

VM_TEST(Ktrace, ReadAndPoll)
{
	Trace trace;
	Record r[2];
	struct pollfd p = {trace.fd, POLLIN, 0};
	EXPECT_EQ(read(trace.fd, r, sizeof(r)), 0); // nobody is traced
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(p.revents, POLLIN | POLLHUP);
	Tokens go;
	pid_t pid = spawn([&] {
		go.take();
		return 5;
	});
	ASSERT_EQ(trace.set(pid, BSDPROC_KTRFAC_EXIT), 0);
	EXPECT_ERRNO(read(trace.fd, r, sizeof(r)), EAGAIN);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	EXPECT_ERRNO(read(trace.fd, r, sizeof(r[0]) - 1), EINVAL);
	// One who sleeps in read is woken by the event; and one in poll by the end alone.
	fcntl(trace.fd, F_SETFL, 0);
	go.give();
	EXPECT_EQ(read(trace.fd, r, sizeof(r)), ssize_t(sizeof(r[0])));
	EXPECT_EQ(text(r[0]), "exit 1280");
	EXPECT_EQ(read(trace.fd, r, sizeof(r)), 0);
	native_reap(pid);

	pid = spawn([&] {
		go.take();
		return 0;
	});
	ASSERT_EQ(trace.set(pid, BSDPROC_KTRFAC_EXEC), 0);
	p.events = 0;
	EXPECT_EQ(poll(&p, 1, 0), 0);
	go.give();
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_EQ(p.revents, POLLHUP);
	native_reap(pid);
}

VM_TEST(Ktrace, TakenBackAndClosed)
{
	Tokens go, did;
	pid_t pid;
	{
		Trace trace;
		pid = traced(trace, kAll, [&] {
			close(trace.fd);
			for (int i = 0; i < 3; i++) {
				go.take();
				native_reap(spawn([] { return 0; }));
				did.give();
			}
			return 0;
		});
		Trace other;
		EXPECT_ERRNO(other.set(pid, kAll), EBUSY);
		EXPECT_ERRNO(other.set(pid, 0), EBUSY);
		EXPECT_EQ(trace.set(pid, 0), 0);
		go.give();
		did.take();
		EXPECT_EQ(texts(trace.all()), "");
		EXPECT_ERRNO(trace.set(pid, 0), ESRCH);
		EXPECT_EQ(other.set(pid, BSDPROC_KTRFAC_FORK), 0);
		go.give();
		did.take();
		EXPECT_EQ(texts(other.take()), "fork");
	}
	Trace third;
	EXPECT_EQ(third.set(pid, BSDPROC_KTRFAC_EXIT), 0); // the descriptor went with its trace
	go.give();
	EXPECT_EQ(texts(third.all()), "exit 0");
	native_reap(pid);
}

VM_TEST(Ktrace, Errors)
{
	Device device;
	for (uint32_t records : {0, BSDPROC_STREAM_MAX + 1})
		EXPECT_ERRNO(bsd_ktrace(records), EINVAL);
	struct bsdproc_ktrace args = {16, 1};
	EXPECT_ERRNO(device(BSDPROC_KTRACE, &args), EINVAL);

	Trace trace;
	EXPECT_ERRNO(trace.set(0, 1), EINVAL);
	EXPECT_ERRNO(bsd_ktrace_set(-1, 0, kAll), EBADF);
	EXPECT_ERRNO(bsd_ktrace_set(STDERR_FILENO, 0, kAll), EINVAL);
	EXPECT_ERRNO(trace.set(2, kAll), ESRCH); // a kernel thread
	EXPECT_ERRNO(trace.set(-1, kAll), ESRCH);
	struct bsdproc_ktrset set = {trace.fd, 0, kAll, 1};
	EXPECT_ERRNO(device(BSDPROC_KTRSET, &set), EINVAL);
	pid_t zombie = spawn([] { return 0; });
	siginfo_t info;
	ASSERT_EQ(waitid(P_PID, id_t(zombie), &info, WEXITED | WNOWAIT), 0);
	EXPECT_ERRNO(trace.set(zombie, kAll), ESRCH);
	native_reap(zombie);

	// Oneself may be asked for; others only as ptrace has it.
	EXPECT_EQ(trace.set(0, BSDPROC_KTRFAC_FORK), 0);
	EXPECT_EQ(trace.set(0, 0), 0);
	const pid_t root = getpid();
	pid_t nobody = spawn([&] {
		become_nobody();
		Trace own;
		return own.set(root, kAll) == -1 && errno == EPERM && own.set(0, kAll) == 0 ? 0 : 1;
	});
	EXPECT_EQ(native_reap(nobody), 0);
}

// A program that gives rights is traced on by nobody who does not have them.
VM_TEST(Ktrace, SetUserIdProgram)
{
	char dir[] = "/tmp/ktraceXXXXXX";
	ASSERT_NE(mkdtemp(dir), nullptr);
	chmod(dir, 0755);
	const std::string program = std::string(dir) + "/true";
	ASSERT_EQ(system(("cp /bin/true " + program + " && chmod 4755 " + program).c_str()), 0);
	for (bool root : {false, true}) {
		pid_t user = spawn([&] {
			if (!root)
				become_nobody();
			Trace trace;
			Tokens go, ready;
			pid_t pid = spawn([&] {
				if (root)
					become_nobody();
				ready.give();
				go.take();
				execl(program.c_str(), "true", nullptr);
				return 1;
			});
			ready.take();
			if (trace.set(pid, kAll) != 0)
				return 1;
			go.give();
			const std::string all = texts(trace.all());
			return all == (root ? "exec true, exit 0" : "exec true, stop") ? 0 : 2;
		});
		EXPECT_EQ(native_reap(user), 0) << (root ? "root" : "nobody");
	}
	EXPECT_EQ(system(("rm -r " + std::string(dir)).c_str()), 0);
}

// Numbers are those of who opened the trace, wherever the process is.
VM_TEST(Ktrace, PidNamespace)
{
	Trace trace;
	Shared<std::atomic<pid_t>> inner;
	pid_t pid = traced(trace, BSDPROC_KTRFAC_FORK | BSDPROC_KTRFAC_EXIT | kInherit, [&] {
		if (unshare(CLONE_NEWPID) != 0)
			return 1;
		native_reap(spawn([&] {
			inner->store(getpid());
			return 9;
		}));
		return 0;
	});
	const std::vector<Record> r = trace.all();
	native_reap(pid);
	EXPECT_EQ(inner->load(), 1);
	ASSERT_EQ(texts(r), "fork, exit 2304, exit 0");
	EXPECT_GT(r[0].other, pid);
	EXPECT_EQ(r[1].pid, r[0].other);
	EXPECT_EQ(r[1].tid, r[0].other);
	EXPECT_EQ(r[2].pid, pid);
}

// Nobody waits for it, and nobody has to: it is told of all the same.
VM_TEST(Ktrace, ReapedByNobody)
{
	Trace trace;
	Tokens end;
	pid_t pid = traced(trace, BSDPROC_KTRFAC_WAIT, [&] {
		signal(SIGCHLD, SIG_IGN);
		spawn([] { return 6; });
		end.take();
		return 0;
	});
	EXPECT_TRUE(trace.readable(-1));
	EXPECT_EQ(texts(trace.take()), "reap 1536");
	end.give();
	EXPECT_EQ(texts(trace.all()), "");
	native_reap(pid);
}

// A BSD wait tells of its beginning, and its child is told of before what comes next.
VM_TEST(Ktrace, BsdWait)
{
	Trace trace;
	pid_t pid = traced(trace, BSDPROC_KTRFAC_WAIT | BSDPROC_KTRFAC_EXIT, [] {
		pid_t child = spawn([] { return 8; });
		int status = -1;
		return bsd_wait_hard(-1, &status) == child && status == exit_status(8) ? 0 : 1;
	});
	const std::vector<Record> r = trace.all();
	native_reap(pid);
	// The library reaps natively what the module has claimed for it.
	EXPECT_EQ(texts(r), "wait, wait one, reap 2048, exit 0");
}

// Threads fork, exec and end beside each other while traces come and go.
VM_TEST(Ktrace, Storm)
{
	const int rounds = 40;
	for (int i = 0; i < rounds; i++) {
		Trace trace(16384);
		pid_t pid = traced(trace, kAll | kInherit, [] {
			std::vector<std::thread> threads;
			for (int t = 0; t < 3; t++)
				threads.emplace_back([] {
					for (int j = 0; j < 4; j++)
						spawn([] { return raise(SIGTERM); });
				});
			for (std::thread &thread : threads)
				thread.join();
			while (waitpid(-1, nullptr, 0) > 0)
				;
			return 0;
		});
		if (i % 2) {
			native_reap(pid);
			std::map<uint32_t, int> count;
			for (const Record &r : trace.all())
				count[r.type] += r.type != BSDPROC_KTR_PSIG || r.signo == SIGTERM;
			EXPECT_EQ(count[BSDPROC_KTR_FORK], 12);
			EXPECT_EQ(count[BSDPROC_KTR_EXIT], 13);
			EXPECT_EQ(count[BSDPROC_KTR_REAP], 12);
			EXPECT_EQ(count[BSDPROC_KTR_PSIG], 12);
		} else {
			trace.readable(-1);
		}
	}
	while (waitpid(-1, nullptr, 0) > 0)
		;
}

#endif
