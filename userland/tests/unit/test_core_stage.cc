// SPDX-License-Identifier: GPL-2.0-only
// The stages of the pipeline that hooks of other modules fill, and what Linux has to have done
// before the callouts run. What other CPUs do meanwhile is in tests/interleave.
#include <algorithm>

#include "../../../include/bsdproc_at_exit.h"
#include "../../../include/bsdproc_exit_stage.h"
#include "world.hh"

using namespace sim;

namespace
{

using names = std::vector<std::string>;

names calls;
// What each hook looks at besides.
std::function<std::string(task_struct *)> look;

void call(const char *name, task_struct *td)
{
	EXPECT_EQ(td, current_task());
	const view v = look_at(td);
	EXPECT_EQ(v.proc.stat, unsigned(CORE_SACTIVE));
	EXPECT_TRUE(v.proc.flags & CORE_P_WEXIT || td->signal->live);
	calls.push_back(name + std::string{look ? " " + look(td) : ""});
}

void caps(task_struct *td)
{
	call("caps", td);
}

void callout(task_struct *td)
{
	call("callout", td);
}

void upcalls(task_struct *td)
{
	call("upcalls", td);
}

void vkernel_lwp(task_struct *td)
{
	call("lwp", td);
}

void vkernel(task_struct *td)
{
	call("vkernel", td);
}

void another(task_struct *td)
{
	call("another", td);
}

void removes_itself(task_struct *td)
{
	call("once", td);
	EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, removes_itself), 1);
	EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, removes_itself), 0);
}

constexpr exit_stage_fn hooks[EXIT_STAGES] = {caps, upcalls, vkernel_lwp, vkernel};

class CoreStage : public CoreTest
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
		look = nullptr;
		if (hooked_) {
			EXPECT_EQ(rm_at_exit(callout), 1);
			for (unsigned stage = 0; stage < EXIT_STAGES; stage++)
				EXPECT_EQ(rm_at_exit_stage(stage, hooks[stage]), 1);
		}
		EXPECT_EQ(other_memory_live(), 0u);
		CoreTest::TearDown();
	}

	void hook_all()
	{
		hooked_ = true;
		EXPECT_EQ(at_exit(callout), 0);
		for (unsigned stage = 0; stage < EXIT_STAGES; stage++)
			EXPECT_EQ(at_exit_stage(stage, hooks[stage]), 0);
	}

	names calls_of_an_exit()
	{
		task_struct *p = linux_.fork(linux_.init());
		calls.clear();
		linux_.exit(p);
		linux_.reap(linux_.init(), p);
		return calls;
	}

private:
	bool hooked_ = false;
};

std::string number(const task_struct *task)
{
	return std::to_string(task->thread_pid->nr);
}

TEST_F(CoreStage, InTheSeedsOrder)
{
	hook_all();
	EXPECT_EQ(calls_of_an_exit(), (names{"caps", "callout", "upcalls", "lwp", "vkernel"}));
}

// Each thread's lwp, before the process's first stage, and the last one's in its place.
TEST_F(CoreStage, OfThreads)
{
	hook_all();
	look = number;
	task_struct *p = linux_.fork(linux_.init());
	task_struct *second = linux_.thread(p), *third = linux_.thread(p);
	const names others{"lwp " + number(p), "lwp " + number(third)};
	linux_.exit(p);
	linux_.exit(third);
	EXPECT_EQ(calls, others);
	const std::string last = " " + number(second);
	linux_.exit(second);
	EXPECT_EQ(calls, (names{others[0], others[1], "caps" + last, "callout" + last,
				"upcalls" + last, "lwp" + last, "vkernel" + last}));
	EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
	EXPECT_MODEL_EQUALS_LINUX();
}

// Who is in it is counted; the process's end waits for it.
TEST_F(CoreStage, AnLwpIsCountedWhileItIsHooked)
{
	hook_all();
	look = [](task_struct *td) { return std::to_string(look_at(td).proc.nthreads); };
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exit(second);
	EXPECT_EQ(calls, names{"lwp 2"});
	EXPECT_EQ(look_at(p).proc.nthreads, 1u);
	linux_.exit(p);
	EXPECT_EQ(calls.back(), "vkernel 1");
}

