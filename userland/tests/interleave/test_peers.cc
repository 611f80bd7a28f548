// SPDX-License-Identifier: GPL-2.0-only
// Task leaders, peers that leave and processes that join, each at its own time.
#include "explorer.hh"

using namespace sim;

namespace
{

int join(task_struct *task, int parent)
{
	as caller(task);
	return core_join(parent);
}

unsigned peers_of(const task_struct *task)
{
	return look_at(task).proc.npeers;
}

// Whoever joins is either killed by the leader, which then waits, or dies of it.
TEST(InterleavePeers, JoiningWhileTheLeaderExits)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *leader = linux_.fork(linux_.init()), *child = linux_.fork(leader);
		const int parent = leader->thread_pid->nr;
		return scenario{{exits(linux_, leader),
				 [&linux_, child, parent, leader] {
					 const int error = join(child, parent);
					 EXPECT_TRUE(error == 0 || error == -3);
					 when([child] { return child->signal->killed; });
					 if (!error) {
						 EXPECT_LT(leader->stage, stage::worked);
					 }
					 linux_.exit(child);
				 }},
				[leader] { EXPECT_EQ(peers_of(leader), 0u); }};
	});
}

// Peers that end by themselves, one of them while it is being killed.
TEST(InterleavePeers, TheyLeaveWhileTheLeaderExits)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *leader = linux_.fork(linux_.init());
		task_struct *p = linux_.fork(leader), *q = linux_.fork(leader);
		EXPECT_EQ(join(p, leader->thread_pid->nr), 0);
		EXPECT_EQ(join(q, leader->thread_pid->nr), 0);
		return scenario{{exits(linux_, leader), exits(linux_, p), exits(linux_, q)},
				[leader] { EXPECT_EQ(peers_of(leader), 0u); }};
	});
}

// One whom the leader may not kill leaves twice: when that is found, and when it ends.
TEST(InterleavePeers, OneThatCannotBeKilledEnds)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *leader = linux_.fork(linux_.init()), *p = linux_.fork(leader);
		EXPECT_EQ(join(p, leader->thread_pid->nr), 0);
		p->signal->may_be_killed = false;
		return scenario{{exits(linux_, leader), exits(linux_, p)},
				[leader] { EXPECT_EQ(peers_of(leader), 0u); }};
	});
}

// A peer's child joins the leader, not the peer, whose end does not matter to it.
TEST(InterleavePeers, JoiningWhileThePeerExits)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *leader = linux_.fork(linux_.init()), *p = linux_.fork(leader);
		task_struct *child = linux_.fork(p);
		const int parent = p->thread_pid->nr;
		EXPECT_EQ(join(p, leader->thread_pid->nr), 0);
		return scenario{{exits(linux_, p),
				 [&linux_, child, parent] {
					 const int error = join(child, parent);
					 EXPECT_EQ(child->signal->killed, error == -3);
					 linux_.exit(child);
				 }},
				[leader] { EXPECT_EQ(peers_of(leader), 0u); }};
	});
}

// Two threads of a process join side by side: one of them is the first.
TEST(InterleavePeers, JoiningTwice)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *leader = linux_.fork(linux_.init()), *p = linux_.fork(leader);
		task_struct *second = linux_.thread(p);
		const int parent = leader->thread_pid->nr;
		static int errors[2];
		return scenario{{[p, parent] { errors[0] = join(p, parent); },
				 [second, parent] { errors[1] = join(second, parent); }},
				[&linux_, leader, p] {
					EXPECT_EQ(errors[0] + errors[1], -114);
					EXPECT_EQ(peers_of(leader), 1u);
					linux_.exit_process(p);
					EXPECT_EQ(peers_of(leader), 0u);
				}};
	});
}

// One that its leader could not kill joins another, while it is let go.
TEST(InterleavePeers, LetGoWhileItJoinsAnother)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *leader = linux_.fork(linux_.init()), *b = linux_.fork(leader);
		EXPECT_EQ(join(b, leader->thread_pid->nr), 0);
		task_struct *p = linux_.fork(b);
		const int parent = b->thread_pid->nr;
		EXPECT_EQ(join(p, parent), 0);
		b->signal->may_be_killed = p->signal->may_be_killed = false;
		return scenario{{exits(linux_, leader),
				 [p, parent] {
					 int error = -114;
					 for (int i = 0; i < 3 && error == -114; i++)
						 error = join(p, parent);
					 EXPECT_TRUE(error == 0 || error == -114 || error == -3);
				 }},
				[&linux_, leader, b, p] {
					EXPECT_EQ(peers_of(leader), 0u);
					linux_.exit(p);
					EXPECT_EQ(peers_of(b), 0u);
				}};
	});
}

// The module goes while a leader waits.
TEST(InterleavePeers, UnloadingWhileTheLeaderWaits)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *leader = linux_.fork(linux_.init()), *p = linux_.fork(leader);
		EXPECT_EQ(join(p, leader->thread_pid->nr), 0);
		return scenario{{exits(linux_, leader), [] { core_stop(); }},
				[&linux_, p] { linux_.exit(p); }};
	});
}

} // namespace
