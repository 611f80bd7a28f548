// SPDX-License-Identifier: GPL-2.0-only
// Waits for stops beside what Linux tells of them, and beside each other.
#include "explorer.hh"

using namespace sim;

namespace
{

constexpr unsigned kinds = CORE_WEXITED | CORE_WUNTRACED | CORE_WCONTINUED | CORE_WTRAPPED;

// What the library does: asks until what was found could be collected.
waited wait_and_collect(task_struct *task, unsigned options = kinds)
{
	for (;;) {
		const waited w = wait(task, {.options = options});
		if (w.error)
			return w;
		task_struct *child = the_kernel->find_pid(w.pid)->task;
		if (w.what && the_kernel->collect(child, w.what))
			return w;
		if (!w.what) {
			the_kernel->reap(task, child);
			wait_end(task);
			return w;
		}
	}
}

// It stops between the last look and the sleep, and while those who woke the process are
// looked at.
TEST(InterleaveJobctl, SleepsWhileItStops)
{
	for (const bool watched : {false, true})
		explore([watched](world &w) {
			kernel &linux_ = w.linux_;
			task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
			task_struct *other = linux_.fork(p);
			if (watched) {
				EXPECT_EQ(wait_nohang(p, {.options = kinds}), waited{});
			}
			const int nr = child->thread_pid->nr;
			return scenario{{[&linux_, child, other] {
						 linux_.stop(child, 19);
						 linux_.stop(other, 19);
						 linux_.collect(other, CORE_WUNTRACED);
					 },
					 [p, nr] {
						 waited got = wait_and_collect(p);
						 if (got.pid != nr)
							 got = wait_and_collect(p);
						 EXPECT_EQ(got.pid, nr);
						 EXPECT_EQ(got.what, CORE_WUNTRACED);
					 }}};
		});
}

// Linux tells of one while another is looked at, who has nothing to report any more.
TEST(InterleaveJobctl, ToldDuringALook)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		task_struct *other = linux_.fork(p);
		EXPECT_EQ(wait_nohang(p, {.options = kinds}), waited{});
		linux_.stop(other, 19);
		linux_.cont(other);
		linux_.collect(other, CORE_WCONTINUED);
		const int nr = child->thread_pid->nr;
		return scenario{{[&linux_, child] { linux_.stop(child, 19); },
				 [p, nr] { EXPECT_EQ(wait_and_collect(p).pid, nr); }}};
	});
}

// One has the stop, the other the end that comes after it.
TEST(InterleaveJobctl, TwoForOneStop)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		task_struct *child = linux_.fork(p);
		auto got = std::make_shared<std::vector<waited>>();
		const auto waits = [got](task_struct *task) {
			return [got, task] { got->push_back(wait_and_collect(task)); };
		};
		return scenario{{[&linux_, child] {
					 linux_.stop(child, 19);
					 when([child] { return !child->signal->stop_code; });
					 linux_.exit(child, 3 << 8);
				 },
				 waits(p), waits(second)},
				[got] {
					EXPECT_EQ((*got)[0].what, CORE_WUNTRACED);
					EXPECT_EQ((*got)[1].what, 0u);
					EXPECT_EQ((*got)[1].xstat, 3 << 8);
				}};
	});
}

// Who has found it ends before it has collected it.
TEST(InterleaveJobctl, TheFinderDies)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		task_struct *child = linux_.fork(p);
		// Not among all children, but by what Linux tells.
		EXPECT_EQ(wait_nohang(second, {.options = kinds}), waited{});
		linux_.stop(child, 19);
		EXPECT_EQ(wait(second, {.options = kinds}).what, CORE_WUNTRACED);
		return scenario{{[&linux_, second] { linux_.exit(second); },
				 [p] { EXPECT_EQ(wait_and_collect(p).what, CORE_WUNTRACED); }}};
	});
}

// More than the watch has room for, while somebody looks.
TEST(InterleaveJobctl, TheWatchOverflows)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		std::vector<task_struct *> children;
		for (int i = 0; i < 5; i++)
			children.push_back(linux_.fork(p));
		EXPECT_EQ(wait_nohang(p, {.options = kinds}), waited{});
		return scenario{{[&linux_, children] {
					 for (task_struct *child : children)
						 linux_.stop(child, 19);
				 },
				 [p] {
					 for (int i = 0; i < 5; i++)
						 EXPECT_EQ(wait_and_collect(p).what,
							   CORE_WUNTRACED);
					 EXPECT_EQ(wait_nohang(p, {.options = kinds}), waited{});
				 }}};
	});
}

// An orphan comes with its stop while its new parent looks for stops.
TEST(InterleaveJobctl, AnOrphanThatHasStopped)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		linux_.set_subreaper(p);
		task_struct *middle = linux_.fork(p), *child = linux_.fork(middle);
		EXPECT_EQ(wait_nohang(p, {.options = kinds}), waited{});
		linux_.stop(child, 19);
		return scenario{{[&linux_, middle] { linux_.exit(middle, 1 << 8); },
				 [p] {
					 // Linux wakes it for the end; the stop is there by then.
					 EXPECT_EQ(wait_and_collect(p, CORE_WEXITED).xstat, 1 << 8);
					 EXPECT_EQ(wait_nohang(p, {.options = kinds}).what,
						   CORE_WUNTRACED);
				 }}};
	});
}

// Two threads ask for stops for the first time; one of their watches is kept.
TEST(InterleaveJobctl, TwoWatches)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		linux_.fork(p);
		const auto asks = [](task_struct *task) {
			return [task] {
				EXPECT_EQ(wait_nohang(task, {.options = kinds}), waited{});
			};
		};
		return scenario{{asks(p), asks(second)},
				[p] { EXPECT_EQ(p->signal->watches.size(), 1u); }};
	});
}

// The tracer lets go of a thread's end, and the parent has its own.
TEST(InterleaveJobctl, TracedEnd)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		task_struct *tracer = linux_.fork(linux_.init());
		const waited report{.pid = child->thread_pid->nr, .xstat = 3 << 8};
		linux_.attach(tracer, child);
		return scenario{{[&linux_, child] { linux_.exit(child, 3 << 8); },
				 [&linux_, tracer, child, report] {
					 EXPECT_EQ(wait(tracer, {.options = kinds}), report);
					 linux_.reap_traced(child);
				 },
				 [p, report] { EXPECT_EQ(wait_and_reap(p), report); }}};
	});
}

} // namespace
