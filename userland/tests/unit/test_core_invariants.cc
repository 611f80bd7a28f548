// SPDX-License-Identifier: GPL-2.0-only
// What may never come to pass in the model is noticed as it comes: each step is taken where it
// is not allowed, past all that keeps the core itself from it.
#include "core/proc.hh"

#include "world.hh"

using namespace sim;
using namespace bsd;

namespace
{

class CoreInvariantsDeathTest : public CoreTest
{
protected:
	task_struct *parent = nullptr, *child = nullptr;
	proc *pp = nullptr, *p = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		parent = linux_.fork(linux_.init());
		child = linux_.fork(parent);
		rcu_guard rcu;
		pp = proc_of(parent);
		p = proc_of(child);
	}

	// A step with the proc locked, as all of them ask for.
	template <class Step> static void with(proc *locked, Step step)
	{
		rcu_guard rcu;
		guard g(locked->p_token);
		step();
	}
};

TEST_F(CoreInvariantsDeathTest, AZombieDoesNotEndAgain)
{
	linux_.exit(child);
	EXPECT_DEATH((host_rcu_read_lock(), proc_zombie(p, child)), "p_stat == CORE_SACTIVE");
}

TEST_F(CoreInvariantsDeathTest, AnLwpExitsOnce)
{
	EXPECT_DEATH(with(p,
			  [&] {
				  lwp_exited(p, &p->p_firstlwp);
				  lwp_exited(p, &p->p_firstlwp);
			  }),
		     "LWP_EXITED");
}

TEST_F(CoreInvariantsDeathTest, ThreadsAreCountedRight)
{
	EXPECT_DEATH(with(p,
			  [&] {
				  p->p_nrunning = 2;
				  lwp_exited(p, &p->p_firstlwp);
			  }),
		     "p_nrunning \\+ p->p_nstranded <= p->p_nthreads");
	EXPECT_DEATH(with(p,
			  [&] {
				  p->p_nrunning = 0;
				  lwp_exited(p, &p->p_firstlwp);
			  }),
		     "p_nrunning >= 0");
}

TEST_F(CoreInvariantsDeathTest, AnLwpIsListedOnce)
{
	EXPECT_DEATH(with(p, [&] { lwp_list(p, &p->p_firstlwp); }), "LWP_LISTED");
}

TEST_F(CoreInvariantsDeathTest, FreedMoreOftenThanExited)
{
	linux_.exit(child);
	EXPECT_DEATH(
		{
			with(p, [&] { p->p_nleaving--; });
			host_rcu_read_lock();
			core_task_free(child);
		},
		"p_nleaving >= 0");
}

TEST_F(CoreInvariantsDeathTest, OutOfAListWhereItIsNot)
{
	proc *init = nullptr;
	{
		rcu_guard rcu;
		init = proc_of(linux_.init());
	}
	EXPECT_DEATH(with(init, [&] { proc_unlink(p, init); }), "p_pptr.load\\(\\) == parent");
	EXPECT_DEATH(with(pp,
			  [&] {
				  proc_unlink(p, pp);
				  proc_unlink(p, pp);
			  }),
		     "p_pptr.load\\(\\) == parent");
}

TEST_F(CoreInvariantsDeathTest, NoChildForOneThatIsReleased)
{
	EXPECT_DEATH(with(pp,
			  [&] {
				  proc_unlink(p, pp);
				  proc_begin_release(pp);
				  proc_link(p, pp);
			  }),
		     "p_gone");
}

TEST_F(CoreInvariantsDeathTest, ReferencesAreKept)
{
	// The model's and the lwp's are its last.
	EXPECT_DEATH((proc_drop(p), proc_drop(p)), "p_gone.load\\(\\)");
	EXPECT_DEATH(
		{
			p->p_refs.store(0);
			proc_drop(p);
		},
		"left >= 0");
}

TEST_F(CoreInvariantsDeathTest, ReleasedWithSomethingLeft)
{
	static proc none;
	static lwp thread;
	thread.lwp_tid = 1;
	none.p_gone.store(true);
	auto *const something = reinterpret_cast<unsigned char *>(&none);
	const auto with = [](auto spoil) {
		none.p_refs.store(1);
		spoil();
		proc_drop(&none);
	};
#define LEFT(what, name) EXPECT_DEATH(with([&] { what; }), name)
	LEFT(none.p_gone.store(false), "p_gone");
	LEFT(none.p_pptr.store(&proc0), "p_pptr");
	LEFT(none.p_claimant = &thread, "p_claimant");
	LEFT(none.p_nthreads = 1, "p_nthreads");
	LEFT(none.p_nrunning = 1, "p_nrunning");
	LEFT(none.p_nstranded = 1, "p_nstranded");
	LEFT(none.p_nleaving = 1, "p_nleaving");
	LEFT(none.p_nhooked.store(1), "p_nhooked");
	LEFT(none.p_lwp_tree.insert(&thread), "p_lwp_tree");
	LEFT(none.p_nchildren = 1, "p_nchildren");
	LEFT(none.p_nzombies = 1, "p_nzombies");
	LEFT(none.p_nclone = 1, "p_nclone");
	LEFT(none.p_leader.store(&proc0), "p_leader");
	LEFT(none.p_npeers.store(1), "p_npeers");
	LEFT(none.p_tracer.store(reinterpret_cast<core_tracer *>(something)), "p_tracer");
	LEFT(none.p_watch.store(reinterpret_cast<host_watch *>(something)), "p_watch");
	LEFT(none.p_inlimbo.store(true), "p_inlimbo");
#undef LEFT
}

TEST_F(CoreInvariantsDeathTest, AClaimIsOnAZombie)
{
	linux_.exit(child);
	EXPECT_DEATH(
		{
			p->p_ended = false;
			wait(parent);
		},
		"p_ended");
}

} // namespace
