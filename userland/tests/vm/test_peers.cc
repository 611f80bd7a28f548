// SPDX-License-Identifier: BSD-2-Clause
// bsd_rfork_thread: peers share memory, go with their task leader, and it waits for them.
#include "vm_device.h"
#include "vm_peer.h"
#include "vm_ptrace.h"
#include "vm_test.h"

#include <array>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr uid_t kNobody = 65534;

// Becomes of this process what became of its ended relatives: they come to it.
void adopt_orphans()
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

// The model has it as a peer of that leader.
void expect_peer(pid_t pid, pid_t leader)
{
	Device dev;
	EXPECT_EQ(get_proc(dev, pid).k.leader, leader);
}

unsigned peers_of(pid_t pid)
{
	Device dev;
	return get_proc(dev, pid).k.npeers;
}

// Zombie, gone, or on its way there past the point at which its leader waits.
bool has_left(pid_t pid, pid_t leader)
{
	Device dev;
	Proc proc = get_proc(dev, pid);
	return proc.error == ESRCH || proc.k.leader != leader;
}

// A leader with peers that sleep for ever; `end` is how it ends.
template <class F> pid_t leader_with(int peers, std::vector<pid_t> &pids, F end)
{
	Shared<std::array<std::atomic<pid_t>, 4096>> made;
	Tokens ready;
	pid_t leader = spawn([&] {
		for (int i = 0; i < peers; i++)
			(*made)[i] = make_peer(peer_sleeps);
		ready.give();
		return end();
	});
	ready.take();
	for (int i = 0; i < peers; i++) {
		EXPECT_GT((*made)[i].load(), 0);
		pids.push_back((*made)[i]);
	}
	return leader;
}

} // namespace

VM_TEST(Peers, SharesMemoryAndEndsAsAChild)
{
	int value = 0;
	pid_t pid = make_peer(
		[](void *arg) {
			*static_cast<int *>(arg) = 42;
			return 5;
		},
		&value);
	ASSERT_GT(pid, 0) << strerror(errno);
	int status = -1;
	EXPECT_EQ(bsd_waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 5 << 8);
	EXPECT_EQ(value, 42);
	EXPECT_EQ(peers_of(getpid()), 0u);
}

VM_TEST(Peers, IsSeenWithItsLeader)
{
	pid_t pid = make_peer(peer_sleeps);
	ASSERT_GT(pid, 0);
	expect_peer(pid, getpid());
	expect_peer(getpid(), getpid());
	EXPECT_EQ(peers_of(getpid()), 1u);
	kill(pid, SIGKILL);
	EXPECT_EQ(native_reap(pid), SIGKILL);
	EXPECT_EQ(peers_of(getpid()), 0u);
}

// Of a peer's: the same leader.
VM_TEST(Peers, PeersOfPeers)
{
	static std::atomic<pid_t> inner;
	pid_t outer = make_peer([](void *) {
		inner = make_peer(peer_sleeps);
		return peer_sleeps(nullptr);
	});
	while (!inner)
		sched_yield();
	expect_peer(outer, getpid());
	expect_peer(inner, getpid());
	EXPECT_EQ(peers_of(getpid()), 2u);
	EXPECT_EQ(peers_of(outer), 0u);
}

VM_TEST(Peers, FlagsDecideWhatIsShared)
{
	EXPECT_ERRNO(make_peer(peer_sleeps, nullptr, RFPROC | RFTHREAD), EINVAL);
	EXPECT_ERRNO(make_peer(peer_sleeps, nullptr, RFMEM | RFTHREAD), EINVAL);
	EXPECT_ERRNO(make_peer(peer_sleeps, nullptr, kPeerFlags | RFFDG | RFCFDG), EINVAL);
	EXPECT_ERRNO(make_peer(peer_sleeps, nullptr, kPeerFlags | 1), EINVAL);
	EXPECT_ERRNO(bsd_rfork_thread(kPeerFlags, nullptr, peer_sleeps, nullptr), EINVAL);
	EXPECT_ERRNO(bsd_rfork_thread(kPeerFlags, peer_stack(), nullptr, nullptr), EINVAL);

	auto closes = [](void *fd) { return static_cast<int>(syscall(SYS_close, *(int *)fd)); };
	for (int flags : {0, RFFDG, RFCFDG}) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		pid_t pid = make_peer(closes, &fd, kPeerFlags | flags);
		ASSERT_GT(pid, 0);
		EXPECT_EQ(native_reap(pid), flags == RFCFDG ? 255 << 8 : 0);
		EXPECT_EQ(fcntl(fd, F_GETFD) == -1, flags == 0);
		close(fd);
	}
	// Waited for like a Linux clone; and no peer without RFTHREAD.
	signal(SIGUSR1, SIG_IGN);
	pid_t pid = make_peer(peer_sleeps, nullptr, RFPROC | RFMEM | RFLINUXTHPN);
	ASSERT_GT(pid, 0);
	expect_peer(pid, pid);
	kill(pid, SIGKILL);
	EXPECT_ERRNO(bsd_waitpid(pid, nullptr, WNOHANG), ECHILD);
	EXPECT_EQ(bsd_waitpid(pid, nullptr, WLINUXCLONE), pid);
}

