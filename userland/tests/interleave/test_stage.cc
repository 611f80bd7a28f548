// SPDX-License-Identifier: GPL-2.0-only
// Hooks for the ends of lwps: the pipeline begins when the last of them is done, and ends
// with none of them ahead.
#include "../../../include/bsdproc_exit_stage.h"
#include "explorer.hh"

using namespace sim;

namespace
{

unsigned inside, lwps, begun, ended;
bool removed;

void lwp_hook(task_struct *)
{
	EXPECT_FALSE(removed);
	EXPECT_EQ(ended, 0u);
	inside++;
	turns_here->point();
	inside--;
	lwps++;
}

void begins(task_struct *td)
{
	EXPECT_EQ(inside, 0u);
	EXPECT_EQ(lwps, 2u);
	EXPECT_EQ(look_at(td).proc.nthreads, 1u);
	begun++;
}

void ends(task_struct *)
{
	EXPECT_EQ(inside, 0u);
	EXPECT_EQ(lwps, 3u);
	ended++;
}

void begin()
{
	inside = lwps = begun = ended = 0;
	removed = false;
}

TEST(InterleaveStage, ThePipelineWaitsForTheOthers)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		begin();
		task_struct *p = linux_.fork(linux_.init());
		task_struct *second = linux_.thread(p), *third = linux_.thread(p);
		EXPECT_EQ(at_exit_stage(EXIT_VKERNEL_LWP_EXIT, lwp_hook), 0);
		EXPECT_EQ(at_exit_stage(EXIT_CAPS_EXIT, begins), 0);
		EXPECT_EQ(at_exit_stage(EXIT_VKERNEL_EXIT, ends), 0);
		return scenario{
			{exits(linux_, p, 1 << 8), exits(linux_, second), exits(linux_, third)},
			[p] {
				EXPECT_EQ(begun, 1u);
				EXPECT_EQ(ended, 1u);
				EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
				EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, lwp_hook), 1);
				EXPECT_EQ(rm_at_exit_stage(EXIT_CAPS_EXIT, begins), 1);
				EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_EXIT, ends), 1);
				EXPECT_EQ(other_memory_live(), 0u);
			}};
	});
}

// The hook comes and goes while threads end; whoever has seen it is waited for.
TEST(InterleaveStage, AHookComesAndGoes)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		begin();
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		task_struct *module = linux_.fork(linux_.init());
		return scenario{
			{exits(linux_, p), exits(linux_, second),
			 [module] {
				 as caller(module);
				 EXPECT_EQ(at_exit_stage(EXIT_VKERNEL_LWP_EXIT, lwp_hook), 0);
				 EXPECT_EQ(rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, lwp_hook), 1);
				 EXPECT_EQ(inside, 0u);
				 removed = true;
			 }},
			[p] {
				EXPECT_LE(lwps, 2u);
				EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
				EXPECT_EQ(look_at(p).proc.nthreads, 0u);
				EXPECT_EQ(other_memory_live(), 0u);
			}};
	});
}

} // namespace
