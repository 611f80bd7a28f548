// SPDX-License-Identifier: GPL-2.0-only
// Stops, continues and traps: to whom they are reported, how often, and at what cost.
#include "world.hh"

using namespace sim;

namespace
{

constexpr waited nothing_yet{};
const waited no_child{.error = 10};
constexpr int sigstop = 19, sigtrap = 5;
constexpr unsigned all_kinds = CORE_WEXITED | CORE_WUNTRACED | CORE_WCONTINUED | CORE_WTRAPPED;

waited stopped(const task_struct *task, int signal = sigstop)
{
	return {.pid = task->thread_pid->nr, .xstat = signal << 8 | 0x7f, .what = CORE_WUNTRACED};
}

waited trapped(const task_struct *task, int code = sigtrap)
{
	return {.pid = task->thread_pid->nr, .xstat = code << 8 | 0x7f, .what = CORE_WTRAPPED};
}

waited continued(const task_struct *task)
{
	return {.pid = task->thread_pid->nr, .xstat = 18, .what = CORE_WCONTINUED};
}

waited ended(const task_struct *task, int code)
{
	return {.pid = task->thread_pid->nr, .xstat = code << 8};
}

class CoreJobctl : public CoreTest
{
protected:
	task_struct *p = nullptr;

	void SetUp() override
	{
		CoreTest::SetUp();
		p = linux_.fork(linux_.init());
	}

	static waited stops(task_struct *task)
	{
		return wait_nohang(task, {.options = CORE_WUNTRACED});
	}
	static waited any(task_struct *task) { return wait_nohang(task, {.options = all_kinds}); }

