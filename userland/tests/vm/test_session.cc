// SPDX-License-Identifier: BSD-2-Clause
// Groups, sessions and users: what the module counts is what /proc shows, and a group is
// orphaned when Linux acts on it.
#include "vm_device.h"
#include "vm_test.h"

#include <dirent.h>

#include <functional>
#include <set>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

struct Stat {
	pid_t pid = 0, ppid = 0, pgid = 0, sid = 0, foreground = 0;
	unsigned tty = 0;
	char state = 0;
};

bool read_stat(const std::string &pid, Stat *s)
{
	const std::string text = slurp("/proc/" + pid + "/stat");
	const size_t at = text.rfind(')');
	s->pid = atoi(pid.c_str());
	return at != std::string::npos &&
	       sscanf(text.c_str() + at + 1, " %c %d %d %d %u %d", &s->state, &s->ppid, &s->pgid,
		      &s->sid, &s->tty, &s->foreground) == 6;
}

std::vector<Stat> all_stats()
{
	std::vector<Stat> stats;
	DIR *proc = opendir("/proc");
	while (const struct dirent *entry = readdir(proc)) {
		Stat s;
		if (atoi(entry->d_name) > 0 && read_stat(entry->d_name, &s))
			stats.push_back(s);
	}
	closedir(proc);
	return stats;
}

// By Linux's rule, see will_become_orphaned_pgrp().
struct bsdproc_getpgrp pgrp_by_proc(pid_t pgid)
{
	struct bsdproc_getpgrp g = {};
	const std::vector<Stat> stats = all_stats();
	g.pgid = pgid;
	for (const Stat &s : stats) {
		if (s.pgid != pgid)
			continue;
		g.members++;
		g.sid = s.sid;
		for (const Stat &parent : stats)
			g.jobc += s.state != 'Z' && parent.pid == s.ppid && parent.pid != 1 &&
				  parent.pgid != pgid && parent.sid == s.sid;
	}
	g.orphaned = !g.jobc;
	return g;
}

struct bsdproc_getpgrp pgrp(const Device &dev, pid_t pgid)
{
	struct bsdproc_getpgrp g = {};
	g.pgid = pgid;
	if (dev(BSDPROC_GETPGRP, &g) != 0)
		g.sid = -errno;
	return g;
}

struct bsdproc_getsession session(const Device &dev, pid_t sid)
{
	struct bsdproc_getsession s = {};
	s.sid = sid;
	if (dev(BSDPROC_GETSESSION, &s) != 0)
		s.leader = -errno;
	return s;
}

struct bsdproc_getuser user(const Device &dev, uid_t uid)
{
	struct bsdproc_getuser u = {};
	u.uid = uid;
	if (dev(BSDPROC_GETUSER, &u) != 0)
		u.threads = 0xffffffff;
	return u;
}

void expect_as_in_proc(const Device &dev, pid_t pgid)
{
	const struct bsdproc_getpgrp want = pgrp_by_proc(pgid), got = pgrp(dev, pgid);
	EXPECT_EQ(got.sid, want.sid);
	EXPECT_EQ(got.members, want.members);
	EXPECT_EQ(got.jobc, want.jobc);
	EXPECT_EQ(got.orphaned, want.orphaned);
}

void expect_session_as_in_proc(const Device &dev, pid_t sid)
{
	std::set<pid_t> groups;
	unsigned processes = 0;
	for (const Stat &s : all_stats())
		if (s.sid == sid) {
			processes++;
			groups.insert(s.pgid);
		}
	const struct bsdproc_getsession got = session(dev, sid);
	EXPECT_EQ(got.processes, processes);
	EXPECT_EQ(got.groups, groups.size());
}

// What a member was told, and how its group was when it was told.
struct Told {
	std::atomic<int> hups, conts, jobc, orphaned, leader, tty;
};
Told *told;
int device_fd;

void on_signal(int sig)
{
	struct bsdproc_getpgrp g = {};
	struct bsdproc_getsession s = {};
	if (sig == SIGCONT) {
		told->conts++;
		return;
	}
	if (ioctl(device_fd, BSDPROC_GETPGRP, &g) || ioctl(device_fd, BSDPROC_GETSESSION, &s))
		_exit(99);
	told->jobc = static_cast<int>(g.jobc);
	told->orphaned = static_cast<int>(g.orphaned);
	told->leader = s.leader;
	told->tty = static_cast<int>(s.tty);
	told->hups++;
}

