// SPDX-License-Identifier: GPL-2.0-only
// kern_wait: whom it finds, and what it says when there is nobody.
#include "world.hh"

using namespace sim;

namespace
{

constexpr waited nothing_yet{};
const waited no_child{.error = 10};

class CoreWait : public CoreTest
{
protected:
	task_struct *p = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		p = linux_.fork(linux_.init());
	}

	static wait_for child(const task_struct *task) { return {CORE_P_PID, task->signal->tgid}; }
};

TEST_F(CoreWait, NoChildren)
{
	EXPECT_EQ(wait(p), no_child);
	EXPECT_EQ(wait_nohang(p), no_child);
	EXPECT_EQ(wait(p, {CORE_P_PID, linux_.init()->signal->tgid}), no_child);
	EXPECT_EQ(wait(p, {CORE_P_PID, p->signal->tgid}), no_child);
	EXPECT_EQ(wait(p, {CORE_P_PID, nullptr}), no_child);
	EXPECT_EQ(wait(p, {CORE_P_PGID, p->signal->pgid}), no_child);
}

TEST_F(CoreWait, LivingChild)
{
	task_struct *c = linux_.fork(p);
	EXPECT_EQ(wait_nohang(p), nothing_yet);
	EXPECT_EQ(wait_nohang(p, child(c)), nothing_yet);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, c->signal->pgid}), nothing_yet);
	// Only the parent's own.
	EXPECT_EQ(wait_nohang(linux_.init(), child(c)), no_child);
	task_struct *grandchild = linux_.fork(c);
	EXPECT_EQ(wait_nohang(p, child(grandchild)), no_child);
}

TEST_F(CoreWait, ByPid)
{
	task_struct *a = linux_.fork(p), *b = linux_.fork(p);
	linux_.exit(b, 2 << 8);
	EXPECT_EQ(wait_nohang(p, child(a)), nothing_yet);
	EXPECT_EQ(wait_and_reap(p, child(b)).xstat, 2 << 8);
	linux_.exit(a, 1 << 8);
	EXPECT_EQ(wait_and_reap(p, child(a)).xstat, 1 << 8);
}

TEST_F(CoreWait, ByTheNumberOfAThread)
{
	task_struct *c = linux_.fork(p);
	task_struct *thread = linux_.thread(c);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PID, thread->thread_pid}), no_child);
}

TEST_F(CoreWait, ByGroup)
{
	task_struct *a = linux_.fork(p), *b = linux_.fork(p);
	linux_.setpgid(b, b->signal->tgid);
	pid *mine = p->signal->pgid, *theirs = b->signal->tgid;
	linux_.exit(a, 1 << 8);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, theirs}), nothing_yet);
	linux_.exit(b, 2 << 8);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, theirs}).xstat, 2 << 8);
	EXPECT_EQ(wait_and_reap(p, {CORE_P_PGID, mine}).xstat, 1 << 8);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, mine}), no_child);
	EXPECT_EQ(wait_nohang(p).xstat, 2 << 8);
}

TEST_F(CoreWait, AGroupThatTheChildEntersOrLeaves)
{
	task_struct *c = linux_.fork(p);
	linux_.setsid(c);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, p->signal->pgid}), no_child);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, c->signal->tgid}), nothing_yet);
	linux_.setpgid(c, p->signal->pgid);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, p->signal->pgid}), nothing_yet);
	linux_.exit(c);
	EXPECT_NE(wait_nohang(p, {CORE_P_PGID, p->signal->pgid}).pid, 0);
}

TEST_F(CoreWait, InTheOrderOfDeath)
{
	task_struct *c[] = {linux_.fork(p), linux_.fork(p), linux_.fork(p)};
	for (const int i : {1, 2, 0})
		linux_.exit(c[i], i << 8);
	for (const int i : {1, 2, 0})
		EXPECT_EQ(wait_and_reap(p).xstat, i << 8);
	EXPECT_EQ(wait(p), no_child);
}

