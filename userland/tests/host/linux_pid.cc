// SPDX-License-Identifier: GPL-2.0-only
// Numbers, and tasks that are no more.
#include <algorithm>

#include "linux.hh"

namespace sim
{

pid *kernel::alloc_pid()
{
	while (pids_.count(next_nr_))
		next_nr_++;
	auto *p = new pid{.nr = next_nr_++};
	pids_[p->nr] = p;
	all_pids_.push_back(p);
	return p;
}

pid *kernel::find_pid(int nr)
{
	std::lock_guard g(tasklist);
	const auto at = pids_.find(nr);
	return at == pids_.end() ? nullptr : at->second;
}

pid *kernel::pid_from(int nr)
{
	std::lock_guard g(tasklist);
	const auto at = pids_.lower_bound(nr);
	return at == pids_.end() ? nullptr : at->second;
}

void kernel::use(pid *pid)
{
	pid->users++;
}

void kernel::unuse(pid *pid)
{
	if (--pid->users)
		return;
	pids_.erase(pid->nr);
	rcu_call([this, pid] {
		std::lock_guard g(tasklist);
		if (--pid->refs == 0) {
			std::erase(all_pids_, pid);
			delete pid;
		}
	});
}

void kernel::switch_pid(pid *&place, pid *to)
{
	if (place == to)
		return;
	if (place)
		unuse(place);
	if (to)
		use(to);
	place = to;
}

void kernel::pid_get(pid *pid)
{
	std::lock_guard g(tasklist);
	pid->refs++;
	pid->model_refs++;
}

void kernel::pid_put(pid *pid)
{
	std::lock_guard g(tasklist);
	if (pid->model_refs-- <= 0)
		die("a reference to a pid given back twice");
	if (--pid->refs == 0) {
		std::erase(all_pids_, pid);
		delete pid;
	}
}

int kernel::model_pid_refs()
{
	std::lock_guard g(tasklist);
	int sum = 0;
	for (const pid *pid : all_pids_)
		sum += pid->model_refs;
	return sum;
}

// Under the tasklist, as release_task() after its first few lines.
void kernel::release(task_struct *task)
{
	process *p = task->signal;
	task_struct *leader = task->group_leader;

	std::erase(p->threads, task);
	task->thread_pid->task = nullptr;
	switch_pid(task->thread_pid, nullptr);
	if (leads_group(task)) {
		p->tgid->leader = nullptr;
		switch_pid(p->tgid, nullptr);
		switch_pid(p->pgid, nullptr);
		switch_pid(p->sid, nullptr);
		std::erase(leaders_, task);
		std::erase(task->real_parent->children, task);
	}
	task->exit_state = exit_state::dead;
	task->stage = stage::released;
	task->released_at = rcu_now();
	released_.push_back(task);

	if (leader != task && leader->exit_state == exit_state::zombie && is_alone(leader) &&
	    notify_parent(leader)) {
		leader->exit_state = exit_state::dead;
		release(leader);
	}
}

bool kernel::may_free(const task_struct *task)
{
	return task->stage == stage::released && rcu_passed(task->released_at);
}

void kernel::free(task_struct *task)
{
	want(task, stage::released, "free");
	if (!rcu_passed(task->released_at))
		die("a task freed that RCU may still find");
	if (probes.free) {
		as softirq(idle_);
		host_rcu_read_lock();
		core_task_free(task);
		host_rcu_read_unlock();
	}
	tasklist_guard g(*this);
	std::erase(released_, task);
	if (--task->signal->tasks == 0)
		delete task->signal;
	delete task;
}

void kernel::idle_a_while()
{
	for (;;) {
		std::vector<task_struct *> due;
		{
			tasklist_guard g(*this);
			due = released_;
		}
		if (due.empty() && !heal_is_due())
			break;
		grace_period();
		for (task_struct *task : due)
			free(task);
		as worker(kthreadd_);
		run_heal();
	}
	grace_period();
}

} // namespace sim