// A member of the group `pgid` (0: a new one), that is told of.
int member(const Device &dev, pid_t pgid, Told *where, Tokens &ready, bool stops)
{
	told = where;
	device_fd = dev.fd();
	setpgid(0, pgid);
	signal(SIGHUP, on_signal);
	signal(SIGCONT, on_signal);
	sigset_t both, none;
	sigemptyset(&none);
	sigemptyset(&both);
	sigaddset(&both, SIGHUP);
	sigaddset(&both, SIGCONT);
	sigprocmask(SIG_BLOCK, &both, nullptr); // but while it sleeps for them
	ready.give();
	if (stops)
		raise(SIGSTOP);
	while (told->hups == 0 || (stops && told->conts == 0))
		sigsuspend(&none);
	return told->hups == 1 ? 0 : 1;
}

} // namespace

VM_TEST(Session, OnesOwn)
{
	Device dev;
	const struct bsdproc_getpgrp own = pgrp(dev, 0), named = pgrp(dev, getpgrp());
	EXPECT_EQ(own.sid, getsid(0));
	EXPECT_EQ(own.members, 1u);
	EXPECT_EQ(named.members, own.members);
	expect_as_in_proc(dev, getpgrp());
	expect_session_as_in_proc(dev, getsid(0));
	EXPECT_EQ(session(dev, 0).processes, session(dev, getsid(0)).processes);
	EXPECT_EQ(session(dev, 0).leader, getsid(0));
}

VM_TEST(Session, WhatIsNotThere)
{
	Device dev;
	for (pid_t nr : {-1, INT32_MIN, 4000000, INT32_MAX}) {
		EXPECT_EQ(pgrp(dev, nr).sid, -ESRCH);
		EXPECT_EQ(session(dev, nr).leader, -ESRCH);
	}
	pid_t child = spawn([] {
		pause();
		return 0;
	});
	// A process, but neither a group's nor a session's number.
	EXPECT_EQ(pgrp(dev, child).sid, -ESRCH);
	EXPECT_EQ(session(dev, child).leader, -ESRCH);
	struct bsdproc_getpgrp g = {};
	g.reserved = 1;
	EXPECT_ERRNO(dev(BSDPROC_GETPGRP, &g), EINVAL);
	struct bsdproc_getuser u = {};
	u.reserved = 1;
	EXPECT_ERRNO(dev(BSDPROC_GETUSER, &u), EINVAL);
}

VM_TEST(Session, JobsAndTheirParents)
{
	Device dev;
	Tokens ready, end;
	pid_t job = spawn([&] {
		setpgid(0, 0);
		spawn([&] {
			ready.give();
			end.take();
			return 0;
		});
		ready.give();
		end.take();
		return 0;
	});
	ready.take(2);
	EXPECT_EQ(pgrp(dev, job).members, 2u);
	EXPECT_EQ(pgrp(dev, job).jobc, 1u);
	expect_as_in_proc(dev, job);
	pid_t alone = spawn([&] {
		setsid();
		ready.give();
		end.take();
		return 0;
	});
	ready.take();
	EXPECT_EQ(pgrp(dev, alone).jobc, 0u);
	EXPECT_EQ(pgrp(dev, alone).orphaned, 1u);
	EXPECT_EQ(session(dev, alone).processes, 1u);
	EXPECT_EQ(session(dev, alone).leader, alone);
	EXPECT_EQ(session(dev, alone).tty, 0u);
	expect_as_in_proc(dev, alone);
	expect_session_as_in_proc(dev, getsid(0));
	end.give(3);
	// A zombie counts as a member, but needs nobody to see to it.
	native_peek(alone);
	EXPECT_EQ(pgrp(dev, alone).members, 1u);
	EXPECT_EQ(session(dev, alone).leader, 0);
	native_peek(job);
	expect_as_in_proc(dev, job);
	native_reap(alone);
	EXPECT_EQ(pgrp(dev, alone).sid, -ESRCH);
	EXPECT_EQ(session(dev, alone).leader, -ESRCH);
}

