// SPDX-License-Identifier: GPL-2.0-only
// What Linux says of a task or a process: module/linux/host_task.c on the
// simulator.
#include "linux.hh"

using namespace sim;

namespace
{

// What all of these ask for: another CPU may come before, RCU, Linux at rest.
class look
{
	std::lock_guard<std::mutex> guard_;

	static std::mutex &entered(const char *function)
	{
		intrude();
		must_be_in_rcu(function);
		return the_kernel->tasklist;
	}

public:
	explicit look(const char *function) : guard_{entered(function)} {}
};

} // namespace

task_struct *host_current(void)
{
	return current_task();
}

task_struct *host_pid_task(pid *pid)
{
	look l(__func__);
	return pid ? pid->task : nullptr;
}

pid *host_task_pid(const task_struct *task)
{
	look l(__func__);
	return task->thread_pid;
}

pid *host_task_sid(const task_struct *task)
{
	look l(__func__);
	return task->signal->sid;
}

unsigned host_task_euid(const task_struct *task)
{
	look l(__func__);
	return task->euid;
}

unsigned host_task_egid(const task_struct *task)
{
	look l(__func__);
	return task->egid;
}

unsigned host_task_bits(const task_struct *task)
{
	look l(__func__);
	unsigned bits = 0;

	if (leads_group(task))
		bits |= HOST_TASK_LEADER;
	if (leads_group(task) && is_alone(task))
		bits |= HOST_TASK_ALONE;
	if (task->exiting)
		bits |= HOST_TASK_EXITING;
	if (task->exit_state != exit_state::none)
		bits |= HOST_TASK_EXITED;
	if (task->exit_state == exit_state::dead || !task->thread_pid)
		bits |= HOST_TASK_RELEASED;
	if (task->stopped)
		bits |= HOST_TASK_STOPPED;
	else if (task->asleep)
		bits |= HOST_TASK_ASLEEP;
	if (task->tracer)
		bits |= HOST_TASK_TRACED;
	if (task->signal->quick == 1)
		bits |= HOST_TASK_LONE;
	if (task->worker)
		bits |= HOST_TASK_WORKER;
	if (task->vfork)
		bits |= HOST_TASK_VFORK;
	if (leads_group(task) && task->forked)
		bits |= HOST_TASK_FORKED;
	return bits;
}

unsigned host_task_bits_at_birth(const task_struct *task)
{
	look l(__func__);
	if (task->exiting || !task->thread_pid)
		die("said to be just born");
	return (leads_group(task) ? HOST_TASK_LEADER : 0) | (task->worker ? HOST_TASK_WORKER : 0);
}

int host_task_kthread(const task_struct *task)
{
	look l(__func__);
	return task->kthread;
}

int host_task_last(const task_struct *task)
{
	look l(__func__);
	return !task->signal->live;
}

int host_task_privileged(const task_struct *task)
{
	must_be_in_rcu(__func__);
	return task->privileged;
}

task_struct *host_task_real_parent(const task_struct *task)
{
	look l(__func__);
	return task->real_parent;
}

pid *host_task_tgid(const task_struct *task)
{
	look l(__func__);
	return task->signal->tgid;
}

pid *host_task_pgid(const task_struct *task)
{
	look l(__func__);
	return task->signal->pgid;
}

int host_task_exit_signal(const task_struct *task)
{
	look l(__func__);
	return task->group_leader->exit_signal;
}

int host_task_xstat(const task_struct *task)
{
	look l(__func__);
	return wait_status(task);
}

int host_task_nr(const task_struct *task)
{
	look l(__func__);
	return task->thread_pid ? task->thread_pid->nr : 0;
}

int host_task_group_exit(const task_struct *task)
{
	look l(__func__);
	return task->signal->group_exit;
}

int host_task_group_exec(const task_struct *task)
{
	look l(__func__);
	return task->signal->exec_task != nullptr;
}

int host_task_init(const task_struct *task)
{
	look l(__func__);
	return task->signal->namespace_init;
}

int host_task_on_cpu(const task_struct *task)
{
	return task->on_cpu;
}

int host_group_exiting(task_struct *task)
{
	look l(__func__);
	for (const task_struct *thread : task->signal->threads)
		if (thread->exiting && thread->exit_state == exit_state::none)
			return 1;
	return 0;
}

task_struct *host_group_find(task_struct *task, int (*known)(task_struct *))
{
	std::vector<task_struct *> threads;
	{
		look l(__func__);
		threads = task->signal->threads;
	}
	for (task_struct *thread : threads)
		if (known(thread))
			return thread;
	return nullptr;
}

void host_pid_get(pid *pid)
{
	the_kernel->pid_get(pid);
}

void host_pid_put(pid *pid)
{
	the_kernel->pid_put(pid);
}

int host_pid_nr(pid *pid)
{
	look l(__func__);
	return pid->nr;
}

void host_pid_walk(void (*visit)(pid *, int nr, void *), void *arg)
{
	must_be_able_to_sleep(__func__);
	int nr = 0;
	bool more;
	do {
		host_rcu_read_lock();
		intrude();
		pid *pid = the_kernel->pid_from(nr + 1);
		more = pid;
		if (more) {
			nr = pid->nr;
			visit(pid, nr, arg);
		}
		host_rcu_read_unlock();
	} while (more);
}

task_struct *host_pid_leader(pid *pid)
{
	look l(__func__);
	return pid ? pid->leader : nullptr;
}

host_reap host_pid_reap(pid *pid)
{
	look l(__func__);
	const task_struct *leader = pid->leader;
	if (!leader || leader->exit_state == exit_state::dead)
		return HOST_REAP_GONE;
	if (leader->exit_state == exit_state::none || !is_alone(leader))
		return HOST_REAP_NOT_YET;
	if (leader->tracer && leader->tracer->signal != current_task()->signal)
		return HOST_REAP_NOT_YET;
	return HOST_REAP_READY;
}
