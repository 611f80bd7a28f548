// SPDX-License-Identifier: GPL-2.0-only
// Births: processes, threads, and their place in the tree.
#include "world.hh"

using namespace sim;

namespace
{

class CoreBirth : public CoreTest
{
};

TEST_F(CoreBirth, InitAloneIsInTheModel)
{
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(linux_.init()).ppid, 0);
	EXPECT_EQ(look_at(linux_.init()).proc.flags, CORE_P_ADOPTED);
	EXPECT_EQ(look_at(linux_.kthreadd()).error, 3);
}

TEST_F(CoreBirth, Process)
{
	task_struct *p = linux_.fork(linux_.init());
	EXPECT_MODEL_EQUALS_LINUX();
	const view v = look_at(p);
	EXPECT_EQ(v.ppid, linux_.init()->thread_pid->nr);
	EXPECT_EQ(v.proc.stat, CORE_SACTIVE);
	EXPECT_EQ(v.proc.flags, 0u);
	EXPECT_EQ(v.proc.sigparent, SIGCHLD_NR);
	EXPECT_EQ(v.proc.nthreads, 1u);
}

TEST_F(CoreBirth, ProcessesOfThreads)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *thread = linux_.thread(p);
	task_struct *child = linux_.fork(thread);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(child).ppid, p->thread_pid->nr);
	EXPECT_EQ(look_at(p).proc.nchildren, 1u);
	EXPECT_EQ(look_at(p).proc.nthreads, 2u);
}

TEST_F(CoreBirth, OtherSignalsThanSigchld)
{
	task_struct *p = linux_.fork(linux_.init());
	linux_.fork(p, 0);
	linux_.fork(p, 12);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreBirth, VforkedChildIsShownUntilItExecs)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *child = linux_.copy_process(p, {.vfork = true});
	linux_.newtask(child);
	EXPECT_EQ(look_at(child).proc.flags, CORE_P_PPWAIT);
	linux_.exec(child);
	EXPECT_EQ(look_at(child).proc.flags, CORE_P_EXEC);
}

TEST_F(CoreBirth, StatesThatLinuxKnows)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *thread = linux_.thread(p);
	p->stopped = true;
	thread->asleep = true;
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(p).lwps[0].stat, CORE_LSSTOP);
	EXPECT_EQ(look_at(p).lwps[1].stat, CORE_LSSLEEP);
	thread->asleep = false;
	EXPECT_EQ(look_at(p).lwps[1].stat, CORE_LSRUN);
	thread->stopped = true;
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(p).proc.stat, CORE_SSTOP);
	linux_.attach(linux_.init(), thread);
	EXPECT_EQ(look_at(p).proc.flags, CORE_P_TRACED);
}

TEST_F(CoreBirth, KernelThreadsAreNotAndTheirHelpersAre)
{
	task_struct *worker = linux_.copy_process(linux_.kthreadd(), {.kthread = true});
	linux_.newtask(worker);
	EXPECT_EQ(look_at(worker).error, 3);
	task_struct *helper = linux_.fork(worker);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(helper).error, 0);
	EXPECT_EQ(look_at(helper).ppid, 0);
	linux_.exit(helper, 1 << 8);
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.reap(worker, helper);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreBirth, KernelThreadThatBecomesAProcess)
{
	task_struct *helper = linux_.copy_process(linux_.kthreadd(), {.kthread = true});
	linux_.newtask(helper);
	linux_.exec(helper);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(helper).error, 0);
	EXPECT_EQ(look_at(helper).proc.flags, CORE_P_ADOPTED | CORE_P_EXEC);
}

TEST_F(CoreBirth, CloneParent)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *maker = linux_.fork(p, 0);
	task_struct *sibling = linux_.copy_process(maker, {.parent = true});
	linux_.newtask(sibling);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(sibling).ppid, p->thread_pid->nr);
	EXPECT_EQ(look_at(sibling).proc.sigparent, 0);
}

// The parent of a CLONE_PARENT child gets so far in its exit before the child's
// birth is told.
class CoreBirthCloneParent : public CoreTest, public testing::WithParamInterface<int>
{
};

