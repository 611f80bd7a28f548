// SPDX-License-Identifier: GPL-2.0-only
// Memory that is short at any moment of a life: nothing is lost for good.
#include "life.hh"

using namespace sim;

namespace
{

class CoreMemory : public testing::Test
{
protected:
	// What only time was needed for.
	static void expect_healed(world &w)
	{
		kernel &linux_ = w.linux_;
		{
			as worker(linux_.kthreadd());
			while (heal_is_due())
				run_heal();
		}
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
	}

	static void expect_empty(world &w)
	{
		kernel &linux_ = w.linux_;
		linux_.idle_a_while();
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_EQ(pool_live(HOST_POOL_PROC), 1u);
		EXPECT_EQ(pool_live(HOST_POOL_LWP), 0u);
		EXPECT_EQ(map_size(), 1u);
		EXPECT_EQ(setint_live(), 0u);
	}

	// One life, with the model looked at whenever it is quiet.
	static void live(world &w)
	{
		life l(w);
		while (!l.over()) {
			l.step();
			if (l.quiet())
				expect_healed(w);
		}
		expect_empty(w);
	}
};

TEST_F(CoreMemory, ALife)
{
	world w;
	ASSERT_EQ(w.load(), 0);
	live(w);
}

TEST_F(CoreMemory, FailingOnceAtEachCall)
{
	for (unsigned nth = 1, calls = nth; nth <= calls; nth++) {
		SCOPED_TRACE("call " + std::to_string(nth));
		world w;
		ASSERT_EQ(w.load(), 0);
		memory_fault::fail_nth(nth);
		live(w);
		calls = memory_fault::calls();
	}
}

// From each step on for so many steps; healing has to wait for memory too.
TEST_F(CoreMemory, FailingForLong)
{
	unsigned length = 1;
	for (unsigned from = 0; from < length; from++)
		for (const unsigned steps : {1, 3, 10, 30}) {
			SCOPED_TRACE("from step " + std::to_string(from));
			world w;
			kernel &linux_ = w.linux_;
			ASSERT_EQ(w.load(), 0);
			life l(w);
			length = l.length();
			for (unsigned step = 0; !l.over(); step++) {
				if (step == from)
					memory_fault::fail_until_waits(1000);
				if (step == from + steps)
					memory_fault::fail_until_waits(2);
				l.step();
				if (l.quiet() && (step < from || step >= from + steps))
					expect_healed(w);
			}
			memory_fault::fail_until_waits(0);
			expect_empty(w);
			EXPECT_MODEL_EQUALS_LINUX();
		}
}

// An orphan goes to a thread that the model missed; the proc it comes from has to wait
// for that in limbo.
TEST_F(CoreMemory, OrphanOfAThreadThatWasMissed)
{
	world w;
	kernel &linux_ = w.linux_;
	ASSERT_EQ(w.load(), 0);
	task_struct *reaper = linux_.fork(linux_.init());
	linux_.set_subreaper(reaper);
	task_struct *p = linux_.fork(reaper);
	linux_.fork(p);
	memory_fault::fail_until_waits(1000);
	linux_.thread(reaper);
	linux_.exit(reaper);
	linux_.exit(p);
	{
		as looker(linux_.init());
		core_settle();
	}
	memory_fault::fail_until_waits(0);
	expect_healed(w);
}

TEST_F(CoreMemory, LoadingWithLittle)
{
	unsigned calls = 1;
	for (unsigned nth = 1; nth <= calls; nth++) {
		world w;
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		linux_.thread(linux_.fork(linux_.thread(p)));
		w.load_begin();
		memory_fault::fail_nth(nth);
		ASSERT_EQ(w.load_end(), 0);
		EXPECT_MODEL_EQUALS_LINUX();
		calls = memory_fault::calls();
	}
}

TEST_F(CoreMemory, LoadingWithNone)
{
	world w;
	w.linux_.fork(w.linux_.init());
	w.load_begin();
	memory_fault::fail_until_waits(1000);
	EXPECT_EQ(w.load_end(), -12);
	memory_fault::fail_until_waits(0);
}

// Only time was needed; the caller could not tell.
TEST_F(CoreMemory, CallsWaitForIt)
{
	for (int call = 0; call < 3; call++) {
		world w;
		kernel &linux_ = w.linux_;
		ASSERT_EQ(w.load(), 0);
		linux_.probes.fresh = false;
		task_struct *stranger = linux_.fork(linux_.init());
		linux_.probes.fresh = true;
		memory_fault::fail_until_waits(15);
		if (call == 0)
			EXPECT_EQ(lwp_tid(stranger), 1);
		else if (call == 1)
			EXPECT_EQ(wait(stranger).error, 10);
		else
			EXPECT_EQ(extexit(stranger, CORE_WHO_LWP), CORE_VERDICT_PROC);
	}
}

// No memory for long: what asks for healing goes on asking.
TEST_F(CoreMemory, HealingIsAskedForUntilItWorks)
{
	world w;
	kernel &linux_ = w.linux_;
	ASSERT_EQ(w.load(), 0);
	memory_fault::fail_until_waits(1000);
	linux_.fork(linux_.init());
	as worker(linux_.kthreadd());
	for (int i = 0; i < 10; i++) {
		EXPECT_TRUE(heal_is_due());
		run_heal();
	}
	memory_fault::fail_until_waits(0);
	EXPECT_TRUE(heal_is_due());
	run_heal();
	EXPECT_FALSE(heal_is_due());
	EXPECT_MODEL_EQUALS_LINUX();
}

} // namespace
