// SPDX-License-Identifier: GPL-2.0-only
// exec: by the leader and by others, and when the old leader's task goes.
#include "world.hh"

using namespace sim;

namespace
{

class CoreExec : public CoreTest
{
protected:
	task_struct *parent = nullptr, *p = nullptr, *second = nullptr, *third = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		parent = linux_.fork(linux_.init());
		p = linux_.fork(parent);
	}

	void make_threads()
	{
		second = linux_.thread(p);
		third = linux_.thread(p);
	}
};

TEST_F(CoreExec, BySingleThread)
{
	linux_.exec(p);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(lwp_tid(p), 1);
	EXPECT_EQ(look_at(p).proc.flags, CORE_P_EXEC);
	linux_.exec(p);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExec, ByLeaderOfMany)
{
	make_threads();
	linux_.exec(p);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(lwp_tid(p), 1);
	EXPECT_EQ(look_at(p).proc.nthreads, 1u);
	// The dead threads' memory goes later.
	linux_.idle_a_while();
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(lwp_tid(linux_.thread(p)), 2);
}

TEST_F(CoreExec, ByAnotherThenFreed)
{
	make_threads();
	const int nr = p->thread_pid->nr;
	linux_.exec(second);
	EXPECT_EQ(second->thread_pid->nr, nr);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(lwp_tid(second), 1);
	linux_.idle_a_while();
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(second).lwps.at(0).flags, CORE_LWP_MAIN);
	EXPECT_EQ(lwp_tid(linux_.thread(second)), 2);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExec, ByAnotherFreedFirst)
{
	make_threads();
	linux_.exit(third);
	linux_.exit(p);
	linux_.de_thread(second);
	EXPECT_PARENTS_EQUAL_LINUX();
	grace_period();
	linux_.free(p);
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.free(third);
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.exec_event(second);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(lwp_tid(second), 1);
	EXPECT_EQ(look_at(second).lwps.at(0).flags, CORE_LWP_MAIN);
}

// The leader's exit, its release and the others' last moments in every order
// that de_thread() allows.
TEST_F(CoreExec, ByAnotherInEveryOrder)
{
	for_each_order({4, 4}, [this](const std::vector<unsigned> &order) {
		task_struct *process = linux_.fork(parent);
		task_struct *execs = linux_.thread(process), *dies = linux_.thread(process);
		task_struct *child = linux_.fork(process), *other = linux_.fork(dies);
		for (const unsigned who : order) {
			linux_.exit_step(who ? process : dies);
			EXPECT_PARENTS_EQUAL_LINUX();
		}
		linux_.de_thread(execs);
		EXPECT_PARENTS_EQUAL_LINUX();
		linux_.exec_event(execs);
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_EQ(look_at(child).ppid, execs->thread_pid->nr);
		EXPECT_EQ(look_at(other).ppid, execs->thread_pid->nr);
		EXPECT_EQ(lwp_tid(execs), 1);
		linux_.idle_a_while();
		linux_.exit(execs, 5 << 8);
		EXPECT_EQ(wait_and_reap(parent).xstat, 5 << 8);
	});
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExec, AfterTheLeaderHasLingered)
{
	make_threads();
	linux_.exit(p, 1 << 8);
	linux_.idle_a_while();
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.exec(third);
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.idle_a_while();
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.exit(third, 2 << 8);
	EXPECT_EQ(wait_and_reap(parent).xstat, 2 << 8);
}

TEST_F(CoreExec, KilledBetweenTheOthersDeathAndTheEvent)
{
	linux_.exec(p);
	task_struct *thread = linux_.thread(p);
	linux_.exit(thread);
	linux_.exit(p, 9);
	EXPECT_EQ(wait_and_reap(parent).xstat, 9);
}

TEST_F(CoreExec, MakesTheSignalSigchld)
{
	task_struct *clone = linux_.fork(parent, 0);
	EXPECT_EQ(wait_nohang(parent, {.linuxclone = true}), waited{});
	linux_.exec(clone);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(wait_nohang(parent, {.linuxclone = true}).error, 10);
	linux_.exit(clone, 4 << 8);
	EXPECT_EQ(wait_and_reap(parent).xstat, 4 << 8);
}

TEST_F(CoreExec, ChildrenStay)
{
	make_threads();
	linux_.fork(p);
	linux_.fork(second);
	linux_.exit(linux_.fork(third), 3 << 8);
	linux_.exec(second);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(second).proc.nchildren, 3u);
	linux_.idle_a_while();
	EXPECT_EQ(look_at(second).proc.nchildren, 3u);
	EXPECT_EQ(wait_and_reap(second).xstat, 3 << 8);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExec, AndExitAtOnce)
{
	make_threads();
	linux_.exec(second);
	linux_.exit(second, 6 << 8);
	EXPECT_EQ(wait_nohang(parent).xstat, 6 << 8);
	// The old leader goes last of all.
	linux_.reap(parent, second);
	grace_period();
	linux_.free(second);
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.free(p);
	EXPECT_MODEL_EQUALS_LINUX();
}

// killalllwps(forexec): all are marked from the first end to the event.
TEST_F(CoreExec, MarksWhomItEnds)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *first = linux_.thread(p), *second = linux_.thread(p);
	linux_.exec_begin(second);
	EXPECT_EQ(look_at(p).proc.flags, 0u);
	linux_.exit(first);
	const view v = look_at(p);
	EXPECT_EQ(v.proc.flags, unsigned(CORE_P_WEXIT));
	for (const core_klwp &lwp : v.lwps)
		EXPECT_TRUE(lwp.flags & CORE_LWP_WEXIT) << lwp.tid;
	// Who comes to extexit now ends as a thread, whatever it asks for.
	EXPECT_EQ(extexit(p, CORE_WHO_PROC), CORE_VERDICT_LWP);
	linux_.exit(p);
	linux_.de_thread(second);
	linux_.exec_event(second);
	EXPECT_EQ(look_at(second).proc.flags, unsigned(CORE_P_EXEC));
	EXPECT_EQ(look_at(second).lwps[0].flags, unsigned(CORE_LWP_MAIN));
	// It is there as ever.
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

} // namespace
