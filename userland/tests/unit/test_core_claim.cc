// SPDX-License-Identifier: GPL-2.0-only
// Claims on zombies, and the sleep of those who wait.
#include "world.hh"

using namespace sim;

namespace
{

const waited no_child{.error = 10};

class CoreClaim : public CoreTest
{
protected:
	task_struct *p = nullptr, *second = nullptr, *child = nullptr;
	int nr = 0;

	void SetUp() override
	{
		CoreTest::SetUp();
		p = linux_.fork(linux_.init());
		second = linux_.thread(p);
		child = linux_.fork(p);
		nr = child->thread_pid->nr;
	}

	waited reported() const { return {0, nr, 5 << 8, true}; }
	void child_ends() { linux_.exit(child, 5 << 8); }
};

TEST_F(CoreClaim, OneGetsIt)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	EXPECT_TRUE(look_at(child).proc.flags & CORE_P_CLAIMED);
	EXPECT_EQ(wait_nohang(second), waited{});
	EXPECT_EQ(wait_nohang(second, {CORE_P_PID, child->signal->tgid}), waited{});
	linux_.reap(p, child);
	EXPECT_EQ(wait_nohang(second), no_child);
	wait_end(p);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreClaim, TheNextZombieForTheNextThread)
{
	task_struct *other = linux_.fork(second);
	const int other_nr = other->thread_pid->nr;
	child_ends();
	linux_.exit(other, 6 << 8);
	EXPECT_EQ(wait(p), reported());
	EXPECT_EQ(wait(second), (waited{0, other_nr, 6 << 8, true}));
}

TEST_F(CoreClaim, EndsWithTheNextWait)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	// It was not reaped, so the same again.
	EXPECT_EQ(wait(p), reported());
	EXPECT_EQ(wait_nohang(p, {CORE_P_PID, linux_.init()->signal->tgid}), no_child);
	EXPECT_EQ(wait(second), reported());
}

TEST_F(CoreClaim, EndsByItsEnd)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	wait_end(p);
	EXPECT_FALSE(look_at(child).proc.flags & CORE_P_CLAIMED);
	EXPECT_EQ(wait(second), reported());
	wait_end(p);
	EXPECT_TRUE(look_at(child).proc.flags & CORE_P_CLAIMED);
}

TEST_F(CoreClaim, EndsWithItsThread)
{
	child_ends();
	EXPECT_EQ(wait(second), reported());
	linux_.exit_until(second, stage::told);
	EXPECT_EQ(wait_nohang(p), waited{});
	linux_.exit_work(second);
	EXPECT_EQ(wait(p), (waited{0, nr, 5 << 8, false}));
}

TEST_F(CoreClaim, EndsWithAThreadWhoseExitTheModuleDoesNotHear)
{
	child_ends();
	EXPECT_EQ(wait(second), reported());
	linux_.probes.exit = false;
	linux_.exit(second);
	linux_.probes.exit = true;
	grace_period();
	linux_.free(second);
	EXPECT_EQ(wait_nohang(p), (waited{0, nr, 5 << 8, false}));
}

TEST_F(CoreClaim, EndsWithANativeReapElsewhere)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	linux_.reap(second, child);
	EXPECT_EQ(wait(p), no_child);
	EXPECT_EQ(wait(second), no_child);
	EXPECT_MODEL_EQUALS_LINUX();
	linux_.idle_a_while();
	wait_end(p);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreClaim, EndsWithTheFreeOfTheChild)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	linux_.reap(second, child);
	grace_period();
	linux_.free(child);
	wait_end(p);
	EXPECT_EQ(wait(p), no_child);
}

TEST_F(CoreClaim, MovesOnWithTheOrphan)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	linux_.exit_process(p);
	EXPECT_EQ(wait(linux_.init(), {CORE_P_PID, child->signal->tgid}),
		  (waited{0, nr, 5 << 8, false}));
}

TEST_F(CoreClaim, ByExecedThread)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	linux_.exec(second);
	EXPECT_EQ(wait(second), (waited{0, nr, 5 << 8, false}));
}