	// The host's functions that one wait calls are fewer than that.
	static bool is_short(task_struct *task, const wait_for &what, unsigned calls = 60)
	{
		const intruder counter(intruder::where::anywhere, calls, [] {});
		EXPECT_EQ(wait_nohang(task, what), nothing_yet);
		return !counter.came();
	}
};

TEST_F(CoreJobctl, AStopIsReportedUntilItIsCollected)
{
	task_struct *c = linux_.fork(p);
	EXPECT_EQ(stops(p), nothing_yet);
	linux_.stop(c, sigstop);
	EXPECT_EQ(stops(p), stopped(c));
	// Found is not collected: another wait may do that.
	EXPECT_EQ(stops(p), stopped(c));
	linux_.collect(c, CORE_WUNTRACED);
	EXPECT_EQ(stops(p), nothing_yet);
	linux_.cont(c);
	EXPECT_EQ(stops(p), nothing_yet);
	EXPECT_EQ(any(p), continued(c));
	linux_.collect(c, CORE_WCONTINUED);
	EXPECT_EQ(any(p), nothing_yet);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreJobctl, OnlyWhatIsAskedFor)
{
	task_struct *c = linux_.fork(p);
	linux_.stop(c, sigstop);
	for (const unsigned options : {0u + CORE_WEXITED, 0u + CORE_WCONTINUED, 0u + CORE_WTRAPPED})
		EXPECT_EQ(wait_nohang(p, {.options = options}), nothing_yet) << options;
	EXPECT_EQ(stops(p), stopped(c));
	linux_.cont(c);
	for (const unsigned options : {0u + CORE_WEXITED, 0u + CORE_WUNTRACED, 0u + CORE_WTRAPPED})
		EXPECT_EQ(wait_nohang(p, {.options = options}), nothing_yet) << options;
	EXPECT_EQ(any(p), continued(c));
}

// Who waits for stops alone does not wait for a zombie.
TEST_F(CoreJobctl, AZombieThatIsNotAskedFor)
{
	task_struct *c = linux_.fork(p);
	linux_.exit(c, 3 << 8);
	EXPECT_EQ(wait(p, {.options = CORE_WUNTRACED}), no_child);
	EXPECT_EQ(wait(p, {.idtype = CORE_P_PID, .id = c->signal->tgid, .options = CORE_WUNTRACED}),
		  no_child);
	EXPECT_EQ(any(p), ended(c, 3));
}

TEST_F(CoreJobctl, EndsGoBeforeStops)
{
	task_struct *a = linux_.fork(p), *b = linux_.fork(p);
	linux_.stop(a, sigstop);
	linux_.exit(b, 1 << 8);
	EXPECT_EQ(any(p), ended(b, 1));
	linux_.reap(p, b);
	EXPECT_EQ(any(p), stopped(a));
	// What has stopped and been killed has only ended.
	linux_.exit(a, 2 << 8);
	EXPECT_EQ(any(p), ended(a, 2));
}

TEST_F(CoreJobctl, EachKindOfId)
{
	task_struct *a = linux_.fork(p), *b = linux_.fork(p);
	linux_.setsid(b);
	b->euid = 7;
	b->egid = 8;
	linux_.stop(b, sigstop);
	const auto ask = [this](core_idtype type, pid *id, unsigned user = 0) {
		return wait_nohang(
			p, {.idtype = type, .id = id, .options = CORE_WUNTRACED, .user = user});
	};
	EXPECT_EQ(ask(CORE_P_PID, b->signal->tgid), stopped(b));
	EXPECT_EQ(ask(CORE_P_PID, a->signal->tgid), nothing_yet);
	EXPECT_EQ(ask(CORE_P_PGID, b->signal->pgid), stopped(b));
	EXPECT_EQ(ask(CORE_P_PGID, a->signal->pgid), nothing_yet);
	EXPECT_EQ(ask(CORE_P_SID, b->signal->sid), stopped(b));
	EXPECT_EQ(ask(CORE_P_SID, a->signal->sid), nothing_yet);
	EXPECT_EQ(ask(CORE_P_UID, nullptr, 7), stopped(b));
	EXPECT_EQ(ask(CORE_P_UID, nullptr, 0), nothing_yet);
	EXPECT_EQ(ask(CORE_P_UID, nullptr, 8), no_child);
	EXPECT_EQ(ask(CORE_P_GID, nullptr, 8), stopped(b));
	EXPECT_EQ(ask(CORE_P_GID, nullptr, 0), nothing_yet);
	EXPECT_EQ(ask(CORE_P_GID, nullptr, 7), no_child);
	EXPECT_EQ(ask(CORE_P_PGID, p->signal->tgid), no_child);
	EXPECT_EQ(ask(CORE_P_SID, p->signal->tgid), no_child);
}

TEST_F(CoreJobctl, EndsByTheNewIds)
{
	task_struct *c = linux_.fork(p);
	linux_.setsid(c);
	c->euid = 7;
	linux_.exit(c, 5 << 8);
	EXPECT_EQ(wait_nohang(p, {.idtype = CORE_P_UID, .id = nullptr, .user = 8}), no_child);
	EXPECT_EQ(wait_nohang(p, {.idtype = CORE_P_UID, .id = nullptr, .user = 7}), ended(c, 5));
	EXPECT_EQ(wait_and_reap(p, {CORE_P_SID, c->signal->sid}), ended(c, 5));
}

TEST_F(CoreJobctl, CloneChildrenByKind)
{
	task_struct *clone = linux_.fork(p, 0);
	linux_.stop(clone, sigstop);
	EXPECT_EQ(stops(p), no_child);
	EXPECT_EQ(wait_nohang(p, {.linuxclone = true, .options = CORE_WUNTRACED}), stopped(clone));
	EXPECT_EQ(wait_nohang(p, {.options = CORE_WUNTRACED | CORE_WALL}), stopped(clone));
	linux_.exit(clone, 1 << 8);
	EXPECT_EQ(wait_nohang(p, {.options = CORE_WEXITED | CORE_WALL}), ended(clone, 1));
}

TEST_F(CoreJobctl, NowaitClaimsNothing)
{
	task_struct *second = linux_.thread(p), *c = linux_.fork(p);
	linux_.exit(c, 3 << 8);
	const wait_for look{.options = CORE_WEXITED | CORE_WNOWAIT};
	EXPECT_EQ(wait(p, look), ended(c, 3));
	EXPECT_EQ(wait(second, look), ended(c, 3));
	waited claimed = ended(c, 3);
	claimed.shared = true;
	EXPECT_EQ(wait(second), claimed);
	// A claimed one is somebody to wait for, but nothing to be seen.
	EXPECT_EQ(wait_nohang(p, look), nothing_yet);
	linux_.reap(second, c);
	wait_end(second);
	EXPECT_EQ(wait(p, look), no_child);
}

// ---- tracing ----------------------------------------------------------------------

TEST_F(CoreJobctl, ATracerHasNoChildrenAndYetWaits)
{
	task_struct *c = linux_.fork(p), *tracer = linux_.fork(linux_.init());
	EXPECT_EQ(wait(tracer), no_child);
	linux_.attach(tracer, c);
	EXPECT_EQ(wait_nohang(tracer), nothing_yet);
	EXPECT_EQ(wait_nohang(tracer, {CORE_P_PID, c->signal->tgid}), nothing_yet);
	EXPECT_EQ(wait_nohang(tracer, {CORE_P_PGID, c->signal->pgid}), nothing_yet);
	EXPECT_EQ(wait_nohang(tracer, {.idtype = CORE_P_UID, .id = nullptr, .user = 1}), no_child);
	linux_.trap(c, sigtrap);
	// By which kinds: a stop that is asked for is one for the tracer as well.
	EXPECT_EQ(wait_nohang(tracer), nothing_yet);
	EXPECT_EQ(wait_nohang(tracer, {.options = CORE_WTRAPPED}), trapped(c));
	EXPECT_EQ(stops(tracer), trapped(c));
	EXPECT_EQ(wait_nohang(
			  tracer,
			  {.idtype = CORE_P_PID, .id = c->signal->tgid, .options = CORE_WTRAPPED}),
		  trapped(c));
	// It is not the parent's.
	EXPECT_EQ(any(p), nothing_yet);
	linux_.collect(c, CORE_WTRAPPED);
	EXPECT_EQ(any(tracer), nothing_yet);
	linux_.detach(c);
	linux_.resume(c);
	EXPECT_EQ(any(tracer), no_child);
}

TEST_F(CoreJobctl, SingleThreadsTrap)
{
	task_struct *c = linux_.fork(p), *thread = linux_.thread(c);
	linux_.attach(p, thread);
	EXPECT_EQ(any(p), nothing_yet);
	linux_.trap(thread, sigtrap | 6 << 8);
	EXPECT_EQ(any(p), trapped(thread, sigtrap | 6 << 8));
	EXPECT_EQ(wait_nohang(p, {.idtype = CORE_P_PID,
				  .id = thread->thread_pid,
				  .options = CORE_WTRAPPED}),
		  trapped(thread, sigtrap | 6 << 8));
	EXPECT_EQ(wait_nohang(
			  p, {.idtype = CORE_P_PID, .id = c->thread_pid, .options = CORE_WTRAPPED}),
		  nothing_yet);
	linux_.resume(thread);
	linux_.exit(thread, 4 << 8);
	// A zombie until its tracer has seen it.
	EXPECT_EQ(any(p), ended(thread, 4));
	linux_.reap_traced(thread);
	EXPECT_EQ(any(p), nothing_yet);
	EXPECT_MODEL_EQUALS_LINUX();
}

TEST_F(CoreJobctl, TheTracersIsTheFirstWord)
{
	task_struct *c = linux_.fork(p), *tracer = linux_.fork(linux_.init());
	linux_.attach(tracer, c);
	EXPECT_EQ(any(tracer), nothing_yet); // its watch is there before
	linux_.exit(c, 6 << 8);
	EXPECT_EQ(any(p), nothing_yet);
	EXPECT_EQ(wait(tracer), ended(c, 6));
	// No claim: what is not the tracer's child is whoever's who reaps it first.
	EXPECT_EQ(wait(tracer), ended(c, 6));
	EXPECT_TRUE(linux_.reap_traced(c));
	EXPECT_EQ(any(tracer), no_child);
	EXPECT_EQ(wait_and_reap(p), ended(c, 6));
}

// Nor does a tracer wait for an end that it does not ask for.
TEST_F(CoreJobctl, ATraceesEndThatIsNotAskedFor)
{
	task_struct *c = linux_.fork(p), *tracer = linux_.fork(linux_.init());
	linux_.attach(tracer, c);
	linux_.exit(c, 6 << 8);
	EXPECT_EQ(stops(tracer), no_child);
	EXPECT_EQ(wait_nohang(
			  tracer,
			  {.idtype = CORE_P_PID, .id = c->signal->tgid, .options = CORE_WUNTRACED}),
		  no_child);
	EXPECT_EQ(any(tracer), ended(c, 6));
}

// The parent that traces its own child is its tracer.
TEST_F(CoreJobctl, TracedByItsParent)
{
	task_struct *c = linux_.fork(p, 10);
	linux_.attach(p, c);
	linux_.trap(c, sigtrap);
	// Whatever its exit signal.
	EXPECT_EQ(wait_nohang(p, {.options = CORE_WEXITED | CORE_WTRAPPED}), trapped(c));
	linux_.resume(c);
	linux_.exit(c, 1 << 8);
	EXPECT_EQ(wait_nohang(p), ended(c, 1));
}

// Before the first wait that asks for stops, and after.
TEST_F(CoreJobctl, TracedSinceBeforeTheWatch)
{
	task_struct *c = linux_.fork(p), *tracer = linux_.fork(linux_.init());
	task_struct *second = linux_.thread(tracer);
	linux_.attach(second, c);
	linux_.trap(c, sigtrap);
	EXPECT_EQ(any(tracer), trapped(c));
}

// ---- the watch ----------------------------------------------------------------------

TEST_F(CoreJobctl, MoreThanTheWatchHasRoomFor)
{
	std::vector<task_struct *> children;
	for (int i = 0; i < 20; i++)
		children.push_back(linux_.fork(p));
	linux_.stop(children[0], sigstop);
	EXPECT_EQ(stops(p), stopped(children[0]));
	for (task_struct *c : children)
		linux_.stop(c, sigstop);
	std::set<int> got;
	for (size_t i = 0; i < children.size(); i++) {
		const waited w = stops(p);
		ASSERT_EQ(w.what, CORE_WUNTRACED);
		EXPECT_TRUE(got.insert(w.pid).second) << w;
		linux_.collect(linux_.find_pid(w.pid)->leader, CORE_WUNTRACED);
	}
	EXPECT_EQ(stops(p), nothing_yet);
}

TEST_F(CoreJobctl, WithoutMemoryForTheWatch)
{
	task_struct *c = linux_.fork(p);
	memory_fault::fail_nth(1);
	EXPECT_EQ(stops(p), nothing_yet);
	linux_.stop(c, sigstop);
	memory_fault::fail_nth(1);
	EXPECT_EQ(stops(p), stopped(c));
	memory_fault::fail_nth(0);
	EXPECT_EQ(stops(p), stopped(c));
}

TEST_F(CoreJobctl, WithoutMemoryForMoreRoom)
{
	std::vector<task_struct *> children;
	for (int i = 0; i < 20; i++)
		linux_.stop(children.emplace_back(linux_.fork(p)), sigstop);
	for (task_struct *c : children) {
		memory_fault::fail_until_waits(100);
		EXPECT_EQ(stops(p).what, CORE_WUNTRACED);
		EXPECT_EQ(wait_nohang(p, {.idtype = CORE_P_PID,
					  .id = c->signal->tgid,
					  .options = CORE_WUNTRACED}),
			  stopped(c));
		linux_.collect(c, CORE_WUNTRACED);
	}
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(stops(p), nothing_yet);
}

TEST_F(CoreJobctl, TheCostIsFreeOfTheNumberOfChildren)
{
	std::vector<task_struct *> children;
	for (int i = 0; i < 300; i++)
		children.push_back(linux_.fork(p));
	// The first wait looks at all.
	EXPECT_FALSE(is_short(p, {.options = all_kinds}, 200));
	EXPECT_TRUE(is_short(p, {.options = all_kinds}));
	for (task_struct *c : {children[7], children[250]}) {
		linux_.stop(c, sigstop);
		linux_.collect(c, CORE_WUNTRACED);
		linux_.cont(c);
		linux_.collect(c, CORE_WCONTINUED);
	}
	EXPECT_TRUE(is_short(p, {.options = all_kinds}));
	EXPECT_TRUE(is_short(p, {.options = all_kinds}));
	linux_.setpgid(children[299], children[299]->signal->tgid);
	EXPECT_TRUE(is_short(p, {CORE_P_PGID, children[299]->signal->tgid}));
	EXPECT_TRUE(is_short(p, {CORE_P_PGID, p->signal->pgid}));
	EXPECT_TRUE(is_short(p, {CORE_P_SID, p->signal->sid}));
	EXPECT_TRUE(is_short(
		p,
		{.idtype = CORE_P_PID, .id = children[123]->signal->tgid, .options = all_kinds}));
}

// Some change over and come back while the group is looked through, by Linux's own list.
TEST_F(CoreJobctl, MembersThatLeaveAndComeBack)
{
	std::vector<task_struct *> children;
	for (int i = 0; i < 12; i++)
		children.push_back(linux_.fork(p));
	task_struct *stranger = linux_.fork(linux_.init());
	linux_.setpgid(stranger, stranger->signal->tgid);
	pid *group = stranger->signal->tgid, *elsewhere = linux_.init()->signal->pgid;
	linux_.setpgid(children[5], group);
	unsigned ways = 0;
	for (unsigned nth = 1; nth < 60; nth++) {
		const intruder other(intruder::where::anywhere, nth, [&] {
			linux_.setpgid(stranger, elsewhere);
			if (nth % 2)
				linux_.setpgid(stranger, group);
		});
		EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, group}), nothing_yet) << nth;
		ways += other.came();
		linux_.setpgid(stranger, group);
	}
	EXPECT_GT(ways, 5u);
	linux_.setpgid(children[5], elsewhere);
	EXPECT_EQ(wait_nohang(p, {CORE_P_PGID, group}), no_child);
}

