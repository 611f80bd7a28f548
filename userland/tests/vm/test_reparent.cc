// SPDX-License-Identifier: BSD-2-Clause
// proc_reparent: orphans go where Linux sends them, whoever is a subreaper at that moment, and
// whatever old and new parent do about SIGCHLD. See also test_wait_orphan.cc.
#include "vm_device.h"
#include "vm_test.h"
#include "vm_thread.h"

#include <thread>
#include <vector>

using namespace vm;

namespace
{

pid_t linux_parent(pid_t pid)
{
	const std::string text = slurp("/proc/" + std::to_string(pid) + "/stat");
	pid_t ppid = -1;
	char state;
	if (sscanf(text.c_str() + text.rfind(')') + 1, " %c %d", &state, &ppid) != 2)
		return -1;
	return ppid;
}

void expect_parent(pid_t pid, pid_t parent)
{
	Device dev;
	EXPECT_EQ(linux_parent(pid), parent);
	EXPECT_EQ(get_proc(dev, pid).k.ppid, parent);
}

void be_subreaper(bool on = true)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, on) != 0)
		die("PR_SET_CHILD_SUBREAPER");
}

// Asks the other side to do something, and waits until it is done.
struct Order {
	Tokens go, done;

	void give()
	{
		go.give();
		done.take();
	}
	template <class F> void take(F what)
	{
		go.take();
		what();
		done.give();
	}
};

// Threads that end when they are told to; the process does with its last.
template <size_t n> void start_threads(BareThread (&threads)[n], Tokens &go)
{
	for (BareThread &thread : threads)
		thread.start(
			[](BareThread &t) {
				static_cast<Tokens *>(t.arg)->take();
				exit_thread_raw(3);
			},
			&go);
}

// A child whose parent, our child, ends when told; status 6 when told itself.
struct Orphan {
	Shared<std::atomic<pid_t>> pid, middle;
	Tokens middle_ends, ends;

	void make()
	{
		Tokens born;
		*middle = spawn([&] {
			*pid = spawn([&] {
				ends.take();
				return 6;
			});
			born.give();
			middle_ends.take();
			return 1;
		});
		born.take();
	}
};

} // namespace

// Between us, a subreaper, and the orphan is another one, for a while.
VM_TEST(Reparent, SubreaperSwitchedOnAndOff)
{
	be_subreaper();
	for (int i = rounds(20); i > 0; i--)
		for (bool on : {true, false}) {
			Orphan orphan;
			Order toggle, reap;
			pid_t between = spawn([&] {
				if (!on)
					be_subreaper();
				orphan.make();
				toggle.take([&] { be_subreaper(on); });
				reap.take([&] { native_reap(*orphan.middle); });
				int status = -1;
				if (on)
					return bsd_wait4(-1, &status, 0, nullptr) == *orphan.pid &&
							       status == 6 << 8
						       ? 0
						       : 1;
				return bsd_wait4(-1, nullptr, 0, nullptr) == -1 && errno == ECHILD
					       ? 0
					       : 2;
			});
			toggle.give();
			orphan.middle_ends.give();
			reap.give();
			expect_parent(*orphan.pid, on ? between : getpid());
			orphan.ends.give();
			ASSERT_EQ(native_reap(between), 0);
			int status = -1;
			if (on) {
				ASSERT_EQ(bsd_wait4(-1, nullptr, 0, nullptr), -1);
			} else {
				ASSERT_EQ(bsd_wait4(-1, &status, 0, nullptr), *orphan.pid);
				ASSERT_EQ(status, 6 << 8);
			}
		}
}

// Switched off and on while orphans come: each goes to one of the two, and is met there.
VM_TEST(Reparent, SubreaperSwitchedWhileOrphansCome)
{
	be_subreaper();
	const int kOrphans = rounds(150);
	pid_t between = spawn([&] {
		// Once for each orphan, somewhere between its birth and its parent's end.
		std::atomic<int> births{0};
		std::thread switcher([&] {
			for (int seen = 0; seen < kOrphans; seen++) {
				while (births == seen)
					sched_yield();
				be_subreaper(seen % 2 == 0);
			}
		});
		int met = 0, status = -1;
		for (int i = 0; i < kOrphans; i++) {
			pid_t middle = spawn([] {
				spawn([] { return 6; });
				return 1;
			});
			births++;
			while (bsd_wait4(middle, &status, 0, nullptr) != middle)
				;
			while (bsd_wait4(-1, &status, WNOHANG, nullptr) > 0)
				met += status == 6 << 8;
		}
		switcher.join();
		be_subreaper(false);
		while (bsd_wait4(-1, &status, 0, nullptr) > 0)
			met += status == 6 << 8;
		return met * 100 / kOrphans;
	});
	int status = -1, met = 0;
	pid_t pid;
	int between_met = -1;
	while ((pid = bsd_wait4(-1, &status, 0, nullptr)) > 0) {
		if (pid == between)
			between_met = status >> 8;
		else
			met += status == 6 << 8;
	}
	EXPECT_EQ(errno, ECHILD);
	EXPECT_EQ(between_met, (kOrphans - met) * 100 / kOrphans);
}