// An exec ends the other threads, and begins nobody's pipeline.
TEST_F(CoreStage, OfAnExec)
{
	hook_all();
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.thread(p);
	linux_.exec(second);
	EXPECT_EQ(calls, (names{"lwp", "lwp"}));
	EXPECT_MODEL_EQUALS_LINUX();
}

// Symbols are gone before all stages; peers, and the tracer, before the callouts only.
TEST_F(CoreStage, CapsAreBeforePeersAndStops)
{
	hook_all();
	task_struct *p = linux_.fork(linux_.init()), *peer = linux_.fork(p);
	{
		as self(peer);
		ASSERT_EQ(core_join(p->thread_pid->nr), 0);
	}
	peer->signal->may_be_killed = false; // so the leader does not wait for it
	ASSERT_EQ(varsym_set(p, CORE_VARSYM_PROC, "a", "b"), 0);
	host_tracer host;
	host.may = false; // nor does it stop
	core_tracer *tracer = core_tracer_new(&host);
	host_rcu_read_lock();
	EXPECT_EQ(core_tracer_stops(tracer, p, CORE_S_EXIT), 0);
	host_rcu_read_unlock();
	look = [tracer](task_struct *td) {
		host_rcu_read_lock();
		const bool traced = core_tracer_state(tracer) == -11;
		host_rcu_read_unlock();
		return std::to_string(look_at(td).proc.npeers) + (traced ? " traced" : "") +
		       varsym_list(td);
	};
	linux_.exit(p);
	EXPECT_EQ(calls, (names{"caps 1 traced", "callout 0", "upcalls 0", "lwp 0", "vkernel 0"}));
	core_tracer_free(tracer);
	look = nullptr;
	linux_.exit(peer);
}

// A peer is its leader's until the callouts are done, and in its address space to the end.
TEST_F(CoreStage, UpcallsAreAfterThePeerHasLeft)
{
	hook_all();
	task_struct *leader = linux_.fork(linux_.init()), *peer = linux_.fork(leader);
	{
		as self(peer);
		ASSERT_EQ(core_join(leader->thread_pid->nr), 0);
	}
	look = [leader](task_struct *td) {
		const view v = look_at(td);
		return std::string{v.proc.leader == leader->thread_pid ? "peer" : "nobody's"} +
		       (v.proc.vmsharers ? "" : " left");
	};
	linux_.exit(peer);
	EXPECT_EQ(calls, (names{"caps peer", "callout peer", "upcalls nobody's", "lwp nobody's",
				"vkernel nobody's"}));
	EXPECT_EQ(look_at(peer).proc.vmsharers, 0u);
}

TEST_F(CoreStage, TwiceIsNoticedInEachStage)
{
	ASSERT_EQ(at_exit_stage(EXIT_CAPS_EXIT, another), 0);
	ASSERT_EQ(at_exit_stage(EXIT_VKERNEL_EXIT, another), 0);
	EXPECT_EQ(warnings().size(), 0u);
	EXPECT_EQ(at_exit_stage(EXIT_CAPS_EXIT, another), 0);
	EXPECT_EQ(warnings(), names{"exit callout entry already present"});
	EXPECT_EQ(calls_of_an_exit(), (names{"another", "another"}));
	EXPECT_EQ(rm_at_exit_stage(EXIT_UPC_RELEASE, another), 0);
	EXPECT_EQ(rm_at_exit(another), 0);
	EXPECT_EQ(rm_at_exit_stage(EXIT_CAPS_EXIT, another), 1);
	EXPECT_EQ(rm_at_exit_stage(EXIT_CAPS_EXIT, another), 0);
	EXPECT_EQ(calls_of_an_exit(), names{"another"});
	EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_EXIT, another), 1);
}

TEST_F(CoreStage, WithinAStageAsTheyCame)
{
	ASSERT_EQ(at_exit_stage(EXIT_UPC_RELEASE, upcalls), 0);
	ASSERT_EQ(at_exit_stage(EXIT_UPC_RELEASE, another), 0);
	ASSERT_EQ(at_exit_stage(EXIT_UPC_RELEASE, caps), 0);
	EXPECT_EQ(calls_of_an_exit(), (names{"upcalls", "another", "caps"}));
	EXPECT_EQ(rm_at_exit_stage(EXIT_UPC_RELEASE, another), 1);
	EXPECT_EQ(calls_of_an_exit(), (names{"upcalls", "caps"}));
	EXPECT_EQ(rm_at_exit_stage(EXIT_UPC_RELEASE, caps), 1);
	EXPECT_EQ(rm_at_exit_stage(EXIT_UPC_RELEASE, upcalls), 1);
	EXPECT_EQ(calls_of_an_exit(), names{});
}

