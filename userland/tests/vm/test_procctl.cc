// SPDX-License-Identifier: BSD-2-Clause
// bsd_procctl: who is a reaper, of whom, and what that is worth.
#include "vm_device.h"
#include "vm_test.h"

#include <sys/prctl.h>

#include <functional>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

struct reaper_status status()
{
	union reaper_info info;
	memset(&info, 0xa5, sizeof(info));
	if (bsd_procctl(P_PID, 0, PROC_REAP_STATUS, &info) != 0)
		die("PROC_REAP_STATUS");
	return info.status;
}

unsigned refs()
{
	return status().refs;
}

bool acquire()
{
	return bsd_procctl(P_PID, 0, PROC_REAP_ACQUIRE, nullptr) == 0;
}

bool release()
{
	return bsd_procctl(P_PID, 0, PROC_REAP_RELEASE, nullptr) == 0;
}

// A child that makes its own and then sleeps until it is killed.
pid_t sleeper(
	Tokens &ready, const std::function<void()> &first = [] {})
{
	return spawn([&] {
		first();
		ready.give();
		for (;;)
			pause();
		return 0;
	});
}

void end(pid_t pid)
{
	kill(pid, SIGKILL);
	EXPECT_EQ(native_reap(pid), SIGKILL);
}

} // namespace

VM_TEST(Procctl, Arguments)
{
	for (idtype_t type : {P_ALL, P_PGID, P_SID, P_UID, idtype_t(77)})
		EXPECT_ERRNO(bsd_procctl(type, 0, PROC_REAP_ACQUIRE, nullptr), EINVAL);
	for (id_t id : {id_t(1), id_t(getppid()), id_t(-1)})
		EXPECT_ERRNO(bsd_procctl(P_PID, id, PROC_REAP_ACQUIRE, nullptr), EINVAL);
	for (int cmd : {0, 4, -1, INT32_MAX})
		EXPECT_ERRNO(bsd_procctl(P_PID, 0, cmd, nullptr), EINVAL);
	EXPECT_EQ(status().flags & REAPER_STAT_OWNED, 0u);
	EXPECT_EQ(bsd_procctl(P_PID, 0, PROC_REAP_STATUS, nullptr), 0);
}

VM_TEST(Procctl, BadAddresses)
{
	const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	char *p = static_cast<char *>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ASSERT_NE(p, MAP_FAILED);
	ASSERT_EQ(mprotect(p + page, page, PROT_READ), 0);
	for (void *at :
	     {static_cast<void *>(p + page), static_cast<void *>(p + page - 8),
	      reinterpret_cast<void *>(16), reinterpret_cast<void *>(~uintptr_t(0) - 64)})
		EXPECT_ERRNO(bsd_procctl(P_PID, 0, PROC_REAP_STATUS, at), EFAULT);
	EXPECT_EQ(bsd_procctl(P_PID, 0, PROC_REAP_STATUS, p + page - sizeof(union reaper_info)), 0);
}

VM_TEST(Procctl, AcquireAndRelease)
{
	const auto is_subreaper = [] {
		int is = -1;
		prctl(PR_GET_CHILD_SUBREAPER, &is);
		return is == 1;
	};
	EXPECT_ERRNO(bsd_procctl(P_PID, 0, PROC_REAP_RELEASE, nullptr), ENOTCONN);
	errno = 0;
	EXPECT_EQ(bsd_procctl(P_PID, id_t(getpid()), PROC_REAP_ACQUIRE, nullptr), 0);
	EXPECT_EQ(errno, 0);
	EXPECT_TRUE(is_subreaper());
	EXPECT_ERRNO(bsd_procctl(P_PID, 0, PROC_REAP_ACQUIRE, nullptr), EALREADY);
	EXPECT_EQ(status().flags, unsigned(REAPER_STAT_OWNED));
	// It is the process's, and its children have it not.
	std::thread([] { EXPECT_EQ(status().flags, unsigned(REAPER_STAT_OWNED)); }).join();
	EXPECT_EQ(native_reap(spawn([] { return status().flags == 0 && acquire() ? 0 : 1; })), 0);
	EXPECT_TRUE(release());
	EXPECT_FALSE(is_subreaper());
	EXPECT_ERRNO(bsd_procctl(P_PID, 0, PROC_REAP_RELEASE, nullptr), ENOTCONN);
	EXPECT_EQ(status().flags, 0u);
}