// Orphans stay in their namespace, whoever is a subreaper outside.
VM_TEST(Reparent, NamespaceInit)
{
	be_subreaper();
	Shared<std::atomic<int>> seen;
	pid_t init = spawn_flags(CLONE_NEWPID | SIGCHLD, [&] {
		Device dev;
		Orphan orphan;
		orphan.make();
		if (get_proc(dev, *orphan.pid).k.ppid == 1)
			return 1;
		orphan.middle_ends.give();
		native_reap(*orphan.middle);
		if (get_proc(dev, *orphan.pid).k.ppid != 1)
			return 2;
		orphan.ends.give();
		int status = -1;
		if (bsd_wait4(-1, &status, 0, nullptr) != *orphan.pid || status != 6 << 8)
			return 3;
		// A subreaper inside comes first, until it ends.
		Orphan other;
		Tokens made, end;
		pid_t reaper = spawn([&] {
			be_subreaper();
			other.make();
			made.give();
			native_reap(*other.middle);
			made.give();
			end.take();
			return 0;
		});
		made.take();
		other.middle_ends.give();
		made.take();
		if (get_proc(dev, *other.pid).k.ppid != reaper)
			return 4;
		end.give();
		native_reap(reaper);
		if (get_proc(dev, *other.pid).k.ppid != 1)
			return 5;
		other.ends.give();
		return bsd_wait4(-1, &status, 0, nullptr) == *other.pid && status == 6 << 8 ? 0 : 6;
	});
	EXPECT_EQ(native_reap(init), 0);
	EXPECT_ERRNO(bsd_wait4(-1, nullptr, 0, nullptr), ECHILD);
}

// Who ignores SIGCHLD has no zombies, whosever the orphan was before: dead or alive by then.
VM_TEST(Reparent, SigchldIgnoredByEither)
{
	be_subreaper();
	Device dev;
	for (int i = rounds(10); i > 0; i--)
		for (bool old_ignores : {false, true})
			for (bool new_ignores : {false, true})
				for (bool dead : {false, true}) {
					SCOPED_TRACE(testing::Message()
						     << "old " << old_ignores << " new "
						     << new_ignores << " dead " << dead);
					signal(SIGCHLD, new_ignores ? SIG_IGN : SIG_DFL);
					Shared<std::atomic<pid_t>> orphan;
					Tokens born, ends, middle_ends;
					pid_t middle = spawn([&] {
						signal(SIGCHLD, old_ignores ? SIG_IGN : SIG_DFL);
						*orphan = spawn([&] {
							ends.take();
							return 6;
						});
						born.give();
						middle_ends.take();
						return 1;
					});
					born.take();
					if (dead) {
						ends.give();
						if (old_ignores)
							until_gone(*orphan);
						else
							until_state(*orphan, 'Z');
					}
					middle_ends.give();
					// Its end is seen by who waits for it.
					int status = -1;
					const pid_t got = bsd_wait4(middle, &status, 0, nullptr);
					if (new_ignores && !dead) {
						ASSERT_EQ(got, -1);
						ASSERT_EQ(errno, ECHILD);
					}
					if (!dead) {
						expect_parent(*orphan, getpid());
						ends.give();
					}
					const bool is_met = !new_ignores && !(dead && old_ignores);
					ASSERT_EQ(bsd_wait4(-1, &status, 0, nullptr),
						  is_met ? pid_t(*orphan) : -1);
					if (is_met) {
						ASSERT_EQ(status, 6 << 8);
					}
					until_gone(*orphan);
					ASSERT_EQ(get_proc(dev, *orphan).error, ESRCH);
				}
}

// The orphan is one thread's child after the other's, and its process's all the time.
VM_TEST(Reparent, ThreadsOfTheSubreaperEnd)
{
	be_subreaper();
	for (int i = rounds(20); i > 0; i--) {
		constexpr int kThreads = 4;
		Orphan orphan;
		Order next, end;
		pid_t reaper = spawn([&] {
			be_subreaper();
			static BareThread threads[kThreads];
			static Tokens go;
			orphan.make();
			start_threads(threads, go);
			// Linux chooses a thread that lives: of all but this one, soon.
			next.take([&] { native_reap(*orphan.middle); });
			for (int k = 0; k < kThreads; k++)
				next.take([&] { go.give(); });
			end.take([] {});
			return 0;
		});
		orphan.middle_ends.give();
		next.give();
		expect_parent(*orphan.pid, reaper);
		for (int k = 0; k < kThreads; k++) {
			next.give();
			expect_parent(*orphan.pid, reaper);
		}
		end.give();
		ASSERT_EQ(native_reap(reaper), 0);
		expect_parent(*orphan.pid, getpid());
		orphan.ends.give();
		int status = -1;
		ASSERT_EQ(bsd_wait4(-1, &status, 0, nullptr), *orphan.pid);
		ASSERT_EQ(status, 6 << 8);
	}
}

// The leader ends first, then the threads one by one, the last with the process.
VM_TEST(Reparent, LeaderOfTheSubreaperEndsFirst)
{
	be_subreaper();
	for (int i = rounds(20); i > 0; i--) {
		constexpr int kThreads = 3;
		Orphan orphan;
		Tokens go, started;
		pid_t reaper = spawn([&] {
			be_subreaper();
			static BareThread threads[kThreads];
			orphan.make();
			start_threads(threads, go);
			started.give();
			exit_thread_raw(0);
			return 0;
		});
		started.take();
		until_state(reaper, 'Z');
		orphan.middle_ends.give();
		until_state(*orphan.middle, 'Z');
		expect_parent(*orphan.pid, reaper);
		for (int k = 1; k < kThreads; k++) {
			go.give();
			expect_parent(*orphan.pid, reaper);
			expect_parent(*orphan.middle, reaper);
		}
		go.give();
		native_reap(reaper);
		expect_parent(*orphan.pid, getpid());
		expect_parent(*orphan.middle, getpid());
		int status = -1;
		ASSERT_EQ(bsd_wait4(-1, &status, 0, nullptr), *orphan.middle);
		ASSERT_EQ(status, 1 << 8);
		orphan.ends.give();
		ASSERT_EQ(bsd_wait4(-1, &status, 0, nullptr), *orphan.pid);
		ASSERT_EQ(status, 6 << 8);
	}
}