// The leader's end is no end of the process; it stands for it in what Linux tells.
TEST_F(CoreJobctl, StopsOfOneWhoseLeaderHasEnded)
{
	task_struct *c = linux_.fork(p), *thread = linux_.thread(c);
	EXPECT_EQ(stops(p), nothing_yet);
	linux_.exit(c, 0);
	linux_.stop(thread, sigstop);
	EXPECT_EQ(stops(p), stopped(c));
	linux_.collect(c, CORE_WUNTRACED);
	linux_.cont(thread);
	EXPECT_EQ(any(p), continued(c));
}

// Linux marks it as soon as SIGCONT is sent, and tells later.
TEST_F(CoreJobctl, AContinueOfWhichNobodyHasToldYet)
{
	task_struct *c = linux_.fork(p);
	EXPECT_EQ(any(p), nothing_yet);
	linux_.stop(c, sigstop);
	linux_.collect(c, CORE_WUNTRACED);
	EXPECT_EQ(any(p), nothing_yet);
	c->signal->stopped = false;
	c->signal->continued = true;
	EXPECT_EQ(any(p), continued(c));
}

// The tracer's stop hides the process's, which Linux reports once it lets go, and tells nobody.
TEST_F(CoreJobctl, AStopThatTheTracerLeaves)
{
	task_struct *c = linux_.fork(p);
	linux_.attach(p, c);
	EXPECT_EQ(any(p), nothing_yet);
	linux_.stop(c, sigstop);
	linux_.trap(c, sigstop);
	EXPECT_EQ(any(p), trapped(c, sigstop));
	linux_.collect(c, CORE_WTRAPPED);
	EXPECT_EQ(any(p), nothing_yet);
	linux_.detach(c);
	EXPECT_EQ(any(p), stopped(c));
}

