// SPDX-License-Identifier: GPL-2.0-only
// Loading, unloading, and the calls that a task makes.
#include <algorithm>
#include <ostream>
#include <utility>

#include "world.hh"

namespace sim
{

world::~world()
{
	if (loaded)
		unload();
	grace_period();
}

void world::load_begin()
{
	core_data_reset();
	memory_fault::fail_nth(0);
	core_init();
	linux_.probes = {true, true, true, true};
	loaded = true;
}

int world::load_end()
{
	as insmod(linux_.init());
	const int error = core_adopt_all();
	ready = !error;
	return error;
}

int world::load()
{
	load_begin();
	return load_end();
}

void world::unload()
{
	ready = false;
	core_stop();
	linux_.probes.fresh = linux_.probes.exec = linux_.probes.exit = false;
	for (const task_struct *leader : std::vector(linux_.leaders()))
		for (task_struct *task : std::vector(leader->signal->threads))
			if (task->work)
				linux_.exit_work(task);
	run_heal();
	core_silence();
	linux_.probes.free = false;
	{
		as rmmod(linux_.init());
		core_fini();
	}
	loaded = false;
	grace_period();
	EXPECT_EQ(pool_live(HOST_POOL_PROC), 0u);
	EXPECT_EQ(pool_live(HOST_POOL_LWP), 0u);
	EXPECT_EQ(map_size(), 0u);
	EXPECT_EQ(setint_live(), 0u);
	EXPECT_EQ(other_memory_live(), 0u);
	EXPECT_EQ(linux_.model_pid_refs(), 0);
}

void for_each_order(const std::vector<unsigned> &counts,
		    const std::function<void(const std::vector<unsigned> &)> &each)
{
	std::vector<unsigned> order;
	for (unsigned i = 0; i < counts.size(); i++)
		order.insert(order.end(), counts[i], i);
	do
		each(order);
	while (std::next_permutation(order.begin(), order.end()));
}

void in_every_order(const std::function<std::vector<steps>()> &make,
		    const std::function<void(unsigned)> &after)
{
	std::vector<steps> actors = make();
	std::vector<unsigned> counts;
	for (const steps &actor : actors)
		counts.push_back(actor.size());
	bool fresh = true;
	for_each_order(counts, [&](const std::vector<unsigned> &order) {
		if (!std::exchange(fresh, false))
			actors = make();
		std::vector<unsigned> next(actors.size());
		unsigned done = 0;
		for (const unsigned who : order) {
			actors[who][next[who]++]();
			after(++done);
		}
	});
}

steps world::exit_of(task_struct *task)
{
	steps s;
	for (auto at = task->stage.load(); at < stage::notified; at = stage(int(at) + 1))
		s.push_back([this, task] { linux_.exit_step(task); });
	return s;
}

void world::end_everything()
{
	const auto next = [this]() -> task_struct * {
		for (task_struct *leader : linux_.leaders())
			if (leader != linux_.init() && leader != linux_.kthreadd())
				return leader;
		return nullptr;
	};
	while (task_struct *leader = next()) {
		for (task_struct *thread : std::vector(leader->signal->threads)) {
			if (thread->stage == stage::linked)
				linux_.newtask(thread);
			if (thread->tracer)
				linux_.detach(thread);
			if (thread->stage < stage::notified)
				linux_.exit(thread);
		}
		if (leader->stage == stage::released)
			continue;
		if (leader->exit_state != exit_state::dead)
			linux_.reap_begin(leader->real_parent, leader);
		linux_.reap_end(leader);
	}
	linux_.idle_a_while();
}

void CoreTest::TearDown()
{
	if (!loaded)
		return;
	end_everything();
	EXPECT_MODEL_EQUALS_LINUX();
	unload();
}

// ---- calls ---------------------------------------------------------------------

std::ostream &operator<<(std::ostream &out, const waited &w)
{
	return out << "{error " << w.error << ", pid " << w.pid << ", xstat " << w.xstat
		   << (w.shared ? ", shared" : "") << ", what " << w.what << '}';
}

waited wait(task_struct *task, const wait_for &what)
{
	as self(task);
	host_waiter waiter{task, what.idtype, what.id};
	core_wait_args args{};
	args.idtype = what.idtype;
	args.id = what.id;
	args.user = what.user;
	args.options = what.options | (what.nohang ? CORE_WNOHANG : 0) |
		       (what.linuxclone ? CORE_WLINUXCLONE : 0);
	args.waiter = &waiter;

	waited w{-core_wait(&args)};
	if (!w.error && args.pid) {
		w.pid = args.pid->nr;
		w.xstat = args.xstat;
		w.shared = args.shared;
		w.what = args.what == CORE_WEXITED ? 0 : args.what;
		host_pid_put(args.pid);
	}
	if (waiter.queued)
		die("wait left its waiter queued");
	return w;
}

void wait_end(task_struct *task)
{
	as self(task);
	core_wait_end();
}

waited wait_and_reap(task_struct *task, const wait_for &what)
{
	const waited w = wait(task, what);
	if (w.pid) {
		EXPECT_EQ(the_kernel->reap(task, the_kernel->find_pid(w.pid)->leader), w.xstat);
		wait_end(task);
	}
	return w;
}

int extexit(task_struct *task, core_who who, host_setint *setint)
{
	as self(task);
	const int verdict = core_extexit(who, setint);
	if (verdict < 0 && setint)
		host_setint_drop(setint);
	return verdict;
}

int lwp_tid(task_struct *task)
{
	as self(task);
	return core_lwp_tid();
}

sleeper::sleeper(task_struct *task, const wait_for &what)
    : task_{task}, thread_{[this, task, what] {
	      may_block = true;
	      const waited w = wait(task, what);
	      std::lock_guard g(the_kernel->tasklist);
	      result_ = w;
	      done_ = true;
	      the_kernel->wakeups.notify_all();
      }}
{
}

sleeper::~sleeper()
{
	if (thread_.joinable())
		thread_.join();
}

bool sleeper::asleep()
{
	std::unique_lock g(the_kernel->tasklist);
	the_kernel->wakeups.wait(g, [this] {
		if (done_)
			return true;
		if (!task_->asleep || task_->signalled)
			return false;
		for (const host_waiter *waiter : task_->signal->waiters)
			if (waiter->task == task_ && waiter->woken)
				return false;
		return true;
	});
	return !done_;
}

waited sleeper::result()
{
	thread_.join();
	return result_;
}

} // namespace sim
