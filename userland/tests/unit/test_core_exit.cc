// SPDX-License-Identifier: GPL-2.0-only
// exit1 and lwp_exit: who is the last, and with what status.
#include <algorithm>

#include "world.hh"

using namespace sim;

namespace
{

class CoreExit : public CoreTest
{
protected:
	task_struct *parent = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		parent = linux_.fork(linux_.init());
	}
};

TEST_F(CoreExit, SingleThreadStepByStep)
{
	task_struct *p = linux_.fork(parent);
	const int nr = p->thread_pid->nr;
	linux_.exit_begin(p, 3 << 8);
	EXPECT_EQ(look_at(p).proc.flags, 0u);
	linux_.exit_event(p);
	EXPECT_EQ(look_at(p).proc.stat, CORE_SACTIVE);
	EXPECT_EQ(wait_nohang(parent), waited{});
	linux_.exit_work(p);
	EXPECT_EQ(look_at(p).proc.flags, CORE_P_WEXIT | CORE_P_VMLAST);
	EXPECT_EQ(look_at(p).proc.stat, CORE_SZOMB);
	EXPECT_EQ(look_at(p).proc.nthreads, 0u);
	EXPECT_EQ(look_at(p).proc.nlwps, 1u);
	EXPECT_EQ(look_at(p).lwps[0].flags, CORE_LWP_MAIN | CORE_LWP_WEXIT);
	// Not before Linux can reap it.
	EXPECT_EQ(wait_nohang(parent), waited{});
	linux_.exit_notify(p);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(wait(parent), (waited{0, nr, 3 << 8, false}));
	EXPECT_EQ(look_at(p).proc.flags, CORE_P_WEXIT | CORE_P_VMLAST | CORE_P_CLAIMED);
	EXPECT_EQ(linux_.reap(parent, p), 3 << 8);
	EXPECT_EQ(look_at(p->signal->tgid).error, 3);
	EXPECT_MODEL_EQUALS_LINUX();
	wait_end(parent);
	EXPECT_EQ(wait_nohang(parent).error, 10);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExit, FreedWithoutAnyWait)
{
	task_struct *p = linux_.fork(parent);
	linux_.exit(p);
	linux_.reap(parent, p);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(look_at(parent).proc.nchildren, 0u);
	linux_.idle_a_while();
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExit, ManyThreadsInEveryOrder)
{
	for (const bool freed_at_once : {false, true})
		for_each_order({1, 1, 1, 1}, [&](const std::vector<unsigned> &order) {
			task_struct *p = linux_.fork(parent);
			const int nr = p->thread_pid->nr;
			std::vector<task_struct *> threads{p};
			while (threads.size() < order.size())
				threads.push_back(linux_.thread(p));
			for (const unsigned who : order) {
				EXPECT_EQ(wait_nohang(parent), waited{});
				linux_.exit(threads[who], int(who) << 8);
				EXPECT_MODEL_EQUALS_LINUX();
				if (freed_at_once)
					linux_.idle_a_while();
				EXPECT_MODEL_EQUALS_LINUX();
			}
			// The status is the last one's, whoever is the leader.
			EXPECT_EQ(wait_and_reap(parent),
				  (waited{0, nr, int(order.back()) << 8, false}));
			EXPECT_MODEL_EQUALS_LINUX();
		});
}

TEST_F(CoreExit, TwoThreadsInEveryInterleaving)
{
	for_each_order({4, 4}, [this](const std::vector<unsigned> &order) {
		task_struct *p = linux_.fork(parent);
		task_struct *thread = linux_.thread(p);
		const int nr = p->thread_pid->nr;
		int begun = 0;
		for (const unsigned who : order) {
			task_struct *task = who ? thread : p;
			EXPECT_EQ(wait_nohang(parent), waited{});
			if (task->stage == stage::running)
				linux_.exit_begin(task, ++begun << 8);
			else
				linux_.exit_step(task);
		}
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_EQ(wait_and_reap(parent), (waited{0, nr, 2 << 8, false}));
		linux_.idle_a_while();
		EXPECT_MODEL_EQUALS_LINUX();
	});
}