TEST_F(CoreStage, RemovedFromInside)
{
	ASSERT_EQ(at_exit_stage(EXIT_VKERNEL_LWP_EXIT, removes_itself), 0);
	ASSERT_EQ(at_exit_stage(EXIT_VKERNEL_LWP_EXIT, vkernel_lwp), 0);
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exit(second);
	linux_.exit(p);
	EXPECT_EQ(calls, (names{"once", "lwp", "lwp"}));
	EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, vkernel_lwp), 1);
}

TEST_F(CoreStage, NoSuchStageAndNoMemory)
{
	for (unsigned stage : {unsigned(EXIT_STAGES), ~0u}) {
		EXPECT_EQ(at_exit_stage(stage, caps), -22);
		EXPECT_EQ(rm_at_exit_stage(stage, caps), -22);
	}
	memory_fault::fail_nth(1);
	EXPECT_EQ(at_exit_stage(EXIT_CAPS_EXIT, caps), -12);
	EXPECT_EQ(rm_at_exit_stage(EXIT_CAPS_EXIT, caps), 0);
	EXPECT_EQ(calls_of_an_exit(), names{});
}

// Threads that were missed at their births are met at their ends, and hooked.
TEST_F(CoreStage, OfAThreadThatWasMissed)
{
	hook_all();
	task_struct *p = linux_.fork(linux_.init());
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(p);
	memory_fault::fail_until_waits(0);
	linux_.exit(p);
	EXPECT_EQ(calls, names{"lwp"});
	linux_.exit(missed);
	EXPECT_EQ(calls, (names{"lwp", "caps", "callout", "upcalls", "lwp", "vkernel"}));
	EXPECT_MODEL_EQUALS_LINUX();
}

class CoreStageLate : public CoreLateTest
{
};

// Who was in do_exit at load, and comes by its event.
TEST_F(CoreStageLate, OfThoseMetInsideDoExit)
{
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exit_begin(second);
	linux_.exit_begin(p);
	calls.clear();
	ASSERT_EQ(load(), 0);
	ASSERT_EQ(at_exit_stage(EXIT_VKERNEL_LWP_EXIT, vkernel_lwp), 0);
	ASSERT_EQ(at_exit_stage(EXIT_VKERNEL_EXIT, vkernel), 0);
	linux_.exit(second);
	linux_.exit(p);
	EXPECT_EQ(calls, (names{"lwp", "lwp", "vkernel"}));
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, vkernel_lwp), 1);
	EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_EXIT, vkernel), 1);
}

// ---- what Linux has to have done by then

TEST_F(CoreStage, WhatLinuxHasLeftIsSaidOnce)
{
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exit(second);
	linux_.exit(p);
	EXPECT_EQ(warnings(), names{});

	ASSERT_EQ(at_exit(callout), 0);
	look = [](task_struct *) { return std::to_string(warnings().size()); };
	for (const char *expected : {"callout 1", "callout 0"}) {
		task_struct *q = linux_.fork(linux_.init());
		q->undone = "descriptors";
		linux_.exit(q);
		EXPECT_EQ(calls.back(), expected);
	}
	EXPECT_EQ(warnings(), names{});
	EXPECT_EQ(rm_at_exit(callout), 1);
}

TEST_F(CoreStage, WhatLinuxHasLeftIsNamed)
{
	task_struct *unseen = linux_.fork(linux_.init());
	unseen->undone = "files";
	linux_.exit(unseen);
	EXPECT_EQ(warnings(), names{}) << "there is no callout that would miss anything";

	ASSERT_EQ(at_exit(callout), 0);
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	second->undone = "descriptors";
	linux_.exit(second);
	EXPECT_EQ(warnings(), names{}) << "not its process's last";
	p->undone = "timers";
	linux_.exit(p);
	EXPECT_EQ(warnings(), names{"timers"});
	EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
	EXPECT_EQ(rm_at_exit(callout), 1);
}

} // namespace