VM_TEST(Peers, TheLeadersExitKillsThem)
{
	adopt_orphans();
	std::vector<pid_t> pids;
	pid_t leader = leader_with(3, pids, [] { return 7; });
	int status = -1;
	EXPECT_EQ(bsd_waitpid(leader, &status, 0), leader);
	EXPECT_EQ(status, 7 << 8);
	for (pid_t pid : pids) {
		EXPECT_TRUE(has_left(pid, leader)) << pid;
		EXPECT_EQ(native_reap(pid), SIGKILL);
	}
}

// As do a signal, and threads of which the last ends by itself.
VM_TEST(Peers, HoweverItEnds)
{
	adopt_orphans();
	for (int way = 0; way < 3; way++) {
		std::vector<pid_t> pids;
		pid_t leader = leader_with(2, pids, [way] {
			if (way == 0)
				return peer_sleeps(nullptr);
			if (way == 1)
				abort();
			std::thread([] {
				while (state_of(getpid()) != 'Z')
					sched_yield();
				exit_thread_raw(3);
			}).detach();
			exit_thread_raw(0);
			return 0;
		});
		if (way == 0)
			kill(leader, SIGKILL);
		int status = native_reap(leader);
		EXPECT_EQ(way == 2 ? status : status & 0x7f, way == 0   ? SIGKILL
							     : way == 1 ? SIGABRT
									: 3 << 8);
		for (pid_t pid : pids) {
			EXPECT_TRUE(has_left(pid, leader));
			EXPECT_EQ(native_reap(pid), SIGKILL);
		}
	}
}

VM_TEST(Peers, StoppedOrTracedOnes)
{
	adopt_orphans();
	std::vector<pid_t> pids;
	Tokens go;
	pid_t leader = leader_with(3, pids, [&] {
		go.take();
		return 0;
	});
	kill(pids[0], SIGSTOP);
	until_state(pids[0], 'T');
	for (int i : {1, 2}) {
		const long options = i == 2 ? PTRACE_O_TRACEEXIT : 0;
		EXPECT_EQ(ptrace(PTRACE_SEIZE, pids[i], 0, options), 0);
		EXPECT_EQ(ptrace(PTRACE_INTERRUPT, pids[i], 0, 0), 0);
		int status = -1;
		EXPECT_EQ(waitpid(pids[i], &status, __WALL), pids[i]);
		EXPECT_TRUE(WIFSTOPPED(status));
	}
	go.give();
	// One that its tracer stops on its way out is waited for.
	int status = -1;
	EXPECT_EQ(waitpid(pids[2], &status, __WALL), pids[2]);
	EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	until_state(leader, 'I');
	EXPECT_EQ(bsd_waitpid(leader, nullptr, WNOHANG), 0);
	EXPECT_EQ(ptrace(PTRACE_CONT, pids[2], 0, 0), 0);
	// Traced zombies are for us to see first; the leader does not wait for that.
	EXPECT_EQ(native_reap(leader), 0);
	for (pid_t pid : pids)
		EXPECT_EQ(native_reap(pid), SIGKILL);
}

// One that stops on its way out for its leader, who traces it: neither waits for the other.
VM_TEST(Peers, TracedByTheirLeader)
{
	adopt_orphans();
	std::vector<pid_t> pids;
	Tokens go;
	pid_t leader = leader_with(2, pids, [&] {
		go.take();
		return 5;
	});
	EXPECT_EQ(pids.size(), 2u);
	pid_t other = spawn([] {
		pid_t pid = make_peer(peer_sleeps);
		if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) != 0)
			return 99;
		return 6;
	});
	EXPECT_EQ(native_reap(other), 6 << 8);
	int status = -1;
	EXPECT_GT(waitpid(-1, &status, __WALL), 0);
	EXPECT_EQ(status, SIGKILL);
	go.give();
	EXPECT_EQ(native_reap(leader), 5 << 8);
}

// It is not the leader's to kill any more, so it is not waited for either, and lives on.
VM_TEST(Peers, OneThatItMayNotKill)
{
	adopt_orphans();
	std::vector<pid_t> pids;
	pid_t leader = leader_with(2, pids, [] {
		// Of this thread, which is all there is.
		syscall(SYS_setresuid, kNobody, kNobody, kNobody);
		return 4;
	});
	EXPECT_EQ(native_reap(leader), 4 << 8);
	for (pid_t pid : pids) {
		expect_peer(pid, pid);
		EXPECT_EQ(kill(pid, 0), 0);
		EXPECT_NE(state_of(pid), 'Z');
		kill(pid, SIGKILL);
		EXPECT_EQ(native_reap(pid), SIGKILL);
	}
}