// A stopped group hears of it when its last parent outside goes, and not before.
VM_TEST(Session, OrphanedWhenTheLastParentEnds)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	Device dev;
	for (int i = rounds(40); i > 0; i--) {
		Shared<Told> first, second;
		Shared<std::atomic<pid_t>> group, other, one, two;
		Tokens ready, go_one, go_two, end;
		pid_t leader = spawn([&] {
			setsid();
			*one = spawn([&] {
				*group =
					spawn([&] { return member(dev, 0, &*first, ready, true); });
				go_one.take();
				return 0;
			});
			ready.take();
			*two = spawn([&] {
				*other = spawn(
					[&] { return member(dev, *group, &*second, ready, true); });
				go_two.take();
				return 0;
			});
			end.take();
			while (wait(nullptr) > 0)
				;
			return 0;
		});
		while (*other == 0)
			sched_yield();
		until_state(*group, 'T');
		until_state(*other, 'T');
		ASSERT_EQ(pgrp(dev, *group).jobc, 2u);
		ASSERT_EQ(pgrp(dev, *group).orphaned, 0u);
		go_one.give();
		until_state(*one, 'Z');
		ASSERT_EQ(pgrp(dev, *group).jobc, 1u);
		ASSERT_EQ(first->hups, 0);
		ASSERT_EQ(state_of(*group), 'T');
		expect_as_in_proc(dev, *group);
		go_two.give();
		for (pid_t pid : {pid_t(*group), pid_t(*other)})
			ASSERT_EQ(native_reap(pid), 0); // ours, who are outside
		for (Told *t : {&*first, &*second}) {
			ASSERT_EQ(t->hups, 1);
			ASSERT_EQ(t->conts, 1);
			ASSERT_EQ(t->jobc, 0);
			ASSERT_EQ(t->orphaned, 1);
		}
		end.give();
		ASSERT_EQ(native_reap(leader), 0);
	}
}

// The leader's end takes the terminal away and tells the foreground group.
VM_TEST(Session, LeaderEndsWithATerminal)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	Device dev;
	for (bool killed : {true, false}) {
		int master = posix_openpt(O_RDWR | O_NOCTTY);
		ASSERT_GE(master, 0);
		ASSERT_EQ(grantpt(master), 0);
		ASSERT_EQ(unlockpt(master), 0);
		const std::string name = ptsname(master);
		Shared<Told> seen;
		Shared<std::atomic<pid_t>> job;
		Tokens ready, end;
		pid_t leader = spawn([&] {
			close(master);
			setsid();
			signal(SIGTTOU, SIG_IGN);
			int slave = open(name.c_str(), O_RDWR);
			Tokens made;
			*job = spawn([&] { return member(dev, 0, &*seen, made, false); });
			made.take();
			if (slave < 0 || tcsetpgrp(slave, *job) != 0)
				return 1;
			ready.give();
			end.take();
			return 0;
		});
		ready.take();
		Stat stat;
		ASSERT_TRUE(read_stat(std::to_string(leader), &stat));
		struct bsdproc_getsession s = session(dev, leader);
		EXPECT_EQ(s.leader, leader);
		EXPECT_NE(s.tty, 0u);
		EXPECT_EQ(s.tty, stat.tty);
		EXPECT_EQ(s.foreground, *job);
		EXPECT_EQ(s.foreground, stat.foreground);
		EXPECT_EQ(s.processes, 2u);
		EXPECT_EQ(s.groups, 2u);
		EXPECT_EQ(seen->hups, 0);
		if (killed)
			kill(leader, SIGKILL);
		else
			end.give();
		native_peek(leader);
		EXPECT_EQ(native_reap(*job), 0); // it is ours now
		EXPECT_EQ(seen->hups, 1);
		EXPECT_EQ(seen->leader, 0);
		EXPECT_EQ(seen->tty, 0);
		s = session(dev, leader);
		EXPECT_EQ(s.leader, 0);
		EXPECT_EQ(s.tty, 0u);
		EXPECT_EQ(s.foreground, 0);
		EXPECT_EQ(s.processes, 1u);
		EXPECT_EQ(native_reap(leader), killed ? SIGKILL : 0);
		close(master);
	}
}

