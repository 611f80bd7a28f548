// SPDX-License-Identifier: GPL-2.0-only
// do_exit(), in the steps between which the module hears of it.
#include <algorithm>

#include "linux.hh"

namespace sim
{

void kernel::group_exit(task_struct *task, int code)
{
	tasklist_guard g(*this);
	process *p = task->signal;
	// An exec that has begun is not stopped by it.
	if (p->group_exit || p->exec_task)
		return;
	p->group_exit = true;
	p->group_exit_code = code;
}

void kernel::exit_begin(task_struct *task, int code)
{
	want(task, stage::running, "exit");
	tasklist_guard g(*this);
	process *p = task->signal;
	if (--p->quick == 0 && !p->group_exit) {
		p->group_exit = true;
		p->group_exit_code = code;
	}
	task->exit_code = code;
	task->exiting = true;
	task->stopped = false;
	task->trap_code = 0;
	p->stopped = p->continued = false;
	mm_put(task);
	task->vfork = false;
	task->group_dead = --p->live == 0;
	task->stage = stage::begun;
}

void kernel::exit_event(task_struct *task)
{
	want(task, stage::begun, "exit event");
	if (probes.exit) {
		as self(task);
		host_rcu_read_lock();
		task->work = core_task_exiting(task);
		host_rcu_read_unlock();
		// task_work_add() writes to it.
		if (task->work) {
			task->work->next = nullptr;
			task->work->func = core_task_exit;
		}
	}
	task->stage = stage::told;
}

void kernel::exit_work(task_struct *task)
{
	want(task, stage::told, "task_work");
	if (task->work) {
		as self(task);
		task->work->func(task->work);
		task->work = nullptr;
	}
	task->stage = stage::worked;
}

task_struct *kernel::alive_thread(process *process)
{
	for (task_struct *thread : process->threads)
		if (!thread->exiting)
			return thread;
	return nullptr;
}

task_struct *kernel::new_reaper(task_struct *father)
{
	if (task_struct *thread = alive_thread(father->signal))
		return thread;
	if (father->signal->has_subreaper)
		for (task_struct *t = father->real_parent; t != idle_; t = t->real_parent) {
			if (!t->signal->subreaper)
				continue;
			if (task_struct *thread = alive_thread(t->signal))
				return thread;
		}
	return child_reaper_;
}

void kernel::forget_original_parent(task_struct *father, std::vector<task_struct *> &dead)
{
	if (father == child_reaper_) {
		child_reaper_ = alive_thread(father->signal);
		if (!child_reaper_)
			die("init ended");
	}
	if (father->children.empty())
		return;
	task_struct *reaper = new_reaper(father);
	for (task_struct *child : father->children) {
		for (task_struct *thread : child->signal->threads)
			thread->real_parent = reaper;
		// The old leader of a process that is in exec.
		child->real_parent = reaper;
		if (reaper->signal == father->signal || child->exit_state == exit_state::dead)
			continue;
		child->exit_signal = SIGCHLD_NR;
		if (!child->tracer && child->exit_state == exit_state::zombie && is_alone(child) &&
		    notify_parent(child)) {
			child->exit_state = exit_state::dead;
			dead.push_back(child);
		}
	}
	reaper->children.insert(reaper->children.end(), father->children.begin(),
				father->children.end());
	father->children.clear();
}

// do_notify_parent(): true when the parent will not wait for it.
bool kernel::notify_parent(task_struct *task)
{
	const task_struct *parent = task->tracer ? task->tracer : task->real_parent;
	wake(parent->signal, task);
	return !task->tracer && task->exit_signal == SIGCHLD_NR && parent->signal->ignores_sigchld;
}

void kernel::exit_notify(task_struct *task)
{
	want(task, stage::worked, "exit_notify");
	tasklist_guard g(*this);
	std::vector<task_struct *> dead;
	forget_original_parent(task, dead);

	task->exit_state = exit_state::zombie;
	task->stage = stage::notified;
	bool autoreap = true;
	if (task->tracer) {
		notify_parent(task);
		autoreap = false;
	} else if (leads_group(task)) {
		autoreap = is_alone(task) && notify_parent(task);
	}
	if (autoreap) {
		task->exit_state = exit_state::dead;
		dead.push_back(task);
	}
	for (task_struct *t : dead)
		release(t);
}

bool kernel::exit_step(task_struct *task)
{
	switch (task->stage) {
	case stage::running:
		exit_begin(task);
		return true;
	case stage::begun:
		exit_event(task);
		return true;
	case stage::told:
		exit_work(task);
		return true;
	case stage::worked:
		exit_notify(task);
		return true;
	default:
		return false;
	}
}

void kernel::exit_until(task_struct *task, stage stage, int code)
{
	if (task->stage == stage::running && task->stage < stage)
		exit_begin(task, code);
	while (task->stage < stage && exit_step(task))
		;
}

void kernel::exit(task_struct *task, int code)
{
	exit_until(task, stage::notified, code);
}

void kernel::exit_process(task_struct *task, int code)
{
	group_exit(task, code);
	const std::vector<task_struct *> threads = task->signal->threads;
	for (task_struct *thread : threads)
		if (thread->stage < stage::notified)
			exit(thread, code);
}

} // namespace sim
