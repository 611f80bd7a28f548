// SPDX-License-Identifier: GPL-2.0-only
// Adoption: the module comes to a system that is alive, and meets strangers.
#include "world.hh"

using namespace sim;

namespace
{

class CoreAdopt : public CoreLateTest
{
protected:
	void expect_all_equal()
	{
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
	}
};

TEST_F(CoreAdopt, EverythingAlive)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *thread = linux_.thread(p);
	task_struct *child = linux_.fork(thread, 0);
	linux_.fork(child);
	task_struct *worker = linux_.copy_process(linux_.kthreadd(), {.kthread = true});
	linux_.newtask(worker);
	linux_.fork(worker);
	ASSERT_EQ(load(), 0);
	expect_all_equal();
	EXPECT_EQ(look_at(child).proc.flags, CORE_P_ADOPTED);
	EXPECT_EQ(lwp_tid(p), 1);
	EXPECT_EQ(lwp_tid(thread), 2);
	// And goes on as if it had always been there.
	linux_.exit(child, 3 << 8);
	EXPECT_EQ(wait_and_reap(p, {.linuxclone = true}).xstat, 3 << 8);
	expect_all_equal();
}

TEST_F(CoreAdopt, Zombies)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *zombie = linux_.fork(p), *lingering = linux_.fork(p);
	task_struct *thread = linux_.thread(lingering);
	linux_.exit(zombie, 7 << 8);
	linux_.exit(lingering, 1 << 8);
	ASSERT_EQ(load(), 0);
	expect_all_equal();
	EXPECT_EQ(wait_and_reap(p).xstat, 7 << 8);
	linux_.exit(thread, 2 << 8);
	EXPECT_EQ(wait_and_reap(p).xstat, 2 << 8);
	expect_all_equal();
}

TEST_F(CoreAdopt, ZombieWithManyThreadsGoneAndNotFreed)
{
	task_struct *p = linux_.fork(linux_.init());
	linux_.exit(linux_.thread(p));
	linux_.exit(linux_.thread(p));
	linux_.exit(p, 4 << 8);
	ASSERT_EQ(load(), 0);
	expect_all_equal();
	linux_.idle_a_while();
	EXPECT_EQ(wait_and_reap(linux_.init()).xstat, 4 << 8);
}

TEST_F(CoreAdopt, ZombieReapedBeforeAnybodyLooked)
{
	task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
	linux_.exit(child);
	ASSERT_EQ(load(), 0);
	linux_.reap(p, child);
	EXPECT_EQ(wait_nohang(p).error, 10);
	expect_all_equal();
}

// The old leader is met in its exit, the thread that execs is not.
TEST_F(CoreAdopt, ExecByAStrangerWhoseLeaderIsKnown)
{
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	load_begin();
	linux_.exit(p);
	linux_.exec(thread);
	ASSERT_EQ(load_end(), 0);
	expect_all_equal();
}

TEST_F(CoreAdopt, ExecByAStrangerWhoThenEnds)
{
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	load_begin();
	linux_.exit(p);
	linux_.exec(thread);
	ASSERT_EQ(load_end(), 0);
	linux_.exit(thread, 3 << 8);
	expect_all_equal();
	EXPECT_EQ(wait_and_reap(linux_.init()).xstat, 3 << 8);
	EXPECT_EQ(wait_nohang(linux_.init()).error, 10);
}

TEST_F(CoreAdopt, ReapedAndNotFreed)
{
	task_struct *p = linux_.fork(linux_.init());
	linux_.exit(p);
	linux_.reap(linux_.init(), p);
	ASSERT_EQ(load(), 0);
	expect_all_equal();
	linux_.idle_a_while();
	expect_all_equal();
}

// The module is loaded anywhere in the deaths of two threads
// and their parent; one looks after each step, or only at the end.
class CoreAdoptDying : public CoreAdopt, public testing::WithParamInterface<bool>
{
};

INSTANTIATE_TEST_SUITE_P(Looks, CoreAdoptDying, testing::Bool());

TEST_P(CoreAdoptDying, TwoThreadsWithChildren)
{
	in_every_order(
		[this] {
			task_struct *p = linux_.fork(linux_.init());
			task_struct *thread = linux_.thread(p);
			linux_.fork(p);
			linux_.exit(linux_.fork(thread), 1 << 8);
			return std::vector{
				exit_of(p), exit_of(thread), {[this] { EXPECT_EQ(load(), 0); }}};
		},
		[this](unsigned step) {
			if (ready && GetParam())
				EXPECT_WAITS_EQUAL_LINUX();
			if (step < 9)
				return;
			expect_all_equal();
			end_everything();
			expect_all_equal();
			unload();
		});
}