// While its peer is held at its own exit, the leader stays in its one.
VM_TEST(Peers, TheLeaderWaitsForThem)
{
	adopt_orphans();
	std::vector<pid_t> pids;
	Tokens go;
	pid_t leader = leader_with(2, pids, [&] {
		go.take();
		return 9;
	});
	int hold = bsd_hold(), note = bsd_knote(leader, NOTE_EXIT);
	ASSERT_EQ(bsd_hold_stops(hold, pids[0], S_EXIT), 0);
	go.give();
	struct bsd_stop stop = {};
	ASSERT_EQ(read(hold, &stop, sizeof(stop)), ssize_t(sizeof(stop)));
	EXPECT_EQ(stop.pid, pids[0]);
	EXPECT_EQ(stop.status, SIGKILL);
	// The other one leaves; the leader cannot have: signals do not move it.
	while (!has_left(pids[1], leader))
		sched_yield();
	kill(leader, SIGKILL);
	until_state(leader, 'I');
	EXPECT_EQ(bsd_waitpid(leader, nullptr, WNOHANG), 0);
	EXPECT_EQ(peers_of(leader), 1u);
	struct pollfd poll_note = {note, POLLIN, 0};
	EXPECT_EQ(poll(&poll_note, 1, 0), 0);

	ASSERT_EQ(bsd_hold_cont(hold, pids[0]), 0);
	int status = -1;
	EXPECT_EQ(bsd_waitpid(leader, &status, 0), leader);
	EXPECT_EQ(status, 9 << 8);
}

// A child of a leader that has begun to exit cannot join it: it dies of it.
VM_TEST(Peers, JoiningADyingLeader)
{
	adopt_orphans();
	Tokens go, ready, asked;
	Shared<std::atomic<pid_t>> child;
	int hold = bsd_hold();
	pid_t leader = spawn([&] {
		*child = spawn([&] {
			Device dev;
			struct bsdproc_join join = {getppid(), 0};
			ready.give();
			go.take();
			dev(BSDPROC_JOIN, &join);
			return 1; // not reached
		});
		asked.take();
		return 0;
	});
	ready.take();
	ASSERT_EQ(bsd_hold_stops(hold, leader, S_EXIT), 0);
	asked.give();
	struct bsd_stop stop = {};
	ASSERT_EQ(read(hold, &stop, sizeof(stop)), ssize_t(sizeof(stop)));
	ASSERT_EQ(stop.pid, leader);
	go.give();
	until_state(*child, 'Z');
	EXPECT_EQ(bsd_hold_cont(hold, leader), 0);
	EXPECT_EQ(native_reap(leader), 0);
	EXPECT_EQ(native_reap(*child), SIGKILL);
}

VM_TEST(Peers, JoiningSomebodyElse)
{
	auto join = [](pid_t parent, int times) {
		return spawn([=] {
			Device dev;
			struct bsdproc_join args = {parent, 0};
			int error = 0;
			for (int i = 0; i < times; i++)
				error = dev(BSDPROC_JOIN, &args) ? errno : 0;
			return error;
		});
	};
	EXPECT_EQ(native_reap(join(getppid(), 1)), SIGKILL);
	EXPECT_EQ(native_reap(join(0, 1)), SIGKILL);
	EXPECT_EQ(native_reap(join(getpid(), 1)), 0);
	EXPECT_EQ(native_reap(join(getpid(), 2)), EALREADY << 8);
}

// A new program is still a peer; and exec by the leader changes nothing.
VM_TEST(Peers, Exec)
{
	adopt_orphans();
	std::vector<pid_t> pids;
	pid_t leader = leader_with(1, pids, [] {
		make_peer([](void *) {
			execl("/bin/sleep", "sleep", "1000", nullptr);
			return 1;
		});
		return execl("/bin/sh", "sh", "-c", "kill -STOP $$; exit 6", nullptr);
	});
	until_state(leader, 'T');
	EXPECT_EQ(peers_of(leader), 2u);
	kill(leader, SIGCONT);
	EXPECT_EQ(native_reap(leader), 6 << 8);
	EXPECT_EQ(native_reap(pids[0]), SIGKILL);
	int status = -1;
	EXPECT_GT(waitpid(-1, &status, 0), 0);
	EXPECT_EQ(status, SIGKILL);
}

VM_TEST(Peers, Thousands)
{
	adopt_orphans();
	int many = std::max(20, rounds(2000));
	std::vector<pid_t> pids;
	pid_t leader = leader_with(many, pids, [] { return 1; });
	EXPECT_EQ(native_reap(leader), 1 << 8);
	for (pid_t pid : pids)
		EXPECT_EQ(native_reap(pid), SIGKILL);
}

// Joins and the leader's end side by side: a peer is killed, or dies at birth.
VM_TEST(Peers, JoiningWhileTheLeaderIsKilled)
{
	adopt_orphans();
	for (int i = 0; i < rounds(100); i++) {
		Tokens ready;
		pid_t leader = spawn([&] {
			for (int t = 0; t < 3; t++)
				std::thread([&] {
					for (;;) {
						ready.give();
						make_peer(peer_sleeps);
					}
				}).detach();
			return peer_sleeps(nullptr);
		});
		ready.take(3 + i % 5);
		spin(i * 1000);
		kill(leader, SIGKILL);
		EXPECT_EQ(native_reap(leader), SIGKILL);
		int status;
		while (waitpid(-1, &status, __WALL) > 0)
			EXPECT_EQ(status, SIGKILL);
		EXPECT_EQ(errno, ECHILD);
	}
}