// All of the union is written, as DragonFly has it.
VM_TEST(Procctl, WholeStatus)
{
	const struct reaper_status s = status();
	for (long word : s.reserved1)
		EXPECT_EQ(word, 0);
	for (int word : s.reserved2)
		EXPECT_EQ(word, 0);
	EXPECT_EQ(s.pid_head, -1);
	EXPECT_EQ(s.refs, 0u);
}

VM_TEST(Procctl, OrphansCome)
{
	ASSERT_TRUE(acquire());
	Tokens ready, orphan, seen;
	const pid_t self = getpid();
	pid_t child = spawn([&] {
		spawn([&] {
			ready.give();
			orphan.take();
			return getppid() == self ? 3 : 4;
		});
		seen.take();
		return 2;
	});
	ready.take();
	EXPECT_EQ(refs(), 2u);
	EXPECT_EQ(status().pid_head, child);
	seen.give();
	int got = -1;
	EXPECT_EQ(bsd_wait3(&got, 0, nullptr), child);
	EXPECT_EQ(got, 2 << 8);
	EXPECT_EQ(refs(), 1u);
	const pid_t head = status().pid_head;
	orphan.give();
	EXPECT_EQ(bsd_wait3(&got, 0, nullptr), head);
	EXPECT_EQ(got, 3 << 8);
	EXPECT_EQ(status().pid_head, -1);
	EXPECT_EQ(refs(), 0u);
}

// Those it has when it becomes one are its own as well: Linux's rule.
VM_TEST(Procctl, AlsoThoseThatWereThere)
{
	Tokens ready;
	pid_t child = sleeper(ready, [&] { sleeper(ready); });
	ready.take(2);
	EXPECT_EQ(refs(), 0u);
	ASSERT_TRUE(acquire());
	EXPECT_EQ(refs(), 2u);
	end(child);
	EXPECT_EQ(refs(), 1u);
	end(status().pid_head);
}

VM_TEST(Procctl, HeadIsLivingOrZombie)
{
	ASSERT_TRUE(acquire());
	pid_t zombie = spawn([] { return 5; });
	native_peek(zombie);
	EXPECT_EQ(status().pid_head, zombie);
	EXPECT_EQ(refs(), 0u);
	Tokens ready;
	pid_t living = 0;
	// Of another thread that goes on, and its own: they are the process's.
	Tokens go_on;
	std::thread other([&] {
		living = sleeper(ready);
		go_on.take();
	});
	ready.take();
	EXPECT_EQ(status().pid_head, std::min(zombie, living));
	EXPECT_EQ(refs(), 1u);
	EXPECT_EQ(native_reap(zombie), 5 << 8);
	EXPECT_EQ(status().pid_head, living);
	end(living);
	go_on.give();
	other.join();
	EXPECT_EQ(status().pid_head, -1);
}

// Each to the nearest.
VM_TEST(Procctl, ReapersBelow)
{
	ASSERT_TRUE(acquire());
	Tokens ready, go_on;
	Shared<std::atomic<unsigned>> inner;
	pid_t plain = sleeper(ready, [&] {
		sleeper(ready);
		sleeper(ready);
	});
	ready.take(3);
	EXPECT_EQ(refs(), 3u);
	pid_t reaper = spawn([&] {
		if (!acquire())
			return 1;
		sleeper(ready, [&] { sleeper(ready); });
		pid_t ended = spawn([&] { return 0; });
		native_peek(ended);
		ready.take(2);
		inner->store(refs());
		go_on.give();
		for (;;)
			pause();
		return 0;
	});
	go_on.take();
	EXPECT_EQ(inner->load(), 2u); // a zombie does not count
	EXPECT_EQ(refs(), 4u);
	// What the inner one leaves is the outer one's.
	end(reaper);
	EXPECT_EQ(refs(), 5u);
	EXPECT_TRUE(release());
	EXPECT_EQ(refs(), 0u);
	kill(plain, SIGKILL);
}

