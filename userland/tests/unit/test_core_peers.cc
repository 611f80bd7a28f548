// SPDX-License-Identifier: GPL-2.0-only
// Task leaders and peers: joining, the leader's end, peers that cannot be killed, and ends
// that have no pipeline. What other CPUs do meanwhile is in tests/interleave.
#include "world.hh"

using namespace sim;

namespace
{

int join(task_struct *task, int parent)
{
	as self(task);
	return core_join(parent);
}

int join(task_struct *task)
{
	return join(task, task->real_parent->signal->tgid->nr);
}

int leader_of(const task_struct *task)
{
	const view v = look_at(task);
	EXPECT_EQ(v.error, 0);
	return v.proc.leader ? v.proc.leader->nr : 0;
}

unsigned peers_of(const task_struct *task)
{
	return look_at(task).proc.npeers;
}

class CorePeers : public CoreTest
{
protected:
	task_struct *leader = nullptr;
	std::vector<task_struct *> peers;

	void SetUp() override
	{
		CoreTest::SetUp();
		leader = linux_.fork(linux_.init());
	}

	// Peers first: their leader would wait for them.
	void TearDown() override
	{
		for (task_struct *task : peers)
			linux_.exit(task);
		CoreTest::TearDown();
	}

	task_struct *peer(task_struct *maker)
	{
		task_struct *task = linux_.fork(maker);
		EXPECT_EQ(join(task), 0);
		peers.push_back(task);
		return task;
	}

	// A thread that the model does not get to know, as memory is short until it has ended.
	task_struct *missed_thread(task_struct *maker)
	{
		memory_fault::fail_until_waits(1000);
		return linux_.thread(maker);
	}
	void end_missed(task_struct *thread)
	{
		linux_.exit(thread);
		memory_fault::fail_until_waits(0);
	}

