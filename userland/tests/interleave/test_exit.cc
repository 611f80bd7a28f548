// SPDX-License-Identifier: GPL-2.0-only
// Ends of threads and processes beside each other, and beside those who look.
#include "explorer.hh"

using namespace sim;

namespace
{

// The status counts once, whoever of them was the last.
TEST(InterleaveExit, ThreadsAtOnce)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		task_struct *second = linux_.thread(p), *third = linux_.thread(p);
		return scenario{{exits(linux_, p, 1 << 8), exits(linux_, second, 2 << 8),
				 exits(linux_, third, 3 << 8)},
				[p] { EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB)); }};
	});
}

// Who is seen as a zombie has nobody left, the thread that made it one included.
TEST(InterleaveExit, ZombiesHaveNoThreads)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		return scenario{{exits(linux_, p, 1 << 8), exits(linux_, second, 2 << 8), [p] {
					 const view v = look_at(p);
					 EXPECT_TRUE(v.proc.stat != unsigned(CORE_SZOMB) ||
						     !v.proc.nthreads);
				 }}};
	});
}

// Each asks for its own end; the process ends with one of them, by one verdict.
TEST(InterleaveExit, ExtexitsAtOnce)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		task_struct *second = linux_.thread(p);
		auto verdicts = std::make_shared<std::vector<int>>();
		const auto ends = [&linux_, verdicts](task_struct *task, int code) {
			return [&linux_, verdicts, task, code] {
				const int verdict = extexit(task, CORE_WHO_LWP);
				verdicts->push_back(verdict);
				if (verdict == CORE_VERDICT_PROC)
					linux_.group_exit(task, code);
				linux_.exit(task, code);
			};
		};
		return scenario{{ends(p, 1 << 8), ends(second, 2 << 8)}, [p, verdicts] {
					EXPECT_EQ(std::count(verdicts->begin(), verdicts->end(),
							     CORE_VERDICT_PROC),
						  1);
					EXPECT_EQ(look_at(p).proc.stat, unsigned(CORE_SZOMB));
				}};
	});
}

// A child ends while its parent does, and somebody looks, which moves it.
TEST(InterleaveExit, ChildAndParentAndOneWhoLooks)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *p = linux_.fork(reaper), *child = linux_.fork(p);
		return scenario{{exits(linux_, child, 1 << 8), exits(linux_, p, 2 << 8), [&linux_] {
					 as looker(linux_.init());
					 core_settle();
				 }}};
	});
}

// A reaped process's child goes to the reaper, which ends meanwhile.
TEST(InterleaveExit, ReaperEndsWhileItIsGivenAChild)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *p = linux_.fork(reaper);
		linux_.fork(p);
		linux_.exit(p);
		linux_.reap(reaper, p);
		return scenario{{freed(linux_, p), exits(linux_, reaper), [&linux_] {
					 as looker(linux_.init());
					 core_settle();
				 }}};
	});
}

// The same where the reaper has been in limbo for longer, and is taken out of it as soon as
// it has ended.
TEST(InterleaveExit, ReaperLeavesLimboWhileItIsGivenAChild)
{
	const auto make = [](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *last = linux_.thread(reaper);
		task_struct *middle = linux_.fork(reaper), *p = linux_.fork(middle);
		linux_.fork(p);
		linux_.exit(reaper);
		linux_.exit(p);
		linux_.reap(middle, p);
		return scenario{{freed(linux_, p), exits(linux_, last), [&linux_] {
					 as looker(linux_.init());
					 core_settle();
				 }}};
	};
	// All are 118000, which take as long as all other scenarios together. Without limbo's
	// lock it is about the 21600th that fails.
	explore(make, {.preemptions = 2, .most = 40000, .partial = true});
}

// The reaper's last thread was missed, so the orphan has been nobody's; the thread is found
// and given the orphan while it ends, without ever having had a child.
TEST(InterleaveExit, ReaperIsFoundAndGivenAChildWhileItEnds)
{
	const auto make = [](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *p = linux_.fork(reaper);
		linux_.fork(p);
		memory_fault::fail_until_waits(1000);
		task_struct *missed = linux_.thread(reaper);
		linux_.exit(reaper);
		linux_.exit(p);
		linux_.reap(missed, p);
		linux_.free(p);
		const auto settle = [&linux_] {
			as looker(linux_.init());
			core_settle();
		};
		settle(); // the reaper leaves limbo
		memory_fault::fail_until_waits(0);
		return scenario{{exits(linux_, missed), settle}};
	};
	explore(make, {.preemptions = 2});
}

// A child is born by CLONE_PARENT while the parent-to-be dies.
TEST(InterleaveExit, SiblingBornToADyingParent)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *p = linux_.fork(reaper), *maker = linux_.fork(p);
		return scenario{{exits(linux_, p),
				 [&linux_, maker] {
					 linux_.newtask(
						 linux_.copy_process(maker, {.parent = true}));
				 },
				 [&linux_] {
					 as looker(linux_.init());
					 core_settle();
				 }}};
	});
}

// The children of two dying threads, taken over by each other and then by the reaper.
TEST(InterleaveExit, ThreadsWithChildrenAndTheirReaper)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *reaper = linux_.fork(linux_.init());
		linux_.set_subreaper(reaper);
		task_struct *p = linux_.fork(reaper), *second = linux_.thread(p);
		linux_.fork(p);
		task_struct *zombie = linux_.fork(second);
		const int nr = zombie->thread_pid->nr;
		linux_.exit(zombie, 7 << 8);
		return scenario{{exits(linux_, p), exits(linux_, second), [reaper, nr] {
					 // Its first child to end is p, or the zombie.
					 const waited w = wait(reaper);
					 EXPECT_TRUE(w.pid == nr ? w.xstat == 7 << 8 : w.pid);
					 wait_end(reaper);
				 }}};
	});
}

// Killed by exec: the leader's task goes, its number is the other thread's.
TEST(InterleaveExit, ExecByAnotherThread)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		pid *number = p->signal->tgid;
		linux_.exec_begin(second);
		return scenario{{exits(linux_, p),
				 [&linux_, p, second] {
					 when([p] { return p->stage == stage::notified; });
					 linux_.de_thread(second);
					 linux_.exec_event(second);
				 },
				 [&linux_, number] {
					 const view v = look_at(number);
					 EXPECT_EQ(v.error, 0);
					 EXPECT_EQ(v.proc.stat, unsigned(CORE_SACTIVE));
					 for (const core_klwp &l : v.lwps)
						 EXPECT_GT(l.tid, 0);
					 as looker(linux_.init());
					 int pids[2] = {};
					 EXPECT_EQ(core_list(pids, 2), 2u);
					 EXPECT_EQ(pids[1], number->nr);
				 },
				 [&linux_, p] {
					 when([&linux_, p] { return linux_.may_free(p); });
					 linux_.free(p);
					 grace_period();
				 }}};
	});
}

// Nobody knows them, and Linux has both for the last: the process is accounted for once.
TEST(InterleaveExit, UnknownThreadsAtOnceAreAccountedForOnce)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		acct_read(true);
		memory_fault::fail_until_waits(1000);
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		return scenario{{exits(linux_, p, 1 << 8), exits(linux_, second, 2 << 8)}, [] {
					EXPECT_EQ(accounts().size(), 1u);
					memory_fault::fail_until_waits(0);
					acct_read(false);
				}};
	});
}

} // namespace
