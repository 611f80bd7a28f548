// SPDX-License-Identifier: GPL-2.0-only
// STOPEVENT: who is asked to stop at its exit, stops there and is let go.
#include "world.hh"

using namespace sim;

namespace
{

class CoreStop : public CoreTest
{
protected:
	host_tracer host;
	core_tracer *tracer = nullptr;
	task_struct *p = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		tracer = core_tracer_new(&host);
		ASSERT_NE(tracer, nullptr);
		p = linux_.fork(linux_.init());
	}

	void TearDown() override
	{
		if (tracer)
			core_tracer_free(tracer);
		EXPECT_EQ(other_memory_live(), 0u);
		CoreTest::TearDown();
	}

	int ask(core_tracer *t, task_struct *task, unsigned events)
	{
		as self(linux_.init());
		host_rcu_read_lock();
		const int error = core_tracer_stops(t, task->group_leader, events);
		host_rcu_read_unlock();
		return error;
	}
	int ask(task_struct *task, unsigned events = CORE_S_EXIT)
	{
		return ask(tracer, task, events);
	}

	// The number of the next that has stopped, or the error.
	int next(core_stopped *out = nullptr)
	{
		core_stopped stopped{};
		as self(linux_.init());
		host_rcu_read_lock();
		const int error = core_tracer_next(tracer, &stopped);
		host_rcu_read_unlock();
		if (error)
			return error;
		if (out)
			*out = stopped;
		const int nr = stopped.pid->nr;
		host_pid_put(stopped.pid);
		return nr;
	}

	int state()
	{
		as self(linux_.init());
		return core_tracer_state(tracer);
	}

	int cont(pid *pid)
	{
		as self(linux_.init());
		host_rcu_read_lock();
		const int error = core_tracer_cont(tracer, pid);
		host_rcu_read_unlock();
		return error;
	}

	// An exit that may stop, on another CPU.
	std::thread exits(task_struct *task, int code = 0)
	{
		linux_.exit_until(task, stage::told, code);
		return std::thread{[this, task] {
			may_block = true;
			linux_.exit_work(task);
		}};
	}

	// One that does not stop ends, which would be seen.
	void until_stopped(task_struct *task)
	{
		core_kproc k;
		do {
			std::this_thread::yield();
			k = look_at(task).proc;
		} while (k.stype != CORE_S_EXIT && k.stat != CORE_SZOMB);
		EXPECT_EQ(k.stype, unsigned(CORE_S_EXIT)) << "it has not stopped";
	}
};

TEST_F(CoreStop, StaysUntilItIsLetGo)
{
	EXPECT_EQ(next(), -10);
	ASSERT_EQ(ask(p), 0);
	EXPECT_EQ(next(), -11);
	EXPECT_EQ(state(), -11);
	std::thread exit = exits(p, 3 << 8);
	until_stopped(p);
	EXPECT_EQ(state(), 0);
	const view v = look_at(p);
	EXPECT_EQ(v.proc.stat, unsigned(CORE_SACTIVE));
	EXPECT_EQ(v.proc.xstat, 3 << 8);
	core_stopped stopped;
	EXPECT_EQ(next(&stopped), p->thread_pid->nr);
	EXPECT_EQ(stopped.event, unsigned(CORE_S_EXIT));
	EXPECT_EQ(stopped.xstat, 3 << 8);
	EXPECT_EQ(next(), -11);
	EXPECT_EQ(cont(p->thread_pid), 0);
	exit.join();
	EXPECT_EQ(cont(p->thread_pid), -3);
	EXPECT_EQ(next(), -10);
	linux_.exit(p);
	EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
	EXPECT_EQ(look_at(p).proc.stype, 0u);
	EXPECT_GT(host.wakeups, 0u);
}

TEST_F(CoreStop, CouldNotBeTold)
{
	task_struct *q = linux_.fork(linux_.init());
	ASSERT_EQ(ask(p), 0);
	ASSERT_EQ(ask(q), 0);
	std::thread first = exits(p);
	until_stopped(p);
	std::thread second = exits(q);
	until_stopped(q);
	EXPECT_EQ(next(), p->thread_pid->nr);
	host_rcu_read_lock();
	core_tracer_again(tracer, p->thread_pid);
	core_tracer_again(tracer, linux_.init()->thread_pid); // not held
	host_rcu_read_unlock();
	EXPECT_EQ(next(), p->thread_pid->nr);
	EXPECT_EQ(next(), q->thread_pid->nr);
	core_tracer_free(std::exchange(tracer, nullptr));
	first.join();
	second.join();
}