TEST_P(CoreBirthCloneParent, WhoseParentDiesBeforeItIsLinked)
{
	for (const int later : {0, 1, 2}) {
		task_struct *grandparent = linux_.fork(linux_.init());
		task_struct *parent = linux_.fork(grandparent);
		task_struct *maker = linux_.fork(parent, later == 1 ? 0 : SIGCHLD_NR);
		task_struct *child = linux_.copy_process(maker, {.parent = true});

		for (int step = 0; step < GetParam() && linux_.exit_step(parent); step++)
			;
		if (GetParam() >= 5)
			linux_.reap(grandparent, parent);
		if (GetParam() >= 6)
			linux_.idle_a_while();
		linux_.newtask(child);
		EXPECT_PARENTS_EQUAL_LINUX();

		if (GetParam() < 5) {
			linux_.exit(parent);
			EXPECT_PARENTS_EQUAL_LINUX();
			if (later == 2)
				wait_and_reap(grandparent);
			else
				linux_.reap(grandparent, parent);
		}
		EXPECT_MODEL_EQUALS_LINUX();
		linux_.idle_a_while();
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_EQ(look_at(child).ppid, linux_.init()->thread_pid->nr);
	}
}

INSTANTIATE_TEST_SUITE_P(Stages, CoreBirthCloneParent, testing::Range(0, 7));

TEST_F(CoreBirth, LwpIdsCountFromOne)
{
	task_struct *p = linux_.fork(linux_.init());
	EXPECT_EQ(lwp_tid(p), 1);
	task_struct *second = linux_.thread(p), *third = linux_.thread(second);
	EXPECT_EQ(lwp_tid(second), 2);
	EXPECT_EQ(lwp_tid(third), 3);
	// A number is not given twice, as in the seed.
	linux_.exit(second);
	linux_.idle_a_while();
	EXPECT_EQ(lwp_tid(linux_.thread(p)), 4);
	// A child's are its own.
	EXPECT_EQ(lwp_tid(linux_.fork(third)), 1);
	EXPECT_EQ(look_at(p).lwps.size(), 3u);
	EXPECT_EQ(look_at(p).lwps[0].flags, CORE_LWP_MAIN);
	EXPECT_EQ(look_at(p).lwps[1].flags, 0u);
}

TEST_F(CoreBirth, ANumberUsedAgain)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *first = linux_.fork(p);
	const int nr = first->thread_pid->nr;
	pid *old = first->signal->tgid;
	linux_.pid_get(old);
	linux_.exit(first, 1 << 8);
	linux_.reap(p, first);
	// Its zombie's record is still there when the number is.
	linux_.set_next_nr(nr);
	task_struct *second = linux_.fork(p);
	ASSERT_EQ(second->thread_pid->nr, nr);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PID, old}), (waited{.error = 10}));
	EXPECT_EQ(wait_nohang(p, {CORE_P_PID, second->signal->tgid}), waited{});
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.exit(second, 2 << 8);
	EXPECT_EQ(wait_and_reap(p).xstat, 2 << 8);
	linux_.pid_put(old);
	linux_.set_next_nr(1);
}

TEST_F(CoreBirth, TheListIsBounded)
{
	for (int i = 0; i < 20; i++)
		linux_.thread(linux_.fork(linux_.init()));
	int pids[8] = {};
	EXPECT_EQ(core_list(pids, 7), 21u);
	EXPECT_EQ(pids[7], 0);
	EXPECT_GT(pids[0], 0);
	for (int i = 1; i < 7; i++)
		EXPECT_GT(pids[i], pids[i - 1]);
	EXPECT_EQ(core_list(nullptr, 0), 21u);
}

TEST_F(CoreBirth, MoreLwpsThanRoom)
{
	task_struct *p = linux_.fork(linux_.init());
	linux_.thread(p);
	linux_.thread(p);
	core_kproc kp;
	core_klwp lwps[3] = {};
	host_rcu_read_lock();
	EXPECT_EQ(core_getproc(p->signal->tgid, &kp, lwps, 2), 0);
	host_rcu_read_unlock();
	EXPECT_EQ(kp.nlwps, 3u);
	EXPECT_EQ(lwps[1].lwpid, 2);
	EXPECT_EQ(lwps[2].lwpid, 0);
}

// With its new parent it has a new signal.
TEST_F(CoreBirth, SiblingOfACloneBornWhileTheParentEnds)
{
	bool came = true;
	for (unsigned nth = 1; came; nth++) {
		task_struct *p = linux_.fork(linux_.init()), *maker = linux_.fork(p, 0);
		task_struct *sibling = linux_.copy_process(maker, {.parent = true});
		{
			intruder other(intruder::where::unlocked, nth, [&] { linux_.exit(p); });
			linux_.newtask(sibling);
			came = other.came();
		}
		EXPECT_MODEL_EQUALS_LINUX();
	}
}

} // namespace
