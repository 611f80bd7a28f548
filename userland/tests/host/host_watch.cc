// SPDX-License-Identifier: GPL-2.0-only
// Marks that a wait collects, and who may have them: host_task_marks() of
// module/linux/host_task.c, host_watch.c and host_group.c on the simulator.
#include <algorithm>

#include "linux.hh"

using namespace sim;

// Few, so that tests come to the end of it.
static constexpr size_t first_room = 3;

struct host_watch {
	process *of;
	void *memory; // that allocations of it can fail, and be missed at the end
	size_t room = first_room;
	std::vector<pid *> pids;
	bool missed = true;
};

namespace
{

// What all of these ask for: another CPU may come before, Linux at rest.
class rest
{
	std::lock_guard<std::mutex> guard_;

	static std::mutex &entered()
	{
		intrude();
		return the_kernel->tasklist;
	}

public:
	rest() : guard_{entered()} {}
};

bool is_mine(const task_struct *task)
{
	return task->tracer && task->tracer->signal == current_task()->signal;
}

void hold(pid *pid)
{
	pid->refs++;
	pid->model_refs++;
}

void add(host_watch *watch, pid *pid)
{
	if (!watch->pids.empty() && watch->pids.back() == pid)
		return;
	if (watch->pids.size() == watch->room) {
		watch->missed = true;
		return;
	}
	hold(pid);
	watch->pids.push_back(pid);
}

std::vector<task_struct *> tracees()
{
	rest r;
	std::vector<task_struct *> found;
	for (const task_struct *leader : the_kernel->leaders())
		for (task_struct *thread : leader->signal->threads)
			if (is_mine(thread))
				found.push_back(thread);
	return found;
}

} // namespace

namespace sim
{

void watch_wake(host_watch *watch, const task_struct *key)
{
	const bool lingers = leads_group(key) && !is_alone(key);
	const bool plain_end = key->exit_state != exit_state::none && !key->tracer && !lingers;
	if (key->thread_pid && key->signal != watch->of && !plain_end)
		add(watch, key->thread_pid);
}

} // namespace sim

unsigned host_task_marks(const task_struct *task, int *code)
{
	must_be_in_rcu(__func__);
	rest r;
	const process *p = task->signal;
	unsigned marks = is_mine(task) ? HOST_MARK_MINE : 0;
	if (task->exit_state == exit_state::zombie && !(leads_group(task) && !is_alone(task))) {
		*code = p->group_exit ? p->group_exit_code : task->exit_code;
		return marks | HOST_MARK_ENDED;
	}
	if (task->exit_state == exit_state::dead)
		return 0;
	if (marks) {
		*code = task->trap_code;
		marks |= *code ? HOST_MARK_TRAPPED : 0;
	} else if (p->stopped) {
		*code = p->stop_code;
		marks |= *code ? HOST_MARK_STOPPED : 0;
	}
	return marks | (p->stopped ? HOST_MARK_HALTED : 0) |
	       (p->continued ? HOST_MARK_CONTINUED : 0);
}

int host_process_traces(void)
{
	must_be_in_rcu(__func__);
	return !tracees().empty();
}

int host_tracees_find(int (*fits)(task_struct *, void *), void *arg)
{
	must_be_in_rcu(__func__);
	const std::vector<task_struct *> found = tracees();
	return std::any_of(found.begin(), found.end(), [&](auto *t) { return fits(t, arg); });
}

// Not the most likely ones, so that the long way is gone as well.
int host_tracees_find_soon(int (*fits)(task_struct *, void *), void *arg)
{
	must_be_in_rcu(__func__);
	for (task_struct *task : tracees())
		if (task->tracer == current_task() && fits(task, arg))
			return 1;
	return 0;
}

int host_members_find(pid *group, host_group kind, unsigned looks,
		      int (*fits)(task_struct *, void *), void *arg)
{
	must_be_in_rcu(__func__);
	const auto is_in = [=](const process *p) {
		return (kind == HOST_GROUP_PGRP ? p->pgid : p->sid) == group;
	};
	std::vector<task_struct *> members;
	{
		rest r;
		for (task_struct *leader : the_kernel->leaders())
			if (is_in(leader->signal))
				members.push_back(leader);
	}
	for (task_struct *leader : members) {
		{
			rest r;
			if (!looks-- || !is_in(leader->signal))
				return 0;
		}
		if (fits(leader, arg))
			return 1;
	}
	return 0;
}

host_watch *host_watch_open(void)
{
	void *memory = host_malloc(sizeof(host_watch));
	if (!memory)
		return nullptr;
	rest r;
	auto *watch = new host_watch{.of = current_task()->signal, .memory = memory, .pids = {}};
	watch->of->watches.push_back(watch);
	return watch;
}

void host_watch_close(host_watch *watch)
{
	{
		rest r;
		if (!std::erase(watch->of->watches, watch))
			die("a watch that nobody has was closed");
	}
	// Now that nobody adds to it any more.
	host_watch_reset(watch);
	host_mfree(watch->memory);
	delete watch;
}

unsigned host_watch_count(host_watch *watch)
{
	rest r;
	return watch->pids.size();
}

pid *host_watch_take(host_watch *watch)
{
	rest r;
	if (watch->pids.empty())
		return nullptr;
	pid *first = watch->pids.front();
	watch->pids.erase(watch->pids.begin());
	return first;
}

void host_watch_add(host_watch *watch, pid *pid)
{
	rest r;
	add(watch, pid);
}

void host_watch_put_back(host_watch *watch, pid *pid)
{
	rest r;
	if (watch->pids.size() == watch->room) {
		watch->missed = true;
		return;
	}
	hold(pid);
	watch->pids.insert(watch->pids.begin(), pid);
}

void host_watch_reset(host_watch *watch)
{
	{
		rest r;
		watch->missed = false;
	}
	while (pid *pid = host_watch_take(watch))
		host_pid_put(pid);
}

int host_watch_missed(host_watch *watch)
{
	rest r;
	return watch->missed;
}

void host_watch_grow(host_watch *watch, unsigned room)
{
	{
		rest r;
		for (const host_waiter *waiter : current_task()->signal->waiters)
			if (waiter->task == current_task())
				die("asks for memory while about to sleep in wait");
	}
	// Linux would have it in memory of its own, which there may be none of.
	void *memory = host_malloc(room);
	if (!memory)
		return;
	host_mfree(memory);
	rest r;
	watch->room = std::max(watch->room, size_t(room));
}
