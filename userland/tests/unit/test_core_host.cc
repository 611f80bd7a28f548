// SPDX-License-Identifier: GPL-2.0-only
// The host itself: that it notices what the core must not do.
#include "core/lock.hh"
#include "world.hh"

using namespace sim;

namespace
{

struct locks {
	bsd::spinlock proc[2], adopt, limbo;

	locks()
	{
		proc[0].init(HOST_LOCK_PROC);
		proc[1].init(HOST_LOCK_PROC);
		adopt.init(HOST_LOCK_ADOPT);
		limbo.init(HOST_LOCK_LIMBO);
	}
};

class CoreHostDeathTest : public CoreTest, public locks
{
};

TEST_F(CoreHostDeathTest, LockMisuse) NO_THREAD_SAFETY_ANALYSIS
{
	EXPECT_DEATH((proc[0].lock(), proc[0].lock()), "locked twice");
	EXPECT_DEATH(proc[0].unlock(), "not held");
	EXPECT_DEATH((proc[0].lock(), proc[1].lock()), "lower address first");
	EXPECT_DEATH((proc[1].lock(), proc[0].lock_second()), "lower address first");
	EXPECT_DEATH(proc[0].lock_second(), "without a first");
	EXPECT_DEATH((proc[0].lock(), limbo.lock()), "limbo_lock taken with p_token held");
	EXPECT_DEATH((proc[0].lock(), adopt.lock()), "adopt_lock taken with p_token held");
	EXPECT_DEATH((limbo.lock(), adopt.lock()), "adopt_lock taken with limbo_lock held");
	bsd::spinlock never{};
	EXPECT_DEATH(never.lock(), "never initialised");
	proc[0].lock();
	proc[1].lock_second();
	proc[0].unlock();
	proc[1].unlock();
}

TEST_F(CoreHostDeathTest, EffectsUnderALock) NO_THREAD_SAFETY_ANALYSIS
{
	int there = 0;
	host_setint *setint = setint_make(&there, 1);
	EXPECT_DEATH((proc[0].lock(), host_memory_wait()), "p_token held");
	EXPECT_DEATH((limbo.lock(), host_setint_store(setint)), "limbo_lock held");
	EXPECT_DEATH((adopt.lock(), host_memory_wait()), "adopt_lock held");
	EXPECT_DEATH((proc[0].lock(), host_rcu_read_lock(), host_wake_waiters(linux_.init())),
		     "p_token held");
	host_setint_drop(setint);
}

TEST_F(CoreHostDeathTest, RcuMisuse)
{
	EXPECT_DEATH(host_map_find(linux_.init()), "outside RCU");
	EXPECT_DEATH(host_task_bits(linux_.init()), "outside RCU");
	EXPECT_DEATH((host_rcu_read_lock(), host_memory_wait()), "inside RCU");
	EXPECT_DEATH((host_rcu_read_lock(), grace_period()), "inside RCU");
	EXPECT_DEATH(host_rcu_read_unlock(), "left twice");
}

TEST_F(CoreHostDeathTest, MemoryMisuse)
{
	void *object = host_alloc(HOST_POOL_LWP);
	EXPECT_DEATH(host_free(HOST_POOL_PROC, object), "not allocated there");
	EXPECT_DEATH((host_free(HOST_POOL_LWP, object), host_free(HOST_POOL_LWP, object)),
		     "not allocated there");
	host_free(HOST_POOL_LWP, object);
}

TEST_F(CoreHostDeathTest, ATestThatWouldSleep)
{
	task_struct *p = linux_.fork(linux_.init());
	linux_.fork(p);
	EXPECT_DEATH(wait(p), "would sleep");
}

TEST_F(CoreHostDeathTest, LinuxOutOfOrder)
{
	task_struct *p = linux_.fork(linux_.init());
	EXPECT_DEATH(linux_.exit_event(p), "out of order");
	EXPECT_DEATH(linux_.reap(linux_.init(), p), "nothing there");
	EXPECT_DEATH(linux_.free(p), "out of order");
}

TEST_F(CoreHostDeathTest, FreedTooEarly)
{
	task_struct *p = linux_.fork(linux_.init());
	linux_.exit(p);
	EXPECT_DEATH((host_rcu_read_lock(), linux_.reap(linux_.init(), p), linux_.free(p)),
		     "RCU may still find");
}

TEST_F(CoreHostDeathTest, IntruderComesAtTheNthCall)
{
	int came = 0;
	as init(linux_.init());
	host_rcu_read_lock();
	{
		intruder i(intruder::where::anywhere, 3, [&] { came++; });
		host_task_bits(linux_.init());
		host_task_bits(linux_.init());
		EXPECT_EQ(came, 0);
		EXPECT_FALSE(i.came());
		host_task_bits(linux_.init());
		EXPECT_TRUE(i.came());
		host_task_bits(linux_.init());
	}
	host_rcu_read_unlock();
	EXPECT_EQ(came, 1);
}

TEST_F(CoreHostDeathTest, MemoryFails)
{
	memory_fault::fail_nth(2);
	void *first = host_alloc(HOST_POOL_LWP);
	EXPECT_NE(first, nullptr);
	EXPECT_EQ(host_alloc(HOST_POOL_LWP), nullptr);
	void *third = host_alloc(HOST_POOL_LWP);
	EXPECT_NE(third, nullptr);
	EXPECT_EQ(memory_fault::calls(), 3u);
	host_free(HOST_POOL_LWP, first);
	host_free(HOST_POOL_LWP, third);
}

// A fork by each way that a Linux tree can take: the simulator's own rules.
TEST(CoreHostLinux, ReapersByTheRules)
{
	kernel linux_;
	task_struct *sub = linux_.fork(linux_.init());
	linux_.set_subreaper(sub);
	task_struct *p = linux_.fork(sub);
	task_struct *thread = linux_.thread(p);
	task_struct *child = linux_.fork(p, 0);

	// A thread that lives takes over, and nobody is told.
	linux_.exit(p);
	EXPECT_EQ(child->real_parent, thread);
	EXPECT_EQ(child->exit_signal, 0);
	EXPECT_EQ(p->stage, stage::notified);
	// The nearest subreaper comes next, with SIGCHLD.
	linux_.exit(thread, 7 << 8);
	EXPECT_EQ(child->real_parent, sub);
	EXPECT_EQ(child->exit_signal, SIGCHLD_NR);
	EXPECT_EQ(linux_.reap(sub, p), 7 << 8);
	// A subreaper that is dying is none.
	linux_.exit_begin(sub);
	linux_.exit(linux_.fork(linux_.init()));
	linux_.exit(sub);
	EXPECT_EQ(child->real_parent, linux_.init());
}

} // namespace
