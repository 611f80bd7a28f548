// SPDX-License-Identifier: GPL-2.0-only
// Traced processes that die with their tracer, and those that do not.
#include "world.hh"

using namespace sim;

namespace
{

class CoreTracekill : public CoreTest
{
protected:
	task_struct *tracer = nullptr, *tracee = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		tracer = linux_.fork(linux_.init());
		tracee = linux_.fork(linux_.init());
		linux_.attach(tracer, tracee);
	}

	static int tracekill(task_struct *task, int on)
	{
		as caller(task);
		return core_tracekill(on);
	}
	static bool has_it(const task_struct *task)
	{
		return look_at(task).proc.flags & CORE_P_TRACEKILL;
	}
	static bool is_killed(const task_struct *task) { return task->signal->group_exit; }
};

TEST_F(CoreTracekill, OnlyWhoAskedForIt)
{
	EXPECT_FALSE(has_it(tracer));
	linux_.exit(tracer);
	EXPECT_FALSE(is_killed(tracee));
}

TEST_F(CoreTracekill, WithTheTracersEnd)
{
	task_struct *other = linux_.fork(tracer);
	EXPECT_EQ(tracekill(tracer, 1), 0);
	EXPECT_TRUE(has_it(tracer));
	EXPECT_FALSE(has_it(tracee));
	linux_.exit_until(tracer, stage::told);
	EXPECT_FALSE(is_killed(tracee));
	linux_.exit_until(tracer, stage::worked); // before Linux lets go
	EXPECT_TRUE(is_killed(tracee));
	EXPECT_FALSE(is_killed(other));
}

TEST_F(CoreTracekill, SwitchedOff)
{
	EXPECT_EQ(tracekill(tracer, 1), 0);
	EXPECT_EQ(tracekill(tracer, 0), 0);
	EXPECT_FALSE(has_it(tracer));
	linux_.exit(tracer);
	EXPECT_FALSE(is_killed(tracee));
}

TEST_F(CoreTracekill, AThreadThatEndsAloneLetsGo)
{
	task_struct *thread = linux_.thread(tracer), *second = linux_.fork(tracer);
	linux_.attach(thread, second);
	EXPECT_EQ(tracekill(thread, 1), 0);
	linux_.exit(thread);
	EXPECT_FALSE(is_killed(second));
	linux_.exit(tracer);
	EXPECT_TRUE(is_killed(tracee));
	EXPECT_FALSE(is_killed(second));
}

TEST_F(CoreTracekill, EachThreadsWhenTheProcessEnds)
{
	task_struct *thread = linux_.thread(tracer), *second = linux_.fork(tracer);
	linux_.attach(thread, second);
	EXPECT_EQ(tracekill(tracer, 1), 0);
	linux_.group_exit(tracer, 0);
	linux_.exit(tracer);
	EXPECT_TRUE(is_killed(tracee));
	EXPECT_FALSE(is_killed(second));
	linux_.exit(thread);
	EXPECT_TRUE(is_killed(second));
}

TEST_F(CoreTracekill, InheritedAndKept)
{
	task_struct *before = linux_.fork(tracer);
	EXPECT_EQ(tracekill(tracer, 1), 0);
	task_struct *child = linux_.fork(tracer);
	task_struct *sibling = linux_.copy_process(tracer, {.parent = true});
	linux_.newtask(sibling);
	EXPECT_FALSE(has_it(before));
	EXPECT_TRUE(has_it(child));
	EXPECT_TRUE(has_it(sibling));
	linux_.exec(child);
	EXPECT_TRUE(has_it(child));
	child->signal->gains_rights = true;
	linux_.exec(child);
	EXPECT_FALSE(has_it(child));
}

// What they make while they are killed is found by another round.
TEST_F(CoreTracekill, ChildrenMadeMeanwhile)
{
	EXPECT_EQ(tracekill(tracer, 1), 0);
	linux_.exit_until(tracer, stage::told);
	bool found = false;
	for (unsigned nth = 1; !found; nth++) {
		task_struct *child = nullptr;
		task_struct *mother = linux_.fork(linux_.init());
		task_struct *last = linux_.fork(linux_.init());
		linux_.attach(last, mother);
		EXPECT_EQ(tracekill(last, 1), 0);
		linux_.exit_until(last, stage::told);
		{
			intruder other(intruder::where::unlocked, nth, [&] {
				if (is_killed(mother))
					return;
				child = linux_.fork(mother);
				linux_.attach(last, child);
			});
			linux_.exit_until(last, stage::worked);
			found = !other.came();
		}
		EXPECT_TRUE(is_killed(mother));
		if (child) {
			EXPECT_TRUE(is_killed(child)) << nth;
		}
		linux_.detach(mother);
		if (child)
			linux_.detach(child);
	}
}

TEST_F(CoreTracekill, WithoutMemoryForOneThatIsUnknown)
{
	memory_fault::fail_until_waits(1000);
	task_struct *unknown = linux_.fork(tracer);
	EXPECT_EQ(tracekill(unknown, 1), -12);
	memory_fault::fail_until_waits(1);
	EXPECT_EQ(tracekill(unknown, 1), 0);
	EXPECT_TRUE(has_it(unknown));
}

} // namespace
