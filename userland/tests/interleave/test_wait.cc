// SPDX-License-Identifier: GPL-2.0-only
// Waits beside ends, releases and each other.
#include "explorer.hh"

using namespace sim;

namespace
{

const waited no_child{.error = 10};

// The child ends between the last look and the sleep.
TEST(InterleaveWait, SleepsWhileItEnds)
{
	for (const bool by_number : {false, true})
		explore([by_number](world &w) {
			kernel &linux_ = w.linux_;
			task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
			const waited report{0, child->thread_pid->nr, 3 << 8, false};
			wait_for what;
			if (by_number)
				what = {CORE_P_PID, child->signal->tgid};
			return scenario{{[&linux_, child] { linux_.exit(child, 3 << 8); },
					 [p, what, report] {
						 EXPECT_EQ(wait_and_reap(p, what), report);
						 EXPECT_EQ(wait(p), no_child);
					 },
					 freed(linux_, child)}};
		});
}

// One gets it, the other hears that there is nobody left.
TEST(InterleaveWait, TwoForOne)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		task_struct *child = linux_.fork(p);
		const int nr = child->thread_pid->nr;
		auto got = std::make_shared<std::vector<waited>>();
		const auto waits = [got](task_struct *task, const wait_for &what) {
			return [got, task, what] { got->push_back(wait_and_reap(task, what)); };
		};
		return scenario{{[&linux_, child] { linux_.exit(child, 3 << 8); }, waits(p, {}),
				 waits(second, {CORE_P_PID, child->signal->tgid})},
				[got, nr] {
					if ((*got)[0].error)
						std::swap((*got)[0], (*got)[1]);
					EXPECT_EQ((*got)[0], (waited{0, nr, 3 << 8, true}));
					EXPECT_EQ((*got)[1], no_child);
				}};
	});
}

// The one with the claim ends before it reaps.
TEST(InterleaveWait, ClaimantDies)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		task_struct *child = linux_.fork(p);
		const int nr = child->thread_pid->nr;
		linux_.exit(child, 3 << 8);
		EXPECT_EQ(wait(second).pid, nr);
		return scenario{{[&linux_, second] { linux_.exit(second); },
				 [p, nr] {
					 const waited got = wait_and_reap(p);
					 EXPECT_EQ(got.pid, nr);
					 EXPECT_EQ(got.xstat, 3 << 8);
				 }}};
	});
}

// Another thread reaps natively what was claimed.
TEST(InterleaveWait, NativeReapOfTheClaimed)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		task_struct *third = linux_.thread(p), *child = linux_.fork(p);
		linux_.exit(child, 3 << 8);
		EXPECT_EQ(wait(second).error, 0);
		return scenario{{[&linux_, third, child] { linux_.reap(third, child); },
				 [second] { wait_end(second); },
				 [p, child] {
					 when([child] { return child->stage == stage::released; });
					 EXPECT_EQ(wait(p), no_child);
				 },
				 freed(linux_, child)}};
	});
}

// A parent is released while its child's new parent waits.
TEST(InterleaveWait, OrphanOfAReleasedParent)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *p = linux_.fork(reaper), *child = linux_.fork(p);
		const waited report{0, child->thread_pid->nr, 3 << 8, false};
		linux_.exit(p);
		linux_.reap(reaper, p);
		return scenario{{[&linux_, child] { linux_.exit(child, 3 << 8); },
				 [reaper, report] {
					 EXPECT_EQ(wait_and_reap(reaper), report);
					 EXPECT_EQ(wait(reaper), no_child);
				 },
				 freed(linux_, p)}};
	});
}

// The parent ignores SIGCHLD: its wait ends when the child is gone, without a status.
TEST(InterleaveWait, Autoreaped)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		p->signal->ignores_sigchld = true;
		return scenario{{[&linux_, child] { linux_.exit(child, 3 << 8); },
				 [p] { EXPECT_EQ(wait(p), no_child); }, freed(linux_, child)}};
	});
}

// The tracer has the first word.
TEST(InterleaveWait, TracedUntilItsTracerHasSeenIt)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		task_struct *tracer = linux_.fork(linux_.init());
		const waited report{0, child->thread_pid->nr, 3 << 8, false};
		linux_.attach(tracer, child);
		return scenario{{[&linux_, child] {
					 linux_.exit(child, 3 << 8);
					 linux_.reap_traced(child);
				 },
				 [p, report] { EXPECT_EQ(wait_and_reap(p), report); }}};
	});
}

// The leader ended long before; the status is the last thread's.
TEST(InterleaveWait, LeaderFirst)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		task_struct *last = linux_.thread(child);
		const int nr = child->thread_pid->nr;
		return scenario{
			{[&linux_, child] { linux_.exit(child, 1 << 8); },
			 [&linux_, last] { linux_.exit(last, 1 << 8); },
			 [p, nr] {
				 EXPECT_EQ(wait_and_reap(p), (waited{0, nr, 1 << 8, false}));
			 },
			 freed(linux_, last)}};
	});
}

} // namespace