// Linux reports a trap whatever is asked of a tracee, so nothing else is said of it.
TEST_F(CoreJobctl, ATrapHidesAContinue)
{
	task_struct *c = linux_.fork(p);
	linux_.attach(p, c);
	linux_.cont(c);
	linux_.trap(c, sigtrap);
	EXPECT_EQ(wait_nohang(p, {.options = CORE_WCONTINUED}), nothing_yet);
	EXPECT_EQ(any(p), trapped(c));
}

TEST_F(CoreJobctl, ALookThatLeavesFindsTheSameAgain)
{
	std::vector<task_struct *> children;
	for (int i = 0; i < 3; i++)
		children.push_back(linux_.fork(p));
	EXPECT_EQ(any(p), nothing_yet);
	for (task_struct *c : children)
		linux_.stop(c, sigstop);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(stops(p), stopped(children[0]));
}

// Room is made when the wait is over, as that may sleep.
TEST_F(CoreJobctl, ACrowdWakesWhoWaitsForAnotherKind)
{
	std::vector<task_struct *> children;
	for (int i = 0; i < 8; i++)
		children.push_back(linux_.fork(p));
	sleeper s(p, {.options = CORE_WCONTINUED});
	EXPECT_TRUE(s.asleep());
	for (task_struct *c : children) {
		linux_.stop(c, sigstop);
		EXPECT_TRUE(s.asleep());
	}
	linux_.cont(children[6]);
	EXPECT_EQ(s.result(), continued(children[6]));
}

