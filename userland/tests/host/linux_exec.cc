// SPDX-License-Identifier: GPL-2.0-only
// execve(): de_thread() and the event at its end.
#include <algorithm>

#include "linux.hh"

namespace sim
{

void kernel::exec_begin(task_struct *task)
{
	want(task, stage::running, "exec");
	tasklist_guard g(*this);
	task->signal->exec_task = task;
}

bool kernel::siblings_gone(const task_struct *task)
{
	const process *p = task->signal;
	const task_struct *leader = task->group_leader;
	return std::all_of(p->threads.begin(), p->threads.end(), [&](const task_struct *thread) {
		return thread == task ||
		       (thread == leader && leader->exit_state != exit_state::none);
	});
}

void kernel::de_thread(task_struct *task)
{
	want(task, stage::running, "exec");
	tasklist_guard g(*this);
	task_struct *leader = task->group_leader;
	if (!siblings_gone(task))
		die("exec with another thread alive");
	if (leader != task) {
		std::swap(task->thread_pid, leader->thread_pid);
		task->thread_pid->task = task;
		leader->thread_pid->task = leader;
		task->signal->tgid->leader = task;
		std::replace(leaders_.begin(), leaders_.end(), leader, task);
		auto &siblings = leader->real_parent->children;
		std::replace(siblings.begin(), siblings.end(), leader, task);
		task->group_leader = leader->group_leader = task;
		task->exit_signal = SIGCHLD_NR;
		leader->exit_signal = -1;
		leader->exit_state = exit_state::dead;
		release(leader);
	}
	task->exit_signal = SIGCHLD_NR;
	task->vfork = false;
	mm_put(task);
	mm_get(task, nullptr);
	task->signal->exec_task = nullptr;
	task->signal->in_exec = true;
}

void kernel::exec_event(task_struct *task)
{
	// A helper that a kernel thread made became a process of its own so,
	// before 5.19.
	task->kthread = false;
	task->signal->in_exec = false;
	task->forked = false;
	if (!probes.exec)
		return;
	as self(task);
	host_rcu_read_lock();
	core_task_exec(task, task->signal->gains_rights);
	host_rcu_read_unlock();
}

void kernel::exec(task_struct *task)
{
	exec_begin(task);
	for (task_struct *thread : std::vector(task->signal->threads))
		if (thread != task && thread->stage < stage::notified)
			exit(thread);
	de_thread(task);
	exec_event(task);
}

} // namespace sim
