// SPDX-License-Identifier: GPL-2.0-only
// extexit: the verdicts, and when SETINT stores.
#include "world.hh"

using namespace sim;

namespace
{

class CoreExtexit : public CoreTest
{
protected:
	task_struct *parent = nullptr, *p = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		parent = linux_.fork(linux_.init());
		p = linux_.fork(parent);
	}

	// What the library does with the verdict.
	void obey(task_struct *task, int verdict, int status)
	{
		if (verdict == CORE_VERDICT_PROC)
			linux_.group_exit(task, status);
		linux_.exit_begin(task, verdict == CORE_VERDICT_PROC ? status : 0);
	}
};

TEST_F(CoreExtexit, SingleThread)
{
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_PROC);
	EXPECT_EQ(look_at(p).proc.flags, CORE_P_WEXIT);
	// Once more, should the library come back.
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_LWP);
	linux_.exit(p, 3 << 8);
	EXPECT_EQ(wait_and_reap(parent).xstat, 3 << 8);
}

TEST_F(CoreExtexit, LwpWithOthersThenTheLast)
{
	task_struct *second = linux_.thread(p), *third = linux_.thread(p);
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_LWP);
	EXPECT_EQ(look_at(p).proc.flags, 0u);
	EXPECT_EQ(look_at(p).lwps[1].flags, CORE_LWP_WEXIT);
	EXPECT_EQ(look_at(p).proc.nthreads, 3u);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_LWP);
	// The others have not even begun to die.
	EXPECT_EQ(extexit(third, CORE_WHO_LWP), CORE_VERDICT_PROC);
	obey(third, CORE_VERDICT_PROC, 9 << 8);
	for (task_struct *task : {p, second, third})
		linux_.exit(task);
	EXPECT_EQ(wait_and_reap(parent).xstat, 9 << 8);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExtexit, OneHasItsVerdictAndAnotherIsInItsNativeExit)
{
	task_struct *second = linux_.thread(p), *third = linux_.thread(p);
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_LWP);
	linux_.exit_begin(third);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