// An orphan brings its stop along, of which nobody tells its new parent.
TEST_F(CoreJobctl, ANewcomerHasStoppedBefore)
{
	linux_.set_subreaper(p);
	task_struct *middle = linux_.fork(p), *c = linux_.fork(middle);
	EXPECT_EQ(stops(p), nothing_yet);
	linux_.stop(c, sigstop);
	EXPECT_EQ(stops(p), nothing_yet);
	linux_.exit(middle, 0);
	linux_.reap(p, middle);
	EXPECT_EQ(stops(p), stopped(c));
	linux_.collect(c, CORE_WUNTRACED);
	EXPECT_EQ(stops(p), nothing_yet);
}

// One whose birth was missed.
TEST_F(CoreJobctl, AdoptedAsStopped)
{
	EXPECT_EQ(stops(p), no_child);
	linux_.fork(p);
	EXPECT_EQ(stops(p), nothing_yet);
	linux_.probes.fresh = false;
	task_struct *stranger = linux_.fork(p);
	linux_.probes.fresh = true;
	linux_.stop(stranger, sigstop);
	EXPECT_EQ(lwp_tid(stranger), 1);
	EXPECT_EQ(stops(p), stopped(stranger));
}

TEST_F(CoreJobctl, TheWatchGoesWithItsProcess)
{
	task_struct *q = linux_.fork(p);
	EXPECT_EQ(any(q), no_child);
	linux_.fork(q);
	EXPECT_EQ(any(q), nothing_yet);
	EXPECT_GT(other_memory_live(), 0u);
	linux_.exit(q);
	EXPECT_EQ(other_memory_live(), 0u);
	EXPECT_EQ(any(p), ended(q, 0));
}

