// SPDX-License-Identifier: GPL-2.0-only
// Who shares an address space, and who is the last there.
#include "world.hh"

using namespace sim;

namespace
{

class CoreVmspace : public CoreTest
{
protected:
	task_struct *p = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		p = linux_.fork(linux_.init());
	}

	task_struct *sharer(task_struct *maker, clone_args args = {.vm = true})
	{
		task_struct *task = linux_.copy_process(maker, args);
		linux_.newtask(task);
		return task;
	}
	static unsigned sharers(const task_struct *task) { return look_at(task).proc.vmsharers; }
	static bool is_last(const task_struct *task)
	{
		return look_at(task).proc.flags & CORE_P_VMLAST;
	}
};

TEST_F(CoreVmspace, OneHasItsOwn)
{
	EXPECT_EQ(sharers(p), 1u);
	EXPECT_EQ(sharers(linux_.init()), 1u);
	task_struct *child = linux_.fork(p), *thread = linux_.thread(p);
	EXPECT_EQ(sharers(p), 1u);
	EXPECT_EQ(sharers(child), 1u);
	linux_.exit(thread);
	EXPECT_EQ(sharers(p), 1u);
	EXPECT_FALSE(is_last(p));
	linux_.exit(p);
	EXPECT_EQ(sharers(p), 0u);
	EXPECT_TRUE(is_last(p));
	EXPECT_FALSE(is_last(child));
}

TEST_F(CoreVmspace, VforkedUntilItExecs)
{
	task_struct *child = sharer(p, {.vfork = true});
	EXPECT_EQ(sharers(p), 2u);
	EXPECT_EQ(sharers(child), 2u);
	linux_.exec(child);
	EXPECT_EQ(sharers(p), 1u);
	EXPECT_EQ(sharers(child), 1u);
	EXPECT_FALSE(is_last(child));
	// Each has one of its own now.
	task_struct *other = sharer(child);
	EXPECT_EQ(sharers(child), 2u);
	EXPECT_EQ(sharers(other), 2u);
	EXPECT_EQ(sharers(p), 1u);
	EXPECT_MODEL_EQUALS_LINUX();
}

// Of four, whose leader of its process goes first, in every order.
TEST_F(CoreVmspace, TheLastOfFourInEveryOrder)
{
	for_each_order({1, 1, 1, 1}, [&](const std::vector<unsigned> &order) {
		task_struct *first = linux_.fork(p);
		task_struct *second = sharer(first), *third = sharer(second);
		std::vector<task_struct *> all{first, second, third, sharer(first)};
		for (unsigned done = 0; done < 4; done++) {
			EXPECT_EQ(sharers(all[order[done]]), 4 - done);
			linux_.exit(all[order[done]]);
			EXPECT_EQ(sharers(all[order[done]]), 0u);
			EXPECT_EQ(is_last(all[order[done]]), done == 3);
			EXPECT_MODEL_EQUALS_LINUX();
		}
	});
}

// The last thread's end counts, and a process that has been reaped is gone from there.
TEST_F(CoreVmspace, WithThreadsAndReaped)
{
	task_struct *child = sharer(p), *thread = linux_.thread(child);
	linux_.exit(child);
	EXPECT_EQ(sharers(p), 2u);
	linux_.exit(thread);
	EXPECT_EQ(sharers(p), 1u);
	EXPECT_FALSE(is_last(child));
	linux_.reap(p, child);
	linux_.idle_a_while();
	EXPECT_EQ(sharers(p), 1u);
	EXPECT_EQ(sharers(sharer(thread = sharer(p))), 3u);
	EXPECT_EQ(sharers(thread), 3u);
}

// By another than its parent-to-be.
TEST_F(CoreVmspace, BornToTheMakersParent)
{
	task_struct *sibling = sharer(linux_.fork(p), {.parent = true, .vm = true});
	EXPECT_EQ(sharers(sibling), 2u);
	EXPECT_EQ(sharers(p), 1u);
}

// By a thread that the model has missed: its process is known all the same.
TEST_F(CoreVmspace, BornToAMissedThread)
{
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(p);
	memory_fault::fail_until_waits(0);
	task_struct *sibling = sharer(missed, {.parent = true, .vm = true});
	EXPECT_EQ(sharers(sibling), 2u);
	EXPECT_EQ(sharers(p), 2u);
}