TEST_F(CoreStop, WhatIsAsked)
{
	host_tracer other_host;
	core_tracer *other = core_tracer_new(&other_host);
	EXPECT_EQ(ask(p, 0), -3);
	EXPECT_EQ(ask(p, CORE_S_EXIT), 0);
	EXPECT_EQ(ask(other, p, CORE_S_EXIT), -16);
	EXPECT_EQ(ask(p, CORE_S_FORK), 0);
	EXPECT_EQ(ask(p, 0), 0);
	EXPECT_EQ(ask(other, p, CORE_S_FORK), 0);
	linux_.exit(p); // no stop: only its children would
	EXPECT_EQ(core_tracer_state(other), -10);
	EXPECT_EQ(ask(p), -3); // a zombie
	core_tracer_free(other);
}

// While it still runs, whoever asks comes too late when its end is settled.
TEST_F(CoreStop, NotOfOneThatIsExiting)
{
	task_struct *second = linux_.thread(p);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_LWP);
	EXPECT_EQ(ask(p), 0);
	EXPECT_EQ(ask(p, 0), 0);
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_PROC);
	EXPECT_EQ(ask(p), -3);
}

TEST_F(CoreStop, Descendants)
{
	ASSERT_EQ(ask(p, CORE_S_EXIT | CORE_S_FORK), 0);
	task_struct *child = linux_.fork(p), *thread = linux_.thread(p);
	clone_args beside;
	beside.parent = true;
	task_struct *sibling = linux_.copy_process(thread, beside);
	linux_.newtask(sibling);
	task_struct *grandchild = linux_.fork(child);
	for (task_struct *task : {grandchild, sibling, child}) {
		std::thread exit = exits(task);
		until_stopped(task);
		EXPECT_EQ(next(), task->thread_pid->nr);
		EXPECT_EQ(cont(task->thread_pid), 0);
		exit.join();
	}
	EXPECT_EQ(state(), -11);
	ASSERT_EQ(ask(p, CORE_S_EXIT), 0);
	linux_.exit(linux_.fork(p)); // not any more
	EXPECT_EQ(ask(p, 0), 0);
	EXPECT_EQ(state(), -10);
}

// A birth that was missed: it is its parent's.
TEST_F(CoreStop, ADescendantThatWasMissed)
{
	ASSERT_EQ(ask(p, CORE_S_EXIT | CORE_S_FORK), 0);
	memory_fault::fail_until_waits(1);
	task_struct *child = linux_.fork(p);
	memory_fault::fail_until_waits(0);
	run_heal();
	std::thread exit = exits(child);
	until_stopped(child);
	EXPECT_EQ(next(), child->thread_pid->nr);
	EXPECT_EQ(cont(child->thread_pid), 0);
	exit.join();
}

TEST_F(CoreStop, WithoutTheRightAtItsEnd)
{
	ASSERT_EQ(ask(p), 0);
	host.may = false;
	linux_.exit(p);
	EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
	EXPECT_EQ(state(), -10);
	EXPECT_GT(host.wakeups, 0u);
}

TEST_F(CoreStop, TakenBackWhileItIsHeld)
{
	ASSERT_EQ(ask(p), 0);
	std::thread exit = exits(p);
	until_stopped(p);
	EXPECT_EQ(ask(p, 0), 0);
	exit.join();
	EXPECT_EQ(next(), -10);
}

// One whom it traces may have the descriptor, and stop for it on its way out.
TEST_F(CoreStop, WhoTracesIsNotHeld)
{
	task_struct *q = linux_.fork(linux_.init());
	linux_.attach(p, q);
	ASSERT_EQ(ask(p), 0);
	linux_.exit(p);
	EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
	EXPECT_EQ(state(), -10);
	linux_.detach(q);
}

// Of a process that has no pipeline nobody waits for a stop.
TEST_F(CoreStop, WithoutAPipeline)
{
	ASSERT_EQ(ask(p), 0);
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(p);
	linux_.exit(p);
	EXPECT_EQ(state(), -11);
	linux_.exit(missed);
	EXPECT_EQ(state(), -10);
	memory_fault::fail_until_waits(0);
}

TEST_F(CoreStop, WithoutMemory)
{
	memory_fault::fail_nth(1);
	host_tracer none;
	EXPECT_EQ(core_tracer_new(&none), nullptr);
	memory_fault::fail_until_waits(1000);
	task_struct *unknown = linux_.fork(linux_.init());
	EXPECT_EQ(ask(unknown), -12);
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(ask(unknown), 0);
}

} // namespace
