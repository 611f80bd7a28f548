// SPDX-License-Identifier: GPL-2.0-only
// Limbo: children that Linux gives away without a word, at every moment of their
// parents' deaths.
#include "world.hh"

using namespace sim;

namespace
{

// At which of the steps the model is looked at: looking settles limbo, so that
// what comes after starts from there. 0: after each step.
class CoreLimbo : public CoreTest, public testing::WithParamInterface<unsigned>
{
protected:
	task_struct *reaper = nullptr;
	std::vector<task_struct *> made;

	void SetUp() override
	{
		CoreTest::SetUp();
		reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
	}

	void look(unsigned step)
	{
		if (GetParam() && step % 8 + 1 != GetParam())
			return;
		EXPECT_PARENTS_EQUAL_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
	}

	// What an order has left behind.
	void clear(bool wanted)
	{
		if (!wanted)
			return;
		EXPECT_PARENTS_EQUAL_LINUX();
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
		end_everything();
		EXPECT_MODEL_EQUALS_LINUX();
		reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
	}

	void in_orders(const std::function<std::vector<steps>()> &make)
	{
		unsigned last = 0;
		in_every_order(
			[&] {
				std::vector<steps> actors = make();
				last = 0;
				for (const steps &actor : actors)
					last += actor.size();
				return actors;
			},
			[&](unsigned step) {
				look(step);
				clear(step == last);
			});
	}
};

INSTANTIATE_TEST_SUITE_P(Looks, CoreLimbo, testing::Range(0u, 9u));

// Living and ended children of each thread.
TEST_P(CoreLimbo, TwoThreadsDie)
{
	in_orders([this] {
		task_struct *p = linux_.fork(reaper);
		task_struct *thread = linux_.thread(p);
		linux_.fork(p);
		linux_.exit(linux_.fork(p), 1 << 8);
		linux_.fork(thread, 0);
		linux_.exit(linux_.fork(thread), 2 << 8);
		return std::vector{exit_of(p), exit_of(thread)};
	});
}

TEST_P(CoreLimbo, ParentAndNewParentDie)
{
	in_orders([this] {
		task_struct *p = linux_.fork(reaper);
		linux_.fork(p);
		linux_.exit(linux_.fork(p), 1 << 8);
		return std::vector{exit_of(p), exit_of(reaper)};
	});
}

TEST_P(CoreLimbo, ChildDiesWithItsParent)
{
	in_orders([this] {
		task_struct *p = linux_.fork(reaper);
		task_struct *child = linux_.fork(p, 0);
		linux_.thread(p);
		linux_.exit_until(p->signal->threads[1], stage::worked);
		linux_.exit_until(p, stage::told);
		return std::vector{exit_of(p), exit_of(p->signal->threads[1]), exit_of(child)};
	});
}

TEST_P(CoreLimbo, BirthsBesideADyingThread)
{
	in_orders([this] {
		task_struct *p = linux_.fork(reaper);
		task_struct *thread = linux_.thread(p);
		steps maker{
			[=, this] { made = {linux_.copy_process(thread)}; },
			[=, this] { linux_.newtask(made[0]); },
		};
		for (auto &step : exit_of(thread))
			maker.push_back(step);
		return std::vector{exit_of(p), maker};
	});
}

TEST_P(CoreLimbo, SiblingsBornToADyingParent)
{
	in_orders([this] {
		task_struct *p = linux_.fork(reaper);
		task_struct *maker = linux_.fork(p, 0);
		steps births{
			[=, this] { made = {linux_.copy_process(maker, {.parent = true})}; },
			[=, this] { linux_.newtask(made[0]); },
		};
		steps death = exit_of(p);
		death.push_back([=, this] { linux_.reap(reaper, p); });
		death.push_back([=, this] { linux_.idle_a_while(); });
		return std::vector{death, births};
	});
}

// The parent's memory goes late, or long before anybody looks.
TEST_P(CoreLimbo, ReleasedAndFreed)
{
	in_orders([this] {
		task_struct *p = linux_.fork(reaper);
		task_struct *thread = linux_.thread(p);
		linux_.fork(p);
		linux_.fork(thread);
		linux_.exit_until(p, stage::worked);
		linux_.exit_until(thread, stage::worked);
		return std::vector<steps>{
			{
				[=, this] { linux_.exit_notify(p); },
			},
			{
				[=, this] { linux_.exit_notify(thread); },
				[=, this] {
					grace_period();
					linux_.free(thread);
				},
			},
		};
	});
	task_struct *p = linux_.fork(reaper);
	task_struct *child = linux_.fork(p);
	linux_.exit(p);
	linux_.reap(reaper, p);
	grace_period();
	look(0);
	linux_.free(p);
	look(0);
	EXPECT_EQ(look_at(child).ppid, reaper->thread_pid->nr);
}

TEST_P(CoreLimbo, AutoreapedParent)
{
	in_orders([this] {
		reaper->signal->ignores_sigchld = true;
		task_struct *p = linux_.fork(reaper);
		task_struct *child = linux_.fork(p), *grandchild = linux_.fork(child);
		linux_.exit(linux_.fork(child), 3 << 8);
		linux_.exit_until(p, stage::told);
		return std::vector{exit_of(p), exit_of(child),
				   steps{[=, this] { linux_.exit(grandchild); }}};
	});
}

TEST_P(CoreLimbo, ChildrenOfThoseWhoMakeRoomForAnExec)
{
	in_orders([this] {
		task_struct *p = linux_.fork(reaper);
		task_struct *thread = linux_.thread(p), *execs = linux_.thread(p);
		linux_.fork(p);
		linux_.fork(thread);
		linux_.exit(p);
		steps exec = exit_of(thread);
		exec.push_back([=, this] { linux_.de_thread(execs); });
		exec.push_back([=, this] { linux_.exec_event(execs); });
		return std::vector<steps>{exec};
	});
}

// A wait on another CPU, at any moment of the parent's release: the children that
// Linux gave away long ago must not be between two procs for it.
TEST(CoreRelease, ChildrenAreAlwaysSomebodys)
{
	for (unsigned nth = 1, came = true; came; nth++) {
		SCOPED_TRACE("the wait comes in before call " + std::to_string(nth));
		world w;
		kernel &linux_ = w.linux_;
		ASSERT_EQ(w.load(), 0);
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *p = linux_.fork(reaper), *child = linux_.fork(p);
		const int nr = child->thread_pid->nr;
		linux_.exit(child, 3 << 8);
		linux_.exit(p);
		linux_.reap(reaper, p);
		grace_period();

		waited got;
		intruder other(intruder::where::unlocked, nth, [&] { got = wait_nohang(reaper); });
		linux_.free(p);
		came = other.came();
		if (came) {
			EXPECT_EQ(got, (waited{0, nr, 3 << 8}));
		}
	}
}

// Many orders, so one way to look.
class CoreLimboMany : public CoreLimbo
{
};

INSTANTIATE_TEST_SUITE_P(Looks, CoreLimboMany, testing::Values(5u));

TEST_P(CoreLimboMany, ThreeThreadsDie)
{
	in_orders([this] {
		task_struct *p = linux_.fork(linux_.init());
		std::vector<steps> actors;
		for (task_struct *task : {p, linux_.thread(p), linux_.thread(p)}) {
			linux_.fork(task);
			steps exit = exit_of(task);
			// The model hears nothing at PF_EXITING, and does no
			// more than note at the event.
			actors.push_back(
				{[=] { exit[0](); }, [=] { exit[1](), exit[2](); }, exit[3]});
		}
		return actors;
	});
}

} // namespace