TEST_F(CoreVmspace, AProcessThatNoPipelineSaw)
{
	memory_fault::fail_until_waits(1000);
	task_struct *missed = sharer(p);
	EXPECT_EQ(look_at(missed).error, 3);
	EXPECT_EQ(sharers(p), 1u);
	memory_fault::fail_until_waits(0);
	core_settle();
	EXPECT_EQ(sharers(p), 2u); // it was found, and with whom it is
	memory_fault::fail_until_waits(1000);
	task_struct *again = sharer(p);
	linux_.exit(again);
	linux_.reap(p, again);
	memory_fault::fail_until_waits(0);
	linux_.idle_a_while();
	EXPECT_EQ(sharers(p), 2u);
	EXPECT_MODEL_EQUALS_LINUX();
}

// Out of the map's memory after it has joined.
TEST_F(CoreVmspace, ABirthThatFails)
{
	for (unsigned nth : {1u, 2u}) {
		memory_fault::fail_nth(nth);
		task_struct *child = sharer(p);
		memory_fault::fail_nth(0);
		EXPECT_EQ(look_at(child).error, 3) << nth;
		EXPECT_EQ(sharers(p), 1u);
		linux_.exit(child);
		linux_.reap(p, child);
		linux_.idle_a_while();
	}
}

// Another's mm may come to lie where one was.
TEST_F(CoreVmspace, AnAddressUsedAgain)
{
	for (int i = 0; i < 20; i++) {
		task_struct *one = linux_.fork(p), *two = sharer(one);
		linux_.exit(one);
		linux_.exec(two);
		task_struct *three = linux_.fork(p);
		EXPECT_EQ(sharers(two), 1u);
		EXPECT_EQ(sharers(three), 1u);
		EXPECT_EQ(sharers(one), 0u);
	}
}

class CoreVmspaceLate : public CoreLateTest
{
};

TEST_F(CoreVmspaceLate, SharersAreFoundAtLoad)
{
	task_struct *p = linux_.fork(linux_.init());
	task_struct *one = linux_.copy_process(p, {.vm = true});
	linux_.newtask(one);
	task_struct *two = linux_.copy_process(one, {.vm = true});
	linux_.newtask(two);
	linux_.exit(one); // two is init's now, and no relative
	task_struct *lone = linux_.fork(p);
	{
		// Somebody reads through /proc: a sharer only to Linux's count.
		std::lock_guard g(linux_.tasklist);
		linux_.mm_hold(lone);
	}
	ASSERT_EQ(load(), 0);
	EXPECT_EQ(look_at(p).proc.vmsharers, 2u);
	EXPECT_EQ(look_at(two).proc.vmsharers, 2u);
	EXPECT_EQ(look_at(one).proc.vmsharers, 0u);
	EXPECT_EQ(look_at(one).proc.flags & CORE_P_VMLAST, 0u);
	EXPECT_EQ(look_at(lone).proc.vmsharers, 1u);
	EXPECT_MODEL_EQUALS_LINUX();
	{
		std::lock_guard g(linux_.tasklist);
		linux_.mm_drop(lone);
	}
	linux_.exit(p);
	EXPECT_EQ(look_at(two).proc.vmsharers, 1u);
	EXPECT_FALSE(look_at(p).proc.flags & CORE_P_VMLAST);
	linux_.exit(two);
	EXPECT_TRUE(look_at(two).proc.flags & CORE_P_VMLAST);
}

// The leader has left the address space, another thread has it still.
TEST_F(CoreVmspaceLate, WhereTheLeaderHasEnded)
{
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	task_struct *child = linux_.copy_process(thread, {.vm = true});
	linux_.newtask(child);
	linux_.exit(p);
	ASSERT_EQ(load(), 0);
	EXPECT_EQ(look_at(p).proc.vmsharers, 2u);
	linux_.exit(thread);
	EXPECT_EQ(look_at(p).proc.vmsharers, 0u);
	EXPECT_EQ(look_at(child).proc.vmsharers, 1u);
}

// The maker is in nobody's ring, as the model has not got it; the parent is known.
TEST_F(CoreVmspace, SiblingOfAMissedOne)
{
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.copy_process(p, {.vm = true});
	linux_.newtask(missed);
	memory_fault::fail_until_waits(0);
	linux_.newtask(linux_.copy_process(missed, {.parent = true, .vm = true}));
	EXPECT_MODEL_EQUALS_LINUX();
}

} // namespace
