// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include "chaos.hh"

namespace sim
{

namespace
{

constexpr unsigned most_tasks = 16;

bool in(const std::vector<const task_struct *> &tasks, const task_struct *task)
{
	return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

bool runs(const task_struct *task)
{
	return task->stage == stage::running;
}

bool is_ready_for_exec(const task_struct *task)
{
	return task->signal->exec_task == task && kernel::siblings_gone(task);
}

bool execs(const process *process)
{
	return process->exec_task || process->in_exec;
}

} // namespace

std::vector<task_struct *> chaos::tasks(const want &wanted)
{
	std::vector<task_struct *> found;
	for (const task_struct *leader : linux_.leaders())
		for (task_struct *task : leader->signal->threads)
			if (!task->kthread && !is_busy(task) && wanted(task))
				found.push_back(task);
	return found;
}

task_struct *chaos::pick(const want &wanted)
{
	const std::vector<task_struct *> found = tasks(wanted);
	return found.empty() ? nullptr : found[below(found.size())];
}

// In the middle of something: a call, or making another task.
bool chaos::is_busy(const task_struct *task) const
{
	if (in(busy_, task))
		return true;
	for (const task_struct *leader : linux_.leaders())
		for (const task_struct *other : leader->signal->threads)
			if (other->maker == task)
				return true;
	return false;
}

bool chaos::may_call(const task_struct *task) const
{
	return runs(task) && !task->signal->in_exec && task->signal->exec_task != task;
}

bool chaos::may_exec(const task_struct *task) const
{
	if (task == linux_.init() || !runs(task) || execs(task->signal) ||
	    task->signal->group_exit || in(doomed_, task))
		return false;
	for (const task_struct *thread : task->signal->threads)
		if (thread->stage == stage::linked)
			return false;
	return true;
}

bool chaos::birth()
{
	if (tasks([](auto *) { return true; }).size() >= most_tasks)
		return false;
	task_struct *maker = pick([&](const task_struct *t) {
		return runs(t) && !t->signal->group_exit && !execs(t->signal) && !in(doomed_, t);
	});
	if (!maker)
		return false;
	clone_args args;
	args.thread = maker != linux_.init() && one_in(2);
	args.parent = maker != linux_.init() && one_in(6);
	args.vm = one_in(3);
	if (one_in(5))
		args.exit_signal = 0;
	const task_struct *child = linux_.copy_process(maker, args);
	if (!args.thread) {
		child->signal->ignores_sigchld = one_in(8);
		child->signal->subreaper = one_in(6);
	}
	return true;
}

bool chaos::death()
{
	task_struct *task = pick([&](const task_struct *t) {
		return t != linux_.init() && t->signal->exec_task != t &&
		       (runs(t) || t->stage == stage::worked);
	});
	if (!task)
		return false;
	if (task->stage == stage::worked) {
		linux_.exit_notify(task);
		return true;
	}
	// An exec can be killed at its end.
	if (task->signal->in_exec && !one_in(8))
		return false;
	exec_killed_ |= task->signal->in_exec;
	std::erase(doomed_, task);
	if (one_in(4))
		linux_.group_exit(task, below(200));
	linux_.exit_begin(task, int(below(200)) << 8);
	return true;
}

bool chaos::begin_exec()
{
	if (task_struct *ready = pick(is_ready_for_exec)) {
		linux_.de_thread(ready);
		return true;
	}
	task_struct *task = pick([&](auto *t) { return may_exec(t); });
	if (task)
		linux_.exec_begin(task);
	return task;
}

bool chaos::reap()
{
	task_struct *child = pick([&](const task_struct *t) {
		return t->exit_state == exit_state::dead || linux_.can_reap(t->real_parent, t);
	});
	if (!child)
		return false;
	if (child->exit_state == exit_state::dead) {
		linux_.reap_end(child);
		return true;
	}
	linux_.reap_begin(child->real_parent, child);
	if (one_in(2))
		linux_.reap_end(child);
	return true;
}

bool chaos::silent()
{
	switch (below(6)) {
	case 0:
	case 1:
		return birth();
	case 2:
	case 3:
		return death();
	case 4:
		return begin_exec();
	default:
		return reap();
	}
}

void chaos::wait_somehow(task_struct *task)
{
	wait_for what;
	what.nohang = true;
	what.linuxclone = one_in(4);
	if (one_in(2)) {
		const task_struct *child = pick([](auto *t) { return leads_group(t); });
		what.idtype = CORE_P_PID;
		what.id = child ? child->signal->tgid : nullptr;
	} else if (one_in(3)) {
		what.idtype = CORE_P_PGID;
		what.id = task->signal->pgid;
	}
	check_wait(task, what, wait(task, what));
}

// What a wait must say if Linux stood still meanwhile, whatever the core was in the
// middle of on another CPU.
void chaos::check_wait(const task_struct *task, const wait_for &what, const waited &got)
{
	if (!still_ || what.idtype != CORE_P_ALL)
		return;
	bool any = false, ready = false;
	for (const task_struct *leader : linux_.leaders()) {
		if (leader->real_parent->signal != task->signal || leader->kthread ||
		    leader->exit_state == exit_state::dead || leader->stage == stage::linked ||
		    (leader->exit_signal != SIGCHLD_NR) != what.linuxclone)
			continue;
		any = true;
		ready |= linux_.can_reap(task, leader);
	}
	EXPECT_FALSE(any && got.error == 10) << task->thread_pid->nr << " has children";
	// Another thread may have claimed it.
	EXPECT_FALSE(ready && !got.pid && is_alone(task))
		<< task->thread_pid->nr << " has a zombie";
}

bool chaos::call(task_struct *task)
{
	switch (below(6)) {
	case 0:
		wait_end(task);
		return true;
	case 1:
		lwp_tid(task);
		return true;
	case 2:
		if (task == linux_.init() || task->signal->exec_task == task || in(doomed_, task))
			return false;
		if (extexit(task, one_in(4) ? CORE_WHO_PROC : CORE_WHO_LWP) == CORE_VERDICT_PROC)
			linux_.group_exit(task, below(200) << 8);
		doomed_.push_back(task);
		return true;
	default:
		wait_somehow(task);
		return true;
	}
}

bool chaos::look()
{
	as looker(linux_.init());
	int pids[2 * most_tasks];
	switch (below(4)) {
	case 0:
		core_settle();
		return true;
	case 1:
		core_list(pids, one_in(2) ? 2 * most_tasks : 3);
		return true;
	case 2:
		run_heal();
		return true;
	default:
		if (const task_struct *task = pick([](auto *t) { return leads_group(t); }))
			look_at(task);
		return true;
	}
}

bool chaos::heard()
{
	const auto &gone = linux_.released();
	if (!gone.empty() && one_in(4)) {
		task_struct *task = gone[below(gone.size())];
		if (in(busy_, task) || !linux_.may_free(task))
			return false;
		busy_.push_back(task);
		linux_.free(task);
		std::erase(busy_, task);
		return true;
	}
	if (world_.ready && one_in(4))
		return look();
	task_struct *task = pick([&](const task_struct *t) {
		return t->stage == stage::linked || t->stage == stage::begun ||
		       t->stage == stage::told || (runs(t) && t->signal->in_exec) ||
		       (world_.ready && may_call(t));
	});
	if (!task)
		return false;

	const task_struct *maker = task->maker;
	busy_.push_back(task);
	if (maker)
		busy_.push_back(maker);
	bool did = true;
	if (task->stage == stage::linked)
		linux_.newtask(task);
	else if (!runs(task))
		linux_.exit_step(task);
	else if (task->signal->in_exec)
		linux_.exec_event(task);
	else
		did = call(task);
	std::erase(busy_, task);
	std::erase(busy_, maker);
	return did;
}

void chaos::act(bool intruding)
{
	if (one_in(20))
		grace_period();
	if (!intruding || one_in(2)) {
		one_in(2) ? silent() : heard();
		return;
	}
	intruder other(one_in(2) ? intruder::where::anywhere : intruder::where::unlocked,
		       1 + below(one_in(3) ? 60 : 12), [this] {
			       still_ = true;
			       interfere();
			       still_ = false;
		       });
	still_ = false;
	heard();
	still_ = true;
}

// Everybody who has children asks for them.
void chaos::ask_all()
{
	for (task_struct *task : tasks([](auto *t) { return runs(t); }))
		if (may_call(task)) {
			const wait_for what{.nohang = true, .linuxclone = one_in(4)};
			check_wait(task, what, wait(task, what));
			wait_end(task);
		}
}

void chaos::interfere()
{
	if (!holds_core_lock() && world_.ready && one_in(2))
		ask_all();
	for (unsigned n = 1 + below(4); n; n--)
		if (holds_core_lock() || one_in(2))
			silent();
		else
			heard();
}

void chaos::calm()
{
	for (task_struct *task : tasks([](auto *t) { return t->stage == stage::linked; }))
		linux_.newtask(task);
	for (task_struct *task : tasks([](auto *t) { return t->signal->exec_task == t; })) {
		for (task_struct *thread : std::vector(task->signal->threads))
			if (thread != task)
				linux_.exit(thread);
		linux_.de_thread(task);
	}
	for (task_struct *task : tasks([](auto *t) { return runs(t) && t->signal->in_exec; }))
		linux_.exec_event(task);
	for (task_struct *task : tasks([&](auto *t) {
		     return in(doomed_, t) || t->signal->group_exit ||
			    (t->stage > stage::running && t->stage < stage::notified);
	     }))
		linux_.exit(task);
	doomed_.clear();
	for (task_struct *task : tasks([](auto *t) { return t->exit_state == exit_state::dead; }))
		linux_.reap_end(task);
	// The model shows the old leader until its task is freed.
	if (exec_killed_)
		linux_.idle_a_while();
	exec_killed_ = false;
	as worker(linux_.kthreadd());
	if (world_.ready)
		run_heal();
}

void chaos::drop_claims()
{
	for (task_struct *task : tasks([](auto *t) { return runs(t); }))
		wait_end(task);
}

} // namespace sim