// ---- asleep --------------------------------------------------------------------

TEST_F(CoreClaim, WaiterIsWokenByTheEnd)
{
	sleeper s(p);
	EXPECT_TRUE(s.asleep());
	EXPECT_EQ(look_at(p).lwps[0].stat, CORE_LSSLEEP);
	linux_.exit_until(child, stage::worked, 5 << 8);
	EXPECT_TRUE(s.asleep());
	linux_.exit_notify(child);
	EXPECT_EQ(s.result(), reported());
}

TEST_F(CoreClaim, WaiterForOneIsNotWokenByOthers)
{
	task_struct *other = linux_.fork(second);
	sleeper s(p, {CORE_P_PID, child->signal->tgid});
	EXPECT_TRUE(s.asleep());
	linux_.exit(other);
	EXPECT_TRUE(s.asleep());
	child_ends();
	EXPECT_EQ(s.result(), reported());
}

TEST_F(CoreClaim, WaiterIsWokenWhenTheLastThreadIsGone)
{
	task_struct *thread = linux_.thread(child);
	sleeper s(p);
	linux_.exit(child);
	EXPECT_TRUE(s.asleep());
	linux_.exit(thread, 5 << 8);
	EXPECT_EQ(s.result(), reported());
}

TEST_F(CoreClaim, OneEndWakesTwoAndOneSleepsOn)
{
	task_struct *other = linux_.fork(p);
	const int other_nr = other->thread_pid->nr;
	sleeper a(p), b(second);
	EXPECT_TRUE(a.asleep());
	EXPECT_TRUE(b.asleep());
	child_ends();
	const bool a_sleeps = a.asleep(), b_sleeps = b.asleep();
	EXPECT_NE(a_sleeps, b_sleeps);
	linux_.exit(other, 6 << 8);
	const waited other_reported{0, other_nr, 6 << 8, true};
	EXPECT_EQ(a.result(), a_sleeps ? other_reported : reported());
	EXPECT_EQ(b.result(), b_sleeps ? other_reported : reported());
}

TEST_F(CoreClaim, WaiterIsWokenForAClaimThatIsGivenBack)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	sleeper s(second);
	EXPECT_TRUE(s.asleep());
	wait_end(p);
	EXPECT_EQ(s.result(), reported());
}

TEST_F(CoreClaim, WaiterForOneIsWokenForItsClaim)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	sleeper s(second, {CORE_P_PID, child->signal->tgid});
	EXPECT_TRUE(s.asleep());
	wait_end(p);
	EXPECT_EQ(s.result(), reported());
}

TEST_F(CoreClaim, WaiterIsToldOfAReapedClaimAtOnce)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	sleeper s(second);
	EXPECT_TRUE(s.asleep());
	linux_.reap(p, child);
	wait_end(p);
	EXPECT_EQ(s.result(), no_child);
}

TEST_F(CoreClaim, WaiterIsToldOfAReapedClaimByTheFree)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	sleeper s(second);
	EXPECT_TRUE(s.asleep());
	linux_.reap(p, child);
	EXPECT_TRUE(s.asleep());
	grace_period();
	linux_.free(child);
	EXPECT_EQ(s.result(), no_child);
}

TEST_F(CoreClaim, WaiterIsWokenWhenTheClaimantDies)
{
	child_ends();
	EXPECT_EQ(wait(p), reported());
	sleeper s(second);
	EXPECT_TRUE(s.asleep());
	linux_.exit(p);
	EXPECT_EQ(s.result(), (waited{0, nr, 5 << 8, false}));
}

TEST_F(CoreClaim, WaiterIsWokenWhenTheClaimantWaitsForOthers)
{
	task_struct *other = linux_.fork(p);
	child_ends();
	EXPECT_EQ(wait(p), reported());
	sleeper s(second);
	EXPECT_TRUE(s.asleep());
	EXPECT_EQ(wait_nohang(p, {CORE_P_PID, other->signal->tgid}), waited{});
	EXPECT_EQ(s.result(), reported());
}

