// SPDX-License-Identifier: GPL-2.0-only
// copy_process(), and what a process decides about itself.
#include <set>

#include "linux.hh"

namespace sim
{

kernel *the_kernel;

namespace
{
thread_local task_struct *current_here;
}

as::as(task_struct *task) : before_{current_here}
{
	current_here = task;
}

as::~as()
{
	current_here = before_;
}

task_struct *current_task()
{
	if (!current_here)
		die("no task is current");
	return current_here;
}

bool leads_group(const task_struct *task)
{
	return task->exit_signal >= 0;
}

bool is_alone(const task_struct *task)
{
	return task->signal->threads.size() == 1;
}

int wait_status(const task_struct *task)
{
	const process *p = task->signal;
	return p->group_exit ? p->group_exit_code : task->group_leader->exit_code;
}

kernel::kernel()
{
	the_kernel = this;
	idle_ = new task_struct;
	idle_->kthread = true;
	idle_->signal = new process;
	idle_->signal->tasks = 1;
	idle_->signal->threads = {idle_};
	idle_->real_parent = idle_->group_leader = idle_;
	idle_->stage = stage::running;

	as swapper(idle_);
	init_ = copy_process(idle_);
	kthreadd_ = copy_process(idle_, {.kthread = true});
	child_reaper_ = init_;
	newtask(init_);
	newtask(kthreadd_);
}

kernel::~kernel()
{
	std::set<task_struct *> tasks{idle_};
	tasks.insert(released_.begin(), released_.end());
	for (const task_struct *leader : leaders_)
		tasks.insert(leader->signal->threads.begin(), leader->signal->threads.end());
	std::set<process *> processes;
	for (task_struct *task : tasks) {
		processes.insert(task->signal);
		delete task;
	}
	for (process *process : processes)
		delete process;
	for (pid *pid : all_pids_)
		delete pid;
	for (const auto &[mm, users] : mm_users_)
		delete mm;
	the_kernel = nullptr;
}

void kernel::want(const task_struct *task, stage stage, const char *what)
{
	if (task->stage != stage)
		die("%s of task %d out of order", what,
		    task->thread_pid ? task->thread_pid->nr : 0);
}

void kernel::make_leader(task_struct *task, pid *number)
{
	process *p = task->signal;
	process *from = task->maker->signal;
	p->tgid = number;
	p->pgid = from->pgid ? from->pgid : number;
	p->sid = from->sid ? from->sid : number;
	use(p->tgid);
	use(p->pgid);
	use(p->sid);
	number->leader = task;
	p->has_subreaper = from->has_subreaper || from->subreaper;
	p->ignores_sigchld = from->ignores_sigchld;
	task->group_leader = task;
	task->real_parent->children.push_back(task);
	leaders_.push_back(task);
}

task_struct *kernel::copy_process(task_struct *maker, const clone_args &args)
{
	tasklist_guard g(*this);
	if (maker->stage != stage::running)
		die("a task that cannot run makes another");
	auto *t = new task_struct;
	t->maker = maker;
	t->kthread = args.kthread;
	t->worker = args.worker;
	t->vfork = args.vfork;
	if (!args.kthread)
		mm_get(t, args.thread || args.vfork || args.vm ? maker->mm : nullptr);
	t->signal = args.thread ? maker->signal : new process;
	t->real_parent = args.thread || args.parent ? maker->real_parent : maker;
	t->exit_signal = args.thread   ? -1
			 : args.parent ? maker->group_leader->exit_signal
				       : args.exit_signal;
	t->euid = maker->euid;
	t->payer = maker->payer;
	t->admin = maker->admin;
	t->thread_pid = alloc_pid();
	t->thread_pid->task = t;
	use(t->thread_pid);
	if (args.thread)
		t->group_leader = maker->group_leader;
	else
		make_leader(t, t->thread_pid);
	t->signal->threads.push_back(t);
	t->signal->tasks++;
	t->signal->live++;
	t->signal->quick++;
	return t;
}

void kernel::newtask(task_struct *task)
{
	want(task, stage::linked, "birth");
	if (probes.fresh) {
		as maker(task->maker);
		host_rcu_read_lock();
		core_task_new(task);
		host_rcu_read_unlock();
	}
	task->maker = nullptr;
	task->stage = stage::running;
}

task_struct *kernel::fork(task_struct *maker, int exit_signal)
{
	task_struct *task = copy_process(maker, {.exit_signal = exit_signal});
	newtask(task);
	return task;
}

task_struct *kernel::thread(task_struct *maker)
{
	task_struct *task = copy_process(maker, {.thread = true});
	newtask(task);
	return task;
}

void kernel::set_subreaper(task_struct *task)
{
	tasklist_guard g(*this);
	task->signal->subreaper = true;
	std::vector<task_struct *> below = task->signal->threads;
	while (!below.empty()) {
		const task_struct *parent = below.back();
		below.pop_back();
		for (const task_struct *child : parent->children) {
			child->signal->has_subreaper = true;
			below.insert(below.end(), child->signal->threads.begin(),
				     child->signal->threads.end());
		}
	}
}

void kernel::setpgid(task_struct *task, pid *group)
{
	tasklist_guard g(*this);
	switch_pid(task->signal->pgid, group);
}

void kernel::setsid(task_struct *task)
{
	tasklist_guard g(*this);
	switch_pid(task->signal->pgid, task->signal->tgid);
	switch_pid(task->signal->sid, task->signal->tgid);
}

} // namespace sim