VM_TEST(Session, AUsersProcesses)
{
	constexpr uid_t kUser = 54321;
	Device dev;
	EXPECT_EQ(user(dev, kUser).processes, 0u);
	EXPECT_EQ(user(dev, kUser).threads, 0u);
	Tokens ready, end;
	std::vector<pid_t> pids;
	for (int i = 0; i < 4; i++)
		pids.push_back(spawn([&] {
			// The real id is what counts.
			if (setresuid(kUser, 0, 0) != 0)
				return 1;
			std::thread([] {
				for (;;)
					pause();
			}).detach();
			ready.give();
			end.take();
			return 0;
		}));
	ready.take(4);
	EXPECT_EQ(user(dev, kUser).processes, 4u);
	EXPECT_EQ(user(dev, kUser).threads, 8u);
	end.give();
	siginfo_t ended = {};
	ASSERT_EQ(waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(user(dev, kUser).processes, 4u);
	EXPECT_EQ(user(dev, kUser).threads, 7u);
	native_reap(ended.si_pid);
	EXPECT_EQ(user(dev, kUser).processes, 3u);

	pid_t inside = spawn([&] {
		if (setresgid(kUser, kUser, kUser) || setresuid(kUser, kUser, kUser))
			return 1;
		prctl(PR_SET_DUMPABLE, 1);
		if (unshare(CLONE_NEWUSER) != 0)
			return 77;
		int fd = open("/proc/self/uid_map", O_WRONLY);
		if (write(fd, "5 54321 1", 9) != 9)
			return 3;
		if (user(dev, 5).processes != 4 || user(dev, uid_t(-1)).processes != 4)
			return 4;
		struct bsdproc_getuser u = {};
		u.uid = 0; // there is no such here
		return dev(BSDPROC_GETUSER, &u) == -1 && errno == EINVAL ? 0 : 5;
	});
	EXPECT_EQ(native_reap(inside), 0);
	end.give(3);
}

VM_TEST(Session, NumbersOfAPidNamespace)
{
	Device dev;
	const pid_t outer_group = getpgrp();
	pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
		// Its group and session are outside, it is all there is to see of them.
		struct bsdproc_getpgrp own = pgrp(dev, 0);
		if (own.sid != 0 || own.members != 1)
			return 1;
		if (session(dev, 0).processes != 1 || session(dev, 0).leader != 0)
			return 2;
		if (outer_group > 10 && pgrp(dev, outer_group).sid != -ESRCH)
			return 3;
		if (user(dev, uid_t(-1)).processes != 1)
			return 4;
		Tokens ready, end;
		pid_t child = spawn([&] {
			setsid();
			ready.give();
			end.take();
			return 0;
		});
		ready.take();
		if (pgrp(dev, child).sid != child || session(dev, child).leader != child)
			return 5;
		if (user(dev, uid_t(-1)).processes != 2)
			return 6;
		end.give();
		return native_reap(child) == 0 ? 0 : 7;
	});
	EXPECT_EQ(native_reap(init), 0);
}

// While groups are left and joined, each count is one that there was; in the end it is exact.
VM_TEST(Session, WhileTheyComeAndGo)
{
	constexpr int kWorkers = 4, kChildren = 5;
	Device dev;
	Tokens end;
	std::vector<pid_t> workers;
	for (int i = 0; i < kWorkers; i++)
		workers.push_back(spawn([&] {
			setsid();
			for (int k = rounds(60); k > 0; k--) {
				pid_t pids[kChildren];
				for (int c = 0; c < kChildren; c++)
					pids[c] = spawn([&] {
						setpgid(0, c % 2 ? 0 : getppid());
						return 0;
					});
				for (pid_t pid : pids)
					native_reap(pid);
			}
			end.take();
			return 0;
		}));
	for (int i = rounds(300); i > 0; i--)
		for (pid_t pid : workers) {
			const struct bsdproc_getsession s = session(dev, pid);
			if (s.leader == -ESRCH)
				continue; // not made yet
			// One that was reaped during the walk, and one born since, count both.
			ASSERT_GE(s.processes, 1u);
			ASSERT_LE(s.groups, s.processes);
			ASSERT_EQ(s.leader, pid);
			const struct bsdproc_getpgrp g = pgrp(dev, pid);
			ASSERT_EQ(g.orphaned, 1u);
			ASSERT_EQ(g.sid, pid);
		}
	for (pid_t pid : workers) {
		while (session(dev, pid).leader != pid || session(dev, pid).processes != 1 ||
		       slurp("/proc/" + std::to_string(pid) + "/syscall").compare(0, 2, "0 ") != 0)
			sched_yield();
		expect_as_in_proc(dev, pid);
		expect_session_as_in_proc(dev, pid);
	}
	end.give(kWorkers);
	for (pid_t pid : workers)
		EXPECT_EQ(native_reap(pid), 0);
}