TEST_P(CoreAdoptDying, ParentAndChild)
{
	in_every_order(
		[this] {
			task_struct *reaper = linux_.fork(linux_.init());
			linux_.set_subreaper(reaper);
			task_struct *p = linux_.fork(reaper);
			linux_.fork(p);
			linux_.exit(linux_.fork(p), 1 << 8);
			return std::vector{
				exit_of(p), exit_of(reaper), {[this] { EXPECT_EQ(load(), 0); }}};
		},
		[this](unsigned step) {
			if (ready && GetParam())
				EXPECT_WAITS_EQUAL_LINUX();
			if (step < 9)
				return;
			expect_all_equal();
			end_everything();
			expect_all_equal();
			unload();
		});
}

TEST_P(CoreAdoptDying, BirthsAndExecs)
{
	task_struct *child = nullptr, *born = nullptr;
	in_every_order(
		[&] {
			task_struct *p = linux_.fork(linux_.init());
			task_struct *thread = linux_.thread(p);
			steps makes{
				[&, thread] {
					child = linux_.copy_process(thread, {.exit_signal = 0});
				},
				[&] { linux_.newtask(child); },
				[&] { born = linux_.thread(child); },
				[&] { linux_.exec(born); },
			};
			return std::vector{exit_of(p), makes, {[this] { EXPECT_EQ(load(), 0); }}};
		},
		[this](unsigned step) {
			if (ready && GetParam())
				EXPECT_WAITS_EQUAL_LINUX();
			if (step < 9)
				return;
			expect_all_equal();
			end_everything();
			expect_all_equal();
			unload();
		});
}

// ---- strangers: births that the module did not hear of --------------------------

class CoreAdoptStranger : public CoreTest
{
protected:
	task_struct *fork_unheard(task_struct *maker)
	{
		linux_.probes.fresh = false;
		task_struct *task = linux_.fork(maker);
		linux_.probes.fresh = true;
		return task;
	}
	task_struct *thread_unheard(task_struct *maker)
	{
		linux_.probes.fresh = false;
		task_struct *task = linux_.thread(maker);
		linux_.probes.fresh = true;
		return task;
	}
	void expect_all_equal()
	{
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
	}
};

TEST_F(CoreAdoptStranger, Forks)
{
	task_struct *p = fork_unheard(fork_unheard(linux_.init()));
	task_struct *child = linux_.fork(p);
	expect_all_equal();
	EXPECT_EQ(look_at(p).proc.flags, CORE_P_ADOPTED);
	EXPECT_NE(look_at(child).error, 3);
}

TEST_F(CoreAdoptStranger, MakesAThread)
{
	task_struct *p = fork_unheard(linux_.init());
	task_struct *thread = linux_.thread(p);
	EXPECT_NE(lwp_tid(p), lwp_tid(thread));
	expect_all_equal();
}

TEST_F(CoreAdoptStranger, Execs)
{
	task_struct *p = fork_unheard(linux_.init());
	linux_.exec(p);
	expect_all_equal();
}

TEST_F(CoreAdoptStranger, Exits)
{
	task_struct *p = fork_unheard(linux_.init());
	linux_.exit(p, 5 << 8);
	expect_all_equal();
	EXPECT_EQ(wait_and_reap(linux_.init()).xstat, 5 << 8);
}

TEST_F(CoreAdoptStranger, ExitsAndIsReapedUnheard)
{
	task_struct *p = fork_unheard(linux_.init());
	linux_.probes.exit = false;
	linux_.exit(p, 5 << 8);
	linux_.probes.exit = true;
	linux_.reap(linux_.init(), p);
	linux_.idle_a_while();
	expect_all_equal();
}

TEST_F(CoreAdoptStranger, ThreadsAskForTheirExit)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *thread = thread_unheard(p);
	// By what Linux says of the other.
	EXPECT_EQ(extexit(thread, CORE_WHO_LWP), CORE_VERDICT_LWP);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

TEST_F(CoreAdoptStranger, AsAParent)
{
	task_struct *p = fork_unheard(linux_.init());
	task_struct *child = fork_unheard(p);
	linux_.exit(child, 6 << 8);
	EXPECT_EQ(wait_and_reap(p).xstat, 6 << 8);
	expect_all_equal();
}

// After core_stop() nobody is adopted any more.
TEST_F(CoreAdoptStranger, WhenTheModuleIsAboutToGo)
{
	task_struct *p = fork_unheard(linux_.init());
	core_stop();
	EXPECT_EQ(lwp_tid(p), -12);
	linux_.exit(p);
	linux_.exec(linux_.fork(linux_.init()));
	unload();
}

} // namespace
