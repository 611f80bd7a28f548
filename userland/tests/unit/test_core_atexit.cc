// SPDX-License-Identifier: GPL-2.0-only
// at_exit, rm_at_exit and the process_exit event: order, duplicates, memory, removal from
// inside. What other CPUs do meanwhile is in tests/interleave.
#include "../../../include/bsdproc_at_exit.h"
#include "world.hh"

using namespace sim;

namespace
{

// Who was called, and for whom.
std::vector<std::string> calls;

void call(const std::string &name, const task_struct *task)
{
	calls.push_back(name + " " + std::to_string(task->thread_pid->nr));
}

void first(task_struct *td)
{
	call("first", td);
}

void second(task_struct *td)
{
	call("second", td);
}

void handler(void *arg, task_struct *p)
{
	call(static_cast<const char *>(arg), p);
}

void removes_itself(task_struct *td)
{
	call("once", td);
	EXPECT_EQ(rm_at_exit(removes_itself), 1);
	EXPECT_EQ(rm_at_exit(removes_itself), 0);
}

void looks(task_struct *td)
{
	const view v = look_at(td);
	EXPECT_EQ(v.error, 0);
	EXPECT_EQ(v.proc.stat, unsigned(CORE_SACTIVE));
	EXPECT_TRUE(v.proc.flags & CORE_P_WEXIT);
	EXPECT_EQ(v.proc.nthreads, 1u);
	call("looks", td);
}

exitlist *add_handler(const char *name, int priority)
{
	return process_exit_register(handler, const_cast<char *>(name), priority);
}

class CoreAtExit : public CoreTest
{
protected:
	void SetUp() override
	{
		CoreTest::SetUp();
		calls.clear();
		warnings();
	}

	void TearDown() override
	{
		EXPECT_EQ(other_memory_live(), 0u);
		CoreTest::TearDown();
	}

	std::vector<std::string> calls_of_an_exit()
	{
		task_struct *p = linux_.fork(linux_.init());
		const std::string nr = std::to_string(p->thread_pid->nr);
		calls.clear();
		linux_.exit(p);
		linux_.reap(linux_.init(), p);
		std::vector<std::string> names;
		for (const std::string &call : calls) {
			const size_t space = call.find(' ');
			EXPECT_EQ(call.substr(space + 1), nr);
			names.push_back(call.substr(0, space));
		}
		return names;
	}
};

using names = std::vector<std::string>;

TEST_F(CoreAtExit, HandlersByPriorityThenCalloutsAsTheyCame)
{
	ASSERT_EQ(at_exit(second), 0);
	exitlist *last = add_handler("last", PROCESS_EXIT_PRI_LAST);
	exitlist *any = add_handler("any", PROCESS_EXIT_PRI_ANY);
	exitlist *early = add_handler("early", -1);
	ASSERT_EQ(at_exit(first), 0);
	exitlist *other = add_handler("other", PROCESS_EXIT_PRI_ANY);

	EXPECT_EQ(calls_of_an_exit(), (names{"early", "any", "other", "last", "second", "first"}));
	process_exit_deregister(any);
	EXPECT_EQ(rm_at_exit(second), 1);
	EXPECT_EQ(calls_of_an_exit(), (names{"early", "other", "last", "first"}));

	for (exitlist *handler : {last, early, other})
		process_exit_deregister(handler);
	EXPECT_EQ(rm_at_exit(first), 1);
	EXPECT_EQ(calls_of_an_exit(), names{});
}

TEST_F(CoreAtExit, TwiceIsNoticed)
{
	ASSERT_EQ(at_exit(first), 0);
	ASSERT_EQ(at_exit(second), 0);
	EXPECT_EQ(warnings().size(), 0u);
	EXPECT_EQ(at_exit(first), 0);
	EXPECT_EQ(warnings(), names{"exit callout entry already present"});
	EXPECT_EQ(calls_of_an_exit(), (names{"first", "second"}));
	EXPECT_EQ(rm_at_exit(first), 1);
	EXPECT_EQ(rm_at_exit(first), 0);
	EXPECT_EQ(calls_of_an_exit(), names{"second"});
	EXPECT_EQ(rm_at_exit(second), 1);
}

TEST_F(CoreAtExit, WithoutMemory)
{
	memory_fault::fail_nth(1);
	EXPECT_EQ(at_exit(first), -12);
	memory_fault::fail_nth(1);
	EXPECT_EQ(add_handler("none", 0), nullptr);
	EXPECT_EQ(rm_at_exit(first), 0);
	EXPECT_EQ(calls_of_an_exit(), names{});
}

// The exit goes on with whoever comes after.
TEST_F(CoreAtExit, RemovedFromInside)
{
	ASSERT_EQ(at_exit(removes_itself), 0);
	ASSERT_EQ(at_exit(second), 0);
	EXPECT_EQ(calls_of_an_exit(), (names{"once", "second"}));
	EXPECT_EQ(calls_of_an_exit(), names{"second"});
	EXPECT_EQ(rm_at_exit(removes_itself), 0);
	EXPECT_EQ(rm_at_exit(second), 1);
}

// Once, by the last thread, before anybody may take the process for a zombie.
TEST_F(CoreAtExit, ByTheLastThread)
{
	ASSERT_EQ(at_exit(looks), 0);
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	const std::string nr = std::to_string(thread->thread_pid->nr);
	linux_.exit(p, 1 << 8);
	EXPECT_EQ(calls, names{});
	linux_.exit_until(thread, stage::told);
	EXPECT_EQ(calls, names{});
	linux_.exit(thread, 2 << 8);
	EXPECT_EQ(calls, names{"looks " + nr});
	EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
	EXPECT_EQ(rm_at_exit(looks), 1);
}

// The model learns of a thread only after another has been the master.
TEST_F(CoreAtExit, OnceAlsoWithAThreadThatWasMissed)
{
	ASSERT_EQ(at_exit(first), 0);
	task_struct *p = linux_.fork(linux_.init());
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(p);
	linux_.group_exit(p, 3 << 8);
	linux_.exit_begin(missed);
	linux_.exit_until(p, stage::worked);
	EXPECT_EQ(calls.size(), 1u);
	memory_fault::fail_until_waits(0);
	linux_.exit(missed);
	linux_.exit(p);
	EXPECT_EQ(calls.size(), 1u);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(rm_at_exit(first), 1);
}

class CoreAtExitLate : public CoreLateTest
{
};

// Its leader was in do_exit at load, of which no event tells; the process ends much later.
TEST_F(CoreAtExitLate, OfWhomTheLeaderEndedAtLoad)
{
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exit_until(p, stage::told);
	calls.clear();
	ASSERT_EQ(load(), 0);
	ASSERT_EQ(at_exit(first), 0);
	linux_.exit(p);
	EXPECT_EQ(calls.size(), 0u);
	linux_.exit(second);
	EXPECT_EQ(calls.size(), 1u);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(rm_at_exit(first), 1);
}

} // namespace
