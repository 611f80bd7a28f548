// SPDX-License-Identifier: GPL-2.0-only
// Traces come and go while what they trace forks, and ends.
#include "explorer.hh"

using namespace sim;

namespace
{

constexpr unsigned all =
	CORE_KTRFAC_FORK | CORE_KTRFAC_EXIT | CORE_KTRFAC_WAIT | CORE_KTRFAC_INHERIT;

// Closed by whoever drops it last.
struct trace : host_ktrace {
	core_ktrace *core = core_ktrace_new(this);

	~trace() { close(); }
	void close()
	{
		if (!core)
			return;
		core_ktrace_close(core);
		rcu_synchronize();
		closed = true;
		core_ktrace_free(core);
		core = nullptr;
	}
	int set(task_struct *leader, unsigned facs)
	{
		host_rcu_read_lock();
		const int error = core_ktrace_set(core, leader, facs);
		host_rcu_read_unlock();
		return error;
	}
	unsigned count(const std::string &event)
	{
		unsigned n = 0;
		for (const std::string &line : told())
			n += line.find(event) != line.npos;
		return n;
	}
};

// Closing it while the process forks and ends: nothing is told later, nothing stays.
TEST(InterleaveKtrace, ClosedBesideALife)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		auto t = std::make_shared<trace>();
		EXPECT_EQ(t->set(p, all), 0);
		return scenario{{[&linux_, p] {
					 linux_.fork(p);
					 linux_.exit(p);
				 },
				 [t] { t->close(); }},
				[] {}};
	});
}

// Whoever closes it may not have done when the last who knows the proc has: see
// core_ktrace_close().
TEST(InterleaveKtrace, ClosedWhileAProcIsFreed)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		auto t = std::make_shared<trace>();
		EXPECT_EQ(t->set(child, all), 0);
		return scenario{{[&linux_, p, child] {
					 linux_.exit(child);
					 linux_.reap(p, child);
					 when([&linux_, child] { return linux_.may_free(child); });
					 linux_.free(child);
					 grace_period();
				 },
				 [t] { t->close(); }},
				[] {}};
	});
}

// Another trace in its place meanwhile: the child is on the one that was told of its birth.
TEST(InterleaveKtrace, ReplacedBesideAFork)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		auto t = std::make_shared<trace>(), other = std::make_shared<trace>();
		EXPECT_EQ(t->set(p, all), 0);
		return scenario{{[&linux_, p] { linux_.exit(linux_.fork(p)); }, [t] { t->close(); },
				 [other, p] { other->set(p, all); }}, // unless it is too early
				[&linux_, p, other] {
					EXPECT_LE(other->count("exit"), other->count("fork"));
					linux_.exit(p);
					EXPECT_TRUE(other->over());
					other->close();
				}};
	});
}

// Asking for it beside the end: it is told of, or refused, and the trace is over.
TEST(InterleaveKtrace, AskedForAtTheEnd)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		auto t = std::make_shared<trace>();
		auto error = std::make_shared<int>();
		return scenario{{exits(linux_, p), [t, p, error] { *error = t->set(p, all); }},
				[t, error] {
					EXPECT_EQ(t->count("exit"), *error == 0);
					EXPECT_TRUE(t->over());
					t->close();
				}};
	});
}

// Whoever is made while the trace is taken back is told of as a whole or not at all.
TEST(InterleaveKtrace, TakenBackBesideAFork)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		auto t = std::make_shared<trace>();
		EXPECT_EQ(t->set(p, all), 0);
		return scenario{{[&linux_, p] { linux_.exit(linux_.fork(p)); },
				 [t, p] { EXPECT_EQ(t->set(p, 0), 0); }},
				[t] {
					EXPECT_LE(t->count("exit"), t->count("fork"));
					EXPECT_TRUE(t->over());
					t->close();
				}};
	});
}

// A child that is reaped is told of once, by the wait or by the free.
TEST(InterleaveKtrace, ReapedOnce)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		auto t = std::make_shared<trace>();
		EXPECT_EQ(t->set(p, CORE_KTRFAC_WAIT), 0);
		linux_.exit(child, 3 << 8);
		return scenario{{[&linux_, p, child] {
					 linux_.reap(p, child);
					 as self(p);
					 host_rcu_read_lock();
					 core_task_wait(nullptr);
					 host_rcu_read_unlock();
				 },
				 [&linux_] { linux_.idle_a_while(); }},
				[&linux_, t] {
					linux_.idle_a_while();
					EXPECT_EQ(t->count("reap"), 1u);
					t->close();
				}};
	});
}

} // namespace
