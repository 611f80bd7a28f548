// SPDX-License-Identifier: GPL-2.0-only
// Stops at exit against their tracer: asking, letting go and closing, each at its own time.
#include <memory>

#include "explorer.hh"

using namespace sim;

namespace
{

// A descriptor; memory that a late wake-up would miss.
struct handle {
	host_tracer host{};
	core_tracer *core = core_tracer_new(&host);
};

int ask(handle &h, task_struct *task, unsigned events)
{
	host_rcu_read_lock();
	const int error = core_tracer_stops(h.core, task, events);
	if (!error && !events)
		host_tracer_wake(&h.host); // as module/linux does
	host_rcu_read_unlock();
	return error;
}

// The number of who has stopped, or the error.
int next(handle &h)
{
	core_stopped stopped{};
	host_rcu_read_lock();
	const int error = core_tracer_next(h.core, &stopped);
	host_rcu_read_unlock();
	if (error)
		return error;
	const int nr = stopped.pid->nr;
	host_pid_put(stopped.pid);
	return nr;
}

int cont(handle &h, pid *pid)
{
	host_rcu_read_lock();
	const int error = core_tracer_cont(h.core, pid);
	host_rcu_read_unlock();
	return error;
}

// All who have stopped and will; others: somebody else may let them go.
void serve(handle &h, bool others = false)
{
	for (;;) {
		const unsigned before = h.host.wakeups;
		const int nr = next(h);
		if (nr == -10)
			return;
		if (nr > 0) {
			const int error = cont(h, the_kernel->find_pid(nr));
			EXPECT_TRUE(error == 0 || (error == -3 && others));
		} else {
			when([&h, before] { return h.host.wakeups != before; });
		}
	}
}

TEST(InterleaveStop, ClosingWhileTheyStop)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *q = linux_.fork(linux_.init());
		task_struct *tracer = linux_.fork(linux_.init());
		auto h = std::make_shared<handle>();
		{
			as caller(tracer);
			EXPECT_EQ(ask(*h, p, CORE_S_EXIT), 0);
			EXPECT_EQ(ask(*h, q, CORE_S_EXIT), 0);
		}
		return scenario{{exits(linux_, p), exits(linux_, q),
				 [h, tracer] {
					 as caller(tracer);
					 next(*h);
					 core_tracer_free(h->core);
				 }},
				[] { EXPECT_EQ(other_memory_live(), 0u); }};
	});
}

// Asked of one that exits: it stops and is let go, or it was too late.
TEST(InterleaveStop, AskingWhileItExits)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *tracer = linux_.fork(linux_.init());
		auto h = std::make_shared<handle>();
		return scenario{{exits(linux_, p), [h, p, tracer] {
					 as caller(tracer);
					 const int error = ask(*h, p, CORE_S_EXIT);
					 if (error) {
						 EXPECT_EQ(error, -3);
					 } else
						 serve(*h);
					 core_tracer_free(h->core);
				 }}};
	});
}

// A child is its maker's tracer's from its birth, or the descriptor was closed before.
TEST(InterleaveStop, ForkingWhileItIsServed)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *tracer = linux_.fork(linux_.init());
		auto h = std::make_shared<handle>();
		{
			as caller(tracer);
			EXPECT_EQ(ask(*h, p, CORE_S_EXIT | CORE_S_FORK), 0);
		}
		return scenario{{[&linux_, p] {
					 task_struct *child = linux_.fork(p);
					 linux_.exit(child);
					 linux_.exit(p);
				 },
				 [h, tracer] {
					 as caller(tracer);
					 serve(*h);
					 core_tracer_free(h->core);
				 }},
				[] { EXPECT_EQ(other_memory_live(), 0u); }};
	});
}

TEST(InterleaveStop, TwoTracersAskForOne)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		task_struct *one = linux_.fork(linux_.init()), *two = linux_.fork(linux_.init());
		static int errors[2];
		const auto asks = [p](task_struct *tracer, int &error) {
			return [p, tracer, &error] {
				handle h;
				as caller(tracer);
				error = ask(h, p, CORE_S_EXIT);
				EXPECT_TRUE(error == 0 || error == -16 || error == -3);
				core_tracer_free(h.core);
			};
		};
		return scenario{{asks(one, errors[0]), asks(two, errors[1]), exits(linux_, p)}};
	});
}

// Held it shows how it will end; let go, it ends and is gone while somebody looks.
TEST(InterleaveStop, LookedAtWhileItIsLetGo)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *tracer = linux_.fork(linux_.init());
		pid *number = p->signal->tgid;
		linux_.pid_get(number);
		auto h = std::make_shared<handle>();
		{
			as caller(tracer);
			EXPECT_EQ(ask(*h, p, CORE_S_EXIT), 0);
		}
		return scenario{{[&linux_, p] {
					 linux_.exit(p, 3 << 8);
					 linux_.reap(linux_.init(), p);
				 },
				 freed(linux_, p),
				 [h, tracer] {
					 as caller(tracer);
					 serve(*h);
				 },
				 [number] {
					 const view v = look_at(number);
					 EXPECT_TRUE(v.error == 0 || v.error == 3);
					 if (v.proc.stype) {
						 EXPECT_EQ(v.proc.stype, unsigned(CORE_S_EXIT));
						 EXPECT_EQ(v.proc.stat, unsigned(CORE_SACTIVE));
						 EXPECT_EQ(v.proc.xstat, 3 << 8);
					 }
				 }},
				[&w, number, h] {
					w.linux_.pid_put(number);
					core_tracer_free(h->core);
				}};
	});
}

// Taken back while it stops, by one of two that have the descriptor.
TEST(InterleaveStop, TakenBackWhileItStops)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *one = linux_.fork(linux_.init());
		task_struct *two = linux_.fork(linux_.init());
		auto h = std::make_shared<handle>();
		{
			as caller(one);
			EXPECT_EQ(ask(*h, p, CORE_S_EXIT), 0);
		}
		return scenario{{exits(linux_, p),
				 [h, p, one] {
					 as caller(one);
					 const int error = ask(*h, p, 0);
					 EXPECT_TRUE(error == 0 || error == -3);
				 },
				 [h, two] {
					 as caller(two);
					 serve(*h, true);
				 }},
				[h] {
					core_tracer_free(h->core);
					EXPECT_EQ(other_memory_live(), 0u);
				}};
	});
}

} // namespace