	static void expect_too_late(task_struct *child)
	{
		EXPECT_EQ(join(child), -3);
		EXPECT_TRUE(child->signal->killed);
	}
	static void until_killed(const task_struct *task)
	{
		for (;; std::this_thread::yield()) {
			std::lock_guard g(the_kernel->tasklist);
			if (task->signal->killed)
				return;
		}
	}
};

TEST_F(CorePeers, AreSeenWithTheirLeader)
{
	task_struct *p = peer(leader), *q = peer(p), *child = linux_.fork(p);
	EXPECT_EQ(leader_of(p), leader->thread_pid->nr);
	EXPECT_EQ(leader_of(q), leader->thread_pid->nr);
	EXPECT_EQ(leader_of(leader), leader->thread_pid->nr);
	EXPECT_EQ(leader_of(child), child->thread_pid->nr);
	EXPECT_EQ(peers_of(leader), 2u);
	EXPECT_EQ(peers_of(p), 0u);
	// Of what peers hold of their leader nobody has to wonder.
	EXPECT_EQ(look_at(leader).proc.holds, 0u);
	EXPECT_EQ(look_at(p).proc.holds, 0u);
	linux_.exit(p);
	EXPECT_EQ(leader_of(p), p->thread_pid->nr);
	EXPECT_EQ(peers_of(leader), 1u);
	EXPECT_EQ(look_at(leader).proc.holds, 0u);
}

TEST_F(CorePeers, WhoMayNotJoin)
{
	task_struct *p = peer(leader);
	EXPECT_EQ(join(p), -114);
	EXPECT_FALSE(p->signal->killed);
	task_struct *child = linux_.fork(leader);
	EXPECT_EQ(join(child, linux_.init()->thread_pid->nr), -3);
	EXPECT_TRUE(child->signal->killed);
	EXPECT_EQ(peers_of(leader), 1u);
	// What a kernel thread starts has a parent, but no leader.
	expect_too_late(linux_.fork(linux_.kthreadd()));
}

// Of a leader that has a verdict the child comes too late.
TEST_F(CorePeers, ADyingLeaderKillsWhoJoins)
{
	task_struct *child = linux_.fork(leader), *other = linux_.fork(leader);
	task_struct *p = peer(leader);
	task_struct *grandchild = linux_.fork(p);
	EXPECT_EQ(extexit(leader, CORE_WHO_PROC), CORE_VERDICT_PROC);
	expect_too_late(child);
	expect_too_late(grandchild);
	EXPECT_FALSE(other->signal->killed);
}

// Not in exec, which takes P_WEXIT back.
TEST_F(CorePeers, AnExecIsNoEnd)
{
	task_struct *child = linux_.fork(leader), *second = linux_.thread(leader);
	linux_.exec_begin(leader);
	linux_.exit(second);
	EXPECT_TRUE(look_at(leader).proc.flags & CORE_P_WEXIT);
	EXPECT_EQ(join(child), 0);
	linux_.de_thread(leader);
	linux_.exec_event(leader);
	EXPECT_FALSE(look_at(leader).proc.flags & CORE_P_WEXIT);
	EXPECT_EQ(peers_of(leader), 1u);
	linux_.exit(child);
}

// They are killed first, then waited for.
TEST_F(CorePeers, TheLeadersEndKillsThem)
{
	task_struct *p = peer(leader), *q = peer(leader);
	linux_.exit_until(leader, stage::told);
	bool left = false;
	std::thread exit{[&] {
		may_block = true;
		linux_.exit_work(leader);
		EXPECT_TRUE(left);
	}};
	until_killed(p);
	until_killed(q);
	linux_.exit(p);
	left = true;
	linux_.exit(q);
	exit.join();
	EXPECT_EQ(peers_of(leader), 0u);
	linux_.exit(leader);
	EXPECT_EQ(look_at(leader).proc.stat, unsigned(CORE_SZOMB));
}

TEST_F(CorePeers, WhomItMayNotKillIsNotWaitedFor)
{
	task_struct *p = peer(leader);
	p->signal->may_be_killed = false;
	linux_.exit(leader);
	EXPECT_FALSE(p->signal->killed);
	EXPECT_EQ(leader_of(p), p->thread_pid->nr);
	EXPECT_EQ(look_at(leader).proc.stat, unsigned(CORE_SZOMB));
}

// One that it traces may wait for it, so it waits for nobody.
TEST_F(CorePeers, WhoTracesDoesNotWait)
{
	task_struct *p = peer(leader);
	linux_.attach(leader, p);
	linux_.exit(leader);
	EXPECT_TRUE(p->signal->killed);
	EXPECT_EQ(look_at(leader).proc.stat, unsigned(CORE_SZOMB));
	linux_.detach(p);
}

// Its last thread is unknown and memory is short: still nobody waits for it.
TEST_F(CorePeers, APeerWithoutAPipeline)
{
	task_struct *p = peer(leader), *missed = missed_thread(p);
	linux_.exit(p);
	EXPECT_EQ(peers_of(leader), 1u);
	end_missed(missed);
	EXPECT_EQ(peers_of(leader), 0u);
	linux_.exit(leader);
}

// The same of a leader: its peers are killed, though not waited for.
TEST_F(CorePeers, ALeaderWithoutAPipeline)
{
	task_struct *p = peer(leader), *missed = missed_thread(leader);
	linux_.exit(leader);
	end_missed(missed);
	EXPECT_TRUE(p->signal->killed);
	expect_too_late(linux_.fork(p));
}

// And if that began as an exec, by the thread that is not known.
TEST_F(CorePeers, ALeaderWithoutAPipelineInExec)
{
	task_struct *p = peer(leader), *missed = missed_thread(leader);
	linux_.exec_begin(missed);
	linux_.exit(leader);
	EXPECT_TRUE(look_at(leader).proc.flags & CORE_P_WEXIT);
	EXPECT_FALSE(p->signal->killed);
	end_missed(missed);
	EXPECT_TRUE(p->signal->killed);
	expect_too_late(linux_.fork(p));
}

TEST_F(CorePeers, WithoutMemoryNobodyJoins)
{
	memory_fault::fail_until_waits(1000);
	task_struct *child = linux_.fork(leader);
	EXPECT_EQ(join(child), -12);
	EXPECT_FALSE(child->signal->killed);
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(join(child), 0);
	EXPECT_EQ(peers_of(leader), 1u);
	linux_.exit(child);
}

// A leader that sleeps for its peers does not keep the module.
TEST_F(CorePeers, UnloadingEndsTheWait)
{
	task_struct *p = peer(leader);
	linux_.exit_until(leader, stage::told);
	std::thread exit{[&] {
		may_block = true;
		linux_.exit_work(leader);
	}};
	until_killed(p);
	core_stop();
	exit.join();
	linux_.exit(leader);
	EXPECT_EQ(look_at(leader).proc.stat, unsigned(CORE_SZOMB));
	linux_.exit(p);
}

// What a peer holds of its leader goes with the module, too.
TEST_F(CorePeers, UnloadingWithBothAlive)
{
	task_struct *p = peer(leader);
	unload();
	linux_.exit(p);
	linux_.exit(leader);
}

// A program that gets rights by exec goes its own way.
TEST_F(CorePeers, GainingRights)
{
	task_struct *p = peer(leader), *q = peer(leader);
	p->signal->gains_rights = true;
	linux_.exec(p);
	linux_.exec(q);
	EXPECT_EQ(leader_of(p), p->thread_pid->nr);
	EXPECT_EQ(leader_of(q), leader->thread_pid->nr);
	EXPECT_EQ(peers_of(leader), 1u);
}

} // namespace
