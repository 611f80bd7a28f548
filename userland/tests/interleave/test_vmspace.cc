// SPDX-License-Identifier: GPL-2.0-only
// Those who share an address space come and go at once.
#include "explorer.hh"

using namespace sim;

namespace
{

task_struct *sharer(kernel &linux_, task_struct *maker)
{
	task_struct *task = linux_.copy_process(maker, {.vm = true});
	linux_.newtask(task);
	return task;
}

unsigned sharers(const task_struct *task)
{
	return look_at(task).proc.vmsharers;
}

bool is_last(const task_struct *task)
{
	return look_at(task).proc.flags & CORE_P_VMLAST;
}

// One is the last, and who looks sees nobody too many.
TEST(InterleaveVmspace, TwoLeaveAtOnce)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *other = sharer(linux_, p);
		return scenario{{exits(linux_, p), exits(linux_, other),
				 [p] { EXPECT_LE(sharers(p), 2u); }},
				[p, other] { EXPECT_EQ(is_last(p) + is_last(other), 1); }};
	});
}

// One goes by exec, and has a child share the new one, while another ends.
TEST(InterleaveVmspace, ExecBesideAnEnd)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *other = sharer(linux_, p);
		return scenario{{exits(linux_, p),
				 [&linux_, other] {
					 linux_.exec(other);
					 sharer(linux_, other);
				 }},
				[&linux_, p, other] {
					EXPECT_EQ(sharers(other), 2u);
					EXPECT_FALSE(is_last(other));
					linux_.exit(other);
					EXPECT_FALSE(is_last(other));
					EXPECT_EQ(sharers(p), 0u);
				}};
	});
}

// A third is born to one of two while the other ends.
TEST(InterleaveVmspace, BornBesideAnEnd)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *other = sharer(linux_, p);
		return scenario{{exits(linux_, p), [&linux_, other] { sharer(linux_, other); }},
				[p, other] {
					EXPECT_EQ(sharers(other), 2u);
					EXPECT_FALSE(is_last(p));
				}};
	});
}

// One that is unknown is found, and joins one who is alone and leaves.
TEST(InterleaveVmspace, FoundBesideAnEndOrAnExec)
{
	for (const bool execs : {false, true})
		explore([execs](world &w) {
			kernel &linux_ = w.linux_;
			task_struct *p = linux_.fork(linux_.init());
			memory_fault::fail_until_waits(1000);
			task_struct *unknown = sharer(linux_, p);
			memory_fault::fail_until_waits(0);
			const auto leaves = [&linux_, p, execs] {
				if (execs)
					linux_.exec(p);
				else
					linux_.exit(p);
			};
			return scenario{{leaves,
					 [&linux_] {
						 as looker(linux_.init());
						 core_settle();
					 }},
					[p, unknown, execs] {
						EXPECT_EQ(sharers(unknown), 1u);
						EXPECT_EQ(sharers(p), unsigned(execs));
					}};
		});
}

} // namespace