TEST_F(CoreExit, ThreeThreadsDieSideBySide)
{
	// Entering do_exit, and the two steps that the model and Linux hear of.
	for_each_order({3, 3, 3}, [this](const std::vector<unsigned> &order) {
		task_struct *p = linux_.fork(parent);
		task_struct *threads[] = {p, linux_.thread(p), linux_.thread(p)};
		for (const unsigned who : order) {
			linux_.exit_step(threads[who]);
			if (threads[who]->stage == stage::begun)
				linux_.exit_event(threads[who]);
		}
		ASSERT_NE(wait_and_reap(parent).pid, 0);
	});
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExit, LeaderFirstAndLingering)
{
	task_struct *p = linux_.fork(parent);
	const int nr = p->thread_pid->nr;
	task_struct *thread = linux_.thread(p);
	linux_.exit(p, 1 << 8);
	linux_.idle_a_while();
	EXPECT_MODEL_EQUALS_LINUX();
	const view v = look_at(p);
	EXPECT_EQ(v.proc.nthreads, 1u);
	EXPECT_EQ(v.proc.nlwps, 2u);
	EXPECT_EQ(v.lwps[0].stat, CORE_LSZOMB);
	EXPECT_EQ(v.lwps[0].flags, CORE_LWP_MAIN | CORE_LWP_WEXIT);
	EXPECT_EQ(v.proc.stat, CORE_SACTIVE);
	EXPECT_EQ(wait_nohang(parent), waited{});
	// It goes on: threads, children.
	task_struct *other = linux_.thread(thread);
	linux_.fork(other);
	linux_.exit(thread);
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.exit(other, 7 << 8);
	EXPECT_EQ(wait_and_reap(parent), (waited{0, nr, 7 << 8, false}));
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExit, Group)
{
	task_struct *p = linux_.fork(parent);
	task_struct *second = linux_.thread(p), *third = linux_.thread(p);
	linux_.group_exit(second, 11);
	linux_.exit_until(second, stage::worked, 11);
	// The first to come tells of the others.
	const view v = look_at(p);
	EXPECT_EQ(v.proc.flags, CORE_P_WEXIT);
	for (const core_klwp &lwp : v.lwps)
		EXPECT_TRUE(lwp.flags & CORE_LWP_WEXIT);
	EXPECT_EQ(extexit(third, CORE_WHO_PROC), CORE_VERDICT_LWP);
	linux_.exit(p, 11);
	linux_.exit(third, 11);
	linux_.exit(second);
	EXPECT_EQ(wait_and_reap(parent).xstat, 11);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExit, AutoReaped)
{
	parent->signal->ignores_sigchld = true;
	task_struct *p = linux_.fork(parent);
	linux_.exit_until(p, stage::worked);
	EXPECT_EQ(wait_nohang(parent), waited{});
	linux_.exit_notify(p);
	EXPECT_EQ(p->stage, stage::released);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(wait_nohang(parent).error, 10);
	linux_.idle_a_while();
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExit, AutoReapedWithTheLeaderFirst)
{
	parent->signal->ignores_sigchld = true;
	task_struct *p = linux_.fork(parent);
	task_struct *thread = linux_.thread(p);
	linux_.exit(p);
	linux_.exit(thread);
	EXPECT_EQ(p->stage, stage::released);
	EXPECT_EQ(wait_nohang(parent).error, 10);
	// The leader's memory may go first or last.
	grace_period();
	linux_.free(p);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExit, SigchldIgnoredOnlyAfterTheEnd)
{
	task_struct *p = linux_.fork(parent);
	linux_.exit(p, 1 << 8);
	parent->signal->ignores_sigchld = true;
	EXPECT_EQ(wait_and_reap(parent).xstat, 1 << 8);
}

TEST_F(CoreExit, FreesInEveryOrder)
{
	for_each_order({1, 1, 1}, [this](const std::vector<unsigned> &order) {
		task_struct *p = linux_.fork(parent);
		linux_.fork(p);
		task_struct *threads[] = {p, linux_.thread(p), linux_.thread(p)};
		linux_.exit_process(p);
		linux_.reap(parent, p);
		grace_period();
		for (const unsigned who : order) {
			linux_.free(threads[who]);
			EXPECT_MODEL_EQUALS_LINUX();
			grace_period();
		}
	});
}

// What the seed's lwp_wait() waits for is so whenever Linux tells; else it is said.
TEST_F(CoreExit, FreedOnACpu)
{
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	linux_.exit(thread);
	warnings();
	thread->on_cpu = true;
	linux_.idle_a_while();
	EXPECT_EQ(warnings(), std::vector<std::string>{"lwp_wait: the thread still runs"});
	linux_.exit(p);
	linux_.reap(linux_.init(), p);
	linux_.idle_a_while();
	EXPECT_EQ(warnings().size(), 0u);
}

// A pid namespace's: it is said how it died, by its last thread.
TEST_F(CoreExit, InitOfANamespace)
{
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	p->signal->namespace_init = true;
	warnings();
	linux_.exit(thread);
	EXPECT_EQ(warnings().size(), 0u);
	linux_.exit(p, 3 << 8);
	EXPECT_EQ(warnings(), std::vector<std::string>{"init died 0 3"});
	task_struct *q = linux_.fork(linux_.init());
	q->signal->namespace_init = true;
	linux_.exit(q, 11 | 0x80);
	EXPECT_EQ(warnings(), std::vector<std::string>{"init died 11 0"});
}

} // namespace