// The module goes while its process lives on.
TEST_F(CoreJobctl, TheWatchGoesWithTheModule)
{
	task_struct *c = linux_.fork(p);
	EXPECT_EQ(any(p), nothing_yet);
	unload(); // expects that nothing is left
	EXPECT_TRUE(p->signal->watches.empty());
	linux_.stop(c, sigstop);
	ASSERT_EQ(load(), 0);
	EXPECT_EQ(any(p), stopped(c));
}

// The new program may never ask; if it does, it has what came before.
TEST_F(CoreJobctl, TheWatchEndsWithAnExec)
{
	task_struct *c = linux_.fork(p);
	EXPECT_EQ(stops(p), nothing_yet);
	task_struct *other = linux_.thread(p);
	EXPECT_EQ(other_memory_live(), 1u);
	linux_.exec(other);
	EXPECT_EQ(other_memory_live(), 0u);
	linux_.stop(c, sigstop);
	EXPECT_EQ(stops(other), stopped(c));
}

// No pipeline: the last thread's exit was heard by nobody.
TEST_F(CoreJobctl, TheWatchOfOneWhoseExitWasMissed)
{
	task_struct *q = linux_.fork(p);
	linux_.fork(q);
	EXPECT_EQ(any(q), nothing_yet);
	linux_.probes.exit = false;
	linux_.exit(q);
	linux_.probes.exit = true;
	linux_.reap(p, q);
	linux_.idle_a_while();
	EXPECT_EQ(other_memory_live(), 0u);
}

// ---- sleep ----------------------------------------------------------------------------

TEST_F(CoreJobctl, WokenByAStop)
{
	task_struct *c = linux_.fork(p);
	sleeper s(p, {.options = CORE_WUNTRACED});
	EXPECT_TRUE(s.asleep());
	linux_.stop(c, sigstop);
	EXPECT_EQ(s.result(), stopped(c));
}

TEST_F(CoreJobctl, NotWokenByWhoIsNotWaitedFor)
{
	task_struct *a = linux_.fork(p), *b = linux_.fork(p);
	linux_.setpgid(b, b->signal->tgid);
	sleeper by_pid(p, {.idtype = CORE_P_PID, .id = a->signal->tgid, .options = all_kinds});
	EXPECT_TRUE(by_pid.asleep());
	linux_.stop(b, sigstop);
	for (const host_waiter *waiter : p->signal->waiters)
		EXPECT_FALSE(waiter->woken);
	linux_.stop(a, sigstop);
	EXPECT_EQ(by_pid.result(), stopped(a));
	linux_.collect(a, CORE_WUNTRACED);

	sleeper by_group(p, {.idtype = CORE_P_PGID, .id = p->signal->pgid, .options = all_kinds});
	EXPECT_TRUE(by_group.asleep());
	linux_.cont(b);
	for (const host_waiter *waiter : p->signal->waiters)
		EXPECT_FALSE(waiter->woken);
	linux_.cont(a);
	EXPECT_EQ(by_group.result(), continued(a));
}

TEST_F(CoreJobctl, TheTracerIsWokenByATrap)
{
	task_struct *c = linux_.fork(p), *thread = linux_.thread(c);
	task_struct *tracer = linux_.fork(linux_.init());
	linux_.attach(tracer, thread);
	sleeper s(tracer, {.idtype = CORE_P_PID, .id = thread->thread_pid, .options = all_kinds});
	EXPECT_TRUE(s.asleep());
	linux_.trap(thread, sigtrap);
	EXPECT_EQ(s.result(), trapped(thread));
}

} // namespace
