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
	const auto released_with = [&](auto spoil) {
		linux_.exit(child);
		linux_.reap(parent, child);
		spoil();
		linux_.free(child);
		linux_.idle_a_while();
	};
	EXPECT_DEATH(released_with([&] { p->p_nhooked.store(1); }), "p_nhooked");
	EXPECT_DEATH(released_with([&] { p->p_nclone = 1; }), "p_nclone");
	EXPECT_DEATH(released_with([&] { p->p_npeers.store(1); }), "p_npeers");
	EXPECT_DEATH(released_with([&] { p->p_nthreads++; }), "p_nthreads");
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