TEST_F(CoreWait, CloneChildren)
{
	task_struct *normal = linux_.fork(p), *clone = linux_.fork(p, 0);
	EXPECT_EQ(wait_nohang(p), nothing_yet);
	EXPECT_EQ(wait_nohang(p, {.linuxclone = true}), nothing_yet);
	linux_.exit(clone, 1 << 8);
	EXPECT_EQ(wait_nohang(p), nothing_yet);
	EXPECT_EQ(wait_nohang(p, child(clone)), no_child);
	EXPECT_EQ(wait_and_reap(p, {.linuxclone = true}).xstat, 1 << 8);
	EXPECT_EQ(wait_nohang(p, {.linuxclone = true}), no_child);
	linux_.exit(normal, 2 << 8);
	EXPECT_EQ(wait_nohang(p, {.linuxclone = true}), no_child);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PID, normal->signal->tgid, false, true}), no_child);
	EXPECT_EQ(wait_and_reap(p).xstat, 2 << 8);
}

TEST_F(CoreWait, OnlyCloneChildren)
{
	linux_.fork(p, 10);
	EXPECT_EQ(wait_nohang(p), no_child);
	EXPECT_EQ(wait_nohang(p, {.linuxclone = true}), nothing_yet);
}

TEST_F(CoreWait, AnyThreadsChildren)
{
	task_struct *thread = linux_.thread(p);
	task_struct *c = linux_.fork(thread);
	const int nr = c->thread_pid->nr;
	EXPECT_EQ(wait_nohang(p), nothing_yet);
	linux_.exit(c, 4 << 8);
	EXPECT_EQ(wait(p), (waited{0, nr, 4 << 8, true}));
}

TEST_F(CoreWait, Traced)
{
	task_struct *tracer = linux_.fork(linux_.init());
	task_struct *c = linux_.fork(p);
	linux_.attach(tracer, c);
	linux_.exit(c, 6 << 8);
	// The tracer has the first word.
	EXPECT_EQ(wait_nohang(p), nothing_yet);
	EXPECT_TRUE(linux_.reap_traced(c));
	EXPECT_EQ(wait_and_reap(p).xstat, 6 << 8);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreWait, TracedByItsParent)
{
	task_struct *c = linux_.fork(p);
	linux_.attach(p, c);
	linux_.exit(c, 6 << 8);
	EXPECT_EQ(wait_nohang(p).xstat, 6 << 8);
}

TEST_F(CoreWait, TracedThreadHoldsItsProcess)
{
	task_struct *tracer = linux_.fork(linux_.init());
	task_struct *c = linux_.fork(p);
	task_struct *thread = linux_.thread(c);
	linux_.attach(tracer, thread);
	linux_.exit(thread);
	linux_.exit(c, 6 << 8);
	// A zombie thread is left until its tracer has seen it.
	EXPECT_EQ(wait_nohang(p), nothing_yet);
	linux_.reap_traced(thread);
	EXPECT_EQ(wait_and_reap(p).xstat, 6 << 8);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreWait, ReapedNativelyBefore)
{
	task_struct *a = linux_.fork(p), *b = linux_.fork(p);
	linux_.exit(a);
	linux_.exit(b, 1 << 8);
	EXPECT_EQ(linux_.reap(p, a), 0);
	EXPECT_EQ(wait(p).xstat, 1 << 8);
	linux_.reap(p, b);
	EXPECT_EQ(wait(p), no_child);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreWait, BeingReapedNatively)
{
	task_struct *c = linux_.fork(p);
	linux_.exit(c);
	linux_.reap_begin(p, c);
	EXPECT_EQ(wait(p), no_child);
	EXPECT_EQ(look_at(p).proc.nchildren, 0u);
	linux_.reap_end(c);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreWait, OfAStrangerWithoutMemory)
{
	linux_.probes.fresh = false;
	task_struct *stranger = linux_.fork(p);
	linux_.probes.fresh = true;
	memory_fault::fail_until_waits(1000);
	EXPECT_EQ(wait(stranger).error, 12);
	EXPECT_EQ(lwp_tid(stranger), -12);
	// A call may sleep, so memory that is short for a while only makes it wait.
	memory_fault::fail_until_waits(3);
	EXPECT_EQ(wait(stranger), no_child);
	EXPECT_EQ(lwp_tid(stranger), 1);
	wait_end(stranger);
	EXPECT_MODEL_EQUALS_LINUX();
}

} // namespace
