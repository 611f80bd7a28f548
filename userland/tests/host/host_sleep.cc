// SPDX-License-Identifier: GPL-2.0-only
// tsleep and wakeup; signals; what goes to the log; the descriptor of a tracer.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "linux.hh"

using namespace sim;

namespace
{

std::mutex mutex;
std::condition_variable slept;
std::atomic<unsigned> wakeups;
std::vector<std::string> said;

} // namespace

namespace sim
{

std::vector<std::string> warnings()
{
	std::lock_guard g(mutex);
	return std::exchange(said, {});
}

} // namespace sim

void host_sleep(const void *, int (*awake)(void *), void *arg)
{
	must_be_able_to_sleep(__func__);
	intrude();
	for (;;) {
		// Before the look, as a wake-up after it must not be lost.
		const unsigned before = wakeups;
		if (awake(arg))
			return;
		const auto woken = [before] { return wakeups != before; };
		if (turns_here) {
			turns_here->until(woken);
			continue;
		}
		if (!may_block)
			die("the test itself would sleep");
		std::unique_lock g(mutex);
		if (!slept.wait_for(g, lost_wakeup, woken))
			die("nobody woke a sleeper");
	}
}

void host_wakeup(const void *)
{
	intrude();
	std::lock_guard g(mutex);
	wakeups++;
	slept.notify_all();
}

void host_warn(const char *what, const void *)
{
	must_hold_no_core_lock(__func__);
	std::lock_guard g(mutex);
	said.push_back(what);
}

void host_init_died(int signal, int exit)
{
	must_hold_no_core_lock(__func__);
	std::lock_guard g(mutex);
	said.push_back("init died " + std::to_string(signal) + " " + std::to_string(exit));
}

int host_kill(pid *pid, int signal)
{
	must_hold_no_core_lock(__func__);
	must_be_in_rcu(__func__);
	intrude();
	std::lock_guard g(the_kernel->tasklist);
	if (signal != 9)
		die("the core sends signal %d", signal);
	if (!pid->leader)
		return -3;
	process *p = pid->leader->signal;
	if (!p->may_be_killed && p != current_task()->signal)
		return -1;
	p->killed = true;
	if (!p->group_exit && !p->exec_task) {
		p->group_exit = true;
		p->group_exit_code = signal;
	}
	return 0;
}

int host_tracer_may(host_tracer *tracer)
{
	must_hold_no_core_lock(__func__);
	must_be_in_rcu(__func__);
	intrude();
	return tracer->may;
}

void host_tracer_wake(host_tracer *tracer)
{
	must_hold_no_core_lock(__func__);
	must_be_in_rcu(__func__);
	intrude();
	std::lock_guard g(mutex);
	tracer->wakeups++;
	wakeups++;
	slept.notify_all();
}