TEST_F(CoreExtexit, ThreadsThatEndedOtherwiseAreNotCounted)
{
	task_struct *second = linux_.thread(p);
	linux_.exit(second);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

TEST_F(CoreExtexit, AThreadThatIsBornMeanwhileCounts)
{
	task_struct *second = linux_.thread(p);
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_LWP);
	task_struct *third = linux_.thread(p);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_LWP);
	EXPECT_EQ(extexit(third, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

TEST_F(CoreExtexit, Proc)
{
	task_struct *second = linux_.thread(p);
	EXPECT_EQ(extexit(p, CORE_WHO_PROC), CORE_VERDICT_PROC);
	EXPECT_EQ(look_at(p).proc.flags, CORE_P_WEXIT);
	for (const core_klwp &lwp : look_at(p).lwps)
		EXPECT_TRUE(lwp.flags & CORE_LWP_WEXIT);
	EXPECT_EQ(extexit(second, CORE_WHO_PROC), CORE_VERDICT_LWP);
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_LWP);
}

TEST_F(CoreExtexit, ThreadsOnTheirWayOutAreNotCounted)
{
	task_struct *second = linux_.thread(p);
	linux_.exit_begin(second);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

TEST_F(CoreExtexit, ThreadsThatRunNoUserCodeAreNotCounted)
{
	task_struct *worker = linux_.copy_process(p, {.thread = true, .worker = true});
	linux_.newtask(worker);
	EXPECT_MODEL_EQUALS_LINUX();
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_PROC);
	linux_.exit_process(p, 2 << 8);
	EXPECT_EQ(wait_and_reap(parent).xstat, 2 << 8);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExtexit, ExecForgetsAVerdict)
{
	task_struct *second = linux_.thread(p);
	EXPECT_EQ(extexit(p, CORE_WHO_LWP), CORE_VERDICT_LWP);
	linux_.exec(second);
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_PROC);
	linux_.exec(second);
	EXPECT_EQ(look_at(second).proc.flags, CORE_P_EXEC);
	EXPECT_EQ(extexit(second, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

// Whatever three threads ask for, in whatever order, with their exits in
// between or after: one PROC verdict, and its status is the process's.
TEST_F(CoreExtexit, OneVerdictEndsTheProcess)
{
	for (unsigned asked = 0; asked < 8; asked++)
		for_each_order({2, 2, 2}, [&](const std::vector<unsigned> &order) {
			task_struct *process = linux_.fork(parent);
			task_struct *threads[] = {process, linux_.thread(process),
						  linux_.thread(process)};
			bool has_asked[3] = {};
			int ends = 0, status = 0;
			for (const unsigned who : order) {
				task_struct *task = threads[who];
				if (has_asked[who]) {
					linux_.exit(task);
					continue;
				}
				has_asked[who] = true;
				const int mine = int(10 + who) << 8;
				const int verdict = extexit(task, asked >> who & 1 ? CORE_WHO_PROC
										   : CORE_WHO_LWP);
				ends += verdict == CORE_VERDICT_PROC;
				if (verdict == CORE_VERDICT_PROC)
					status = mine;
				obey(task, verdict, mine);
			}
			EXPECT_EQ(ends, 1);
			EXPECT_EQ(wait_and_reap(parent).xstat, status);
		});
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreExtexit, SetintOfAThreadWhenItCanRunNoMore)
{
	task_struct *second = linux_.thread(p);
	int there = -1;
	EXPECT_EQ(extexit(second, CORE_WHO_LWP, setint_make(&there, 5)), CORE_VERDICT_LWP);
	EXPECT_EQ(there, -1);
	obey(second, CORE_VERDICT_LWP, 0);
	linux_.exit_event(second);
	EXPECT_EQ(there, -1);
	linux_.exit_work(second);
	EXPECT_EQ(there, 5);
	EXPECT_EQ(setint_live(), 0u);
}

TEST_F(CoreExtexit, SetintOfAProcessAtOnce)
{
	int there = -1;
	EXPECT_EQ(extexit(p, CORE_WHO_PROC, setint_make(&there, 5)), CORE_VERDICT_PROC);
	EXPECT_EQ(there, 5);
	EXPECT_EQ(setint_live(), 0u);
}

TEST_F(CoreExtexit, SetintOfALoser)
{
	task_struct *second = linux_.thread(p);
	int there = -1, elsewhere = -1;
	EXPECT_EQ(extexit(p, CORE_WHO_PROC), CORE_VERDICT_PROC);
	EXPECT_EQ(extexit(second, CORE_WHO_PROC, setint_make(&there, 5)), CORE_VERDICT_LWP);
	EXPECT_EQ(there, -1);
	// The last one asked for counts.
	EXPECT_EQ(extexit(second, CORE_WHO_LWP, setint_make(&elsewhere, 6)), CORE_VERDICT_LWP);
	EXPECT_EQ(setint_live(), 1u);
	linux_.exit(second);
	EXPECT_EQ(there, -1);
	EXPECT_EQ(elsewhere, 6);
}

TEST_F(CoreExtexit, SetintWithTheLeaderLongGone)
{
	task_struct *second = linux_.thread(p), *third = linux_.thread(p);
	int there = -1;
	linux_.exit(p);
	linux_.idle_a_while();
	EXPECT_EQ(extexit(second, CORE_WHO_LWP, setint_make(&there, 7)), CORE_VERDICT_LWP);
	linux_.exit(second);
	EXPECT_EQ(there, 7);
	EXPECT_EQ(extexit(third, CORE_WHO_LWP), CORE_VERDICT_PROC);
}

TEST_F(CoreExtexit, SetintWhoseExitTheModuleDoesNotHear)
{
	task_struct *second = linux_.thread(p);
	int there = -1;
	EXPECT_EQ(extexit(second, CORE_WHO_LWP, setint_make(&there, 7)), CORE_VERDICT_LWP);
	linux_.probes.exit = false;
	linux_.exit(second);
	grace_period();
	linux_.free(second);
	EXPECT_EQ(setint_live(), 0u);
	EXPECT_EQ(there, -1);
	EXPECT_EQ(look_at(p).proc.nthreads, 1u);
}

TEST_F(CoreExtexit, SetintWhenTheModuleGoes)
{
	task_struct *second = linux_.thread(p);
	int there = -1;
	EXPECT_EQ(extexit(second, CORE_WHO_LWP, setint_make(&there, 7)), CORE_VERDICT_LWP);
	unload();
	EXPECT_EQ(there, -1);
}

TEST_F(CoreExtexit, WithoutMemoryNothingHasHappened)
{
	linux_.probes.fresh = false;
	task_struct *stranger = linux_.fork(parent);
	linux_.probes.fresh = true;
	int there = -1;
	memory_fault::fail_until_waits(1000);
	EXPECT_EQ(extexit(stranger, CORE_WHO_LWP, setint_make(&there, 7)), -12);
	memory_fault::fail_until_waits(3);
	EXPECT_EQ(extexit(stranger, CORE_WHO_LWP, setint_make(&there, 7)), CORE_VERDICT_PROC);
	EXPECT_EQ(there, 7);
}

} // namespace