VM_TEST(Procctl, DeepDown)
{
	ASSERT_TRUE(acquire());
	constexpr unsigned kDepth = 80;
	Tokens ready;
	std::function<void(unsigned)> descend = [&](unsigned left) {
		if (left)
			sleeper(ready, [&] { descend(left - 1); });
	};
	descend(kDepth);
	ready.take(kDepth);
	EXPECT_EQ(refs(), kDepth);
	unsigned left = kDepth;
	for (pid_t head; (head = status().pid_head) != -1; left--) {
		EXPECT_EQ(refs(), left);
		end(head);
	}
	EXPECT_EQ(left, 0u);
}

// The init of a pid namespace is a reaper without having asked.
VM_TEST(Procctl, PidNamespaces)
{
	ASSERT_TRUE(acquire());
	pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, [] {
		Tokens ready;
		if (status().flags != REAPER_STAT_REALINIT || refs() != 0)
			return 1;
		sleeper(ready, [&] { sleeper(ready); });
		ready.take(2);
		if (refs() != 2 || status().pid_head <= 1)
			return 2;
		const int below = native_reap(spawn([] {
			if (status().flags != REAPER_STAT_REALINIT || refs() != 0)
				return 3;
			if (!acquire() || status().flags != REAPER_STAT_OWNED)
				return 4;
			return native_reap(spawn([] { return status().flags == 0 ? 0 : 5; })) >> 8;
		}));
		if (below != 0)
			return below >> 8;
		acquire();
		return status().flags == (REAPER_STAT_OWNED | REAPER_STAT_REALINIT) ? 0 : 6;
	});
	EXPECT_EQ(native_reap(init), 0);

	Tokens ready;
	init = spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
		sleeper(ready);
		ready.give();
		for (;;)
			pause();
		return 0;
	});
	ready.take(2);
	// Itself, but not who it reaps.
	EXPECT_EQ(refs(), 1u);
	EXPECT_EQ(status().pid_head, init);

	// One who came in by another way: its orphans are that init's, itself is not.
	const std::string ns = "/proc/" + std::to_string(init) + "/ns/pid";
	const int fd = open(ns.c_str(), O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(setns(fd, CLONE_NEWPID), 0);
	Shared<std::atomic<unsigned>> flags;
	pid_t guest = sleeper(ready, [&] {
		*flags = status().flags;
		sleeper(ready);
	});
	ready.take(2);
	EXPECT_EQ(*flags, unsigned(REAPER_STAT_REALINIT));
	EXPECT_EQ(refs(), 2u);
	end(guest);
	end(init);
	EXPECT_EQ(refs(), 0u);
}

// Who is there all the time is always counted, while others come, go and change their parents.
VM_TEST(Procctl, WhileTheFamilyChanges)
{
	ASSERT_TRUE(acquire());
	constexpr unsigned kStay = 20, kChurn = 3;
	Tokens ready;
	std::atomic<bool> over{false};
	for (unsigned i = 0; i < kStay / 2; i++)
		sleeper(ready, [&] { sleeper(ready); });
	ready.take(kStay);
	std::vector<pid_t> churners;
	for (unsigned i = 0; i < kChurn; i++)
		churners.push_back(spawn([&] {
			for (;;) {
				pid_t child = spawn([] {
					spawn([] { return 0; }); // an orphan, soon
					return 0;
				});
				native_reap(child);
			}
			return 0;
		}));
	// Orphans of the churners are ours to reap.
	std::thread sweeper([&] {
		while (!over)
			if (waitpid(-1, nullptr, WNOHANG) == 0)
				sched_yield();
	});
	for (int i = 0; i < rounds(400); i++) {
		const unsigned n = refs();
		if (n < kStay + kChurn) {
			ADD_FAILURE() << n << " in round " << i;
			break;
		}
	}
	over = true;
	sweeper.join();
	for (pid_t pid : churners)
		end(pid);
	while (refs() > kStay)
		waitpid(-1, nullptr, WNOHANG);
	EXPECT_EQ(refs(), kStay);
}