TEST_F(CoreClaim, WaiterOfOneWhoIgnoresSigchld)
{
	p->signal->ignores_sigchld = true;
	task_struct *other = linux_.fork(second);
	sleeper s(p);
	EXPECT_TRUE(s.asleep());
	child_ends();
	EXPECT_TRUE(s.asleep());
	linux_.exit(other);
	EXPECT_EQ(s.result(), no_child);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreClaim, WaiterIsWokenByASignal)
{
	sleeper s(p);
	EXPECT_TRUE(s.asleep());
	linux_.signal(p);
	EXPECT_EQ(s.result().error, restartsys);
	// And would not have slept.
	EXPECT_EQ(wait(p).error, restartsys);
	child_ends();
	EXPECT_EQ(wait(p), reported());
}

TEST_F(CoreClaim, WaiterIsWokenByATracersEnd)
{
	task_struct *tracer = linux_.fork(linux_.init());
	linux_.attach(tracer, child);
	sleeper s(p);
	EXPECT_TRUE(s.asleep());
	child_ends();
	EXPECT_TRUE(s.asleep());
	linux_.reap_traced(child);
	EXPECT_EQ(s.result(), reported());
}

TEST_F(CoreClaim, WaiterGetsAnOrphanThatIsAZombie)
{
	linux_.set_subreaper(p);
	task_struct *orphan = linux_.fork(child);
	const int orphan_nr = orphan->thread_pid->nr;
	linux_.exit(orphan, 8 << 8);
	linux_.attach(linux_.init(), child); // so that it is the orphan who wakes
	sleeper s(p);
	EXPECT_TRUE(s.asleep());
	child_ends();
	EXPECT_EQ(s.result(), (waited{0, orphan_nr, 8 << 8, true}));
}

TEST_F(CoreClaim, WaiterSleepsOnForAnOrphanThatLives)
{
	linux_.set_subreaper(p);
	task_struct *orphan = linux_.fork(child);
	const int orphan_nr = orphan->thread_pid->nr;
	sleeper s(p);
	EXPECT_TRUE(s.asleep());
	child_ends();
	EXPECT_EQ(s.result(), reported());
	linux_.reap(p, child);
	sleeper again(p);
	EXPECT_TRUE(again.asleep());
	linux_.exit(orphan, 8 << 8);
	EXPECT_EQ(again.result(), (waited{0, orphan_nr, 8 << 8, true}));
}

// Lost wake-ups: the child's end, or the claim's, at each point of the way to
// the sleep.
TEST_F(CoreClaim, EndAtEachPointOfTheWait)
{
	for (unsigned nth = 1, came = true; came; nth++) {
		task_struct *c = linux_.fork(p);
		linux_.exit_until(c, stage::worked, 9 << 8);
		waited w;
		{
			intruder i(intruder::where::anywhere, nth, [&] { linux_.exit_notify(c); });
			w = wait_nohang(p);
			came = i.came();
		}
		if (!came)
			linux_.exit_notify(c);
		EXPECT_EQ(wait_and_reap(p).xstat, 9 << 8) << "at call " << nth;
	}
}

TEST_F(CoreClaim, EndAtEachPointOfTheSleep)
{
	for (unsigned nth = 1, came = true; came; nth++) {
		task_struct *c = linux_.fork(p);
		linux_.exit_until(c, stage::worked, 9 << 8);
		std::thread waiter([&] {
			may_block = true;
			intruder i(intruder::where::anywhere, nth, [&] {
				if (c->stage == stage::worked)
					linux_.exit_notify(c);
			});
			EXPECT_EQ(wait(p).xstat, 9 << 8) << "at call " << nth;
			came = i.came();
		});
		// Past the last call it sleeps, and is woken as always.
		{
			std::unique_lock g(linux_.tasklist);
			linux_.wakeups.wait(
				g, [&] { return p->asleep || c->stage == stage::notified; });
		}
		if (c->stage != stage::notified)
			linux_.exit_notify(c);
		waiter.join();
		linux_.reap(p, c);
		wait_end(p);
	}
}

} // namespace
