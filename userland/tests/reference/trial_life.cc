// SPDX-License-Identifier: GPL-2.0-only
// Births, execs and exits, in steps or at once.
#include <algorithm>

#include "trial.hh"

namespace sim
{

namespace
{

bool runs(const task_struct *task)
{
	return task->stage == stage::running;
}

int nr(const task_struct *task)
{
	return task->thread_pid->nr;
}

bool is_inside_exit(const task_struct *task)
{
	return task->stage > stage::running && task->stage < stage::notified;
}

} // namespace

// ---- births ------------------------------------------------------------------------

// how: 1 thread, 2 CLONE_PARENT, 4 no SIGCHLD, 8 told later, 16 not SIGCHLD's default;
// more: the allocation that fails.
void trial::birth()
{
	task_struct *maker = pick([&](auto *t) { return may_make(t); });
	if (!maker)
		return;
	clone_args args;
	args.thread = maker != linux_.init() && (how_ & 1);
	args.parent = maker != linux_.init() && !args.thread && (how_ & 2);
	args.exit_signal = how_ & 4 ? 0 : SIGCHLD_NR;
	task_struct *task = linux_.copy_process(maker, args);
	twins_[task] = args.thread
			       ? model_.thread(twin(maker), nr(task))
			       : model_.fork(twin(maker), nr(task), args.parent, args.exit_signal);
	doomed_.erase(task); // another's, that lay there before
	say() << nr(maker) << (args.thread ? " makes thread " : " makes process ") << nr(task)
	      << (args.parent ? ", CLONE_PARENT" : "") << (args.exit_signal ? "" : ", no signal");
	// An adoption would tell of it before its event, and no one could say when.
	if ((how_ & 8) && world_.ready && whole_)
		return;
	const bool may_fail = world_.ready && tasks([](auto *t) { return t->maker; }).size() == 1;
	tell_birth(task, may_fail && more_ <= 3 ? more_ : 0);
}

void trial::tell_birth(task_struct *task, unsigned failing)
{
	ref::lwp *l = twin(task);
	memory_fault::fail_nth(failing);
	linux_.newtask(task);
	if (world_.loaded)
		model_.born(l);
	const bool failed = failing && memory_fault::calls() >= failing;
	memory_fault::fail_nth(0);
	if (failed) {
		say() << nr(task) << " is not told for want of memory";
		whole_ = false;
		l->of->adopted |= l->of->lwps.size() == 1;
	}
	// Found by whoever comes to it first, and numbered then.
	if (failed && lazy_)
		adopters_ = true;
	l->of->late |= (failed && lazy_) || loading_;
}

void trial::end_of_birth()
{
	task_struct *task = pick([](auto *t) { return t->stage == stage::linked; });
	if (!task)
		return;
	say() << nr(task);
	tell_birth(task, 0);
}

// ---- exits -------------------------------------------------------------------------

void trial::exit_begin(task_struct *task, int code)
{
	say() << nr(task) << " enters do_exit with " << code;
	if (task->signal->in_exec)
		cut_execs_.insert(task->signal->tgid->nr);
	linux_.exit_begin(task, code);
	model_.exit_begin(twin(task), code);
}

void trial::exit_step(task_struct *task)
{
	switch (task->stage) {
	case stage::begun:
		say() << nr(task) << " exit event";
		linux_.exit_event(task);
		model_.exit_event(twin(task));
		break;
	case stage::told:
		say() << nr(task) << " exit work";
		linux_.exit_work(task);
		model_.exit_work(twin(task));
		break;
	case stage::worked:
		for (task_struct *tracee : tasks([&](auto *t) { return t->tracer == task; }))
			detach(tracee);
		say() << nr(task) << " exit_notify";
		linux_.exit_notify(task);
		model_.exit_notify(twin(task));
		break;
	default:
		break;
	}
}

void trial::exit_rest(task_struct *task)
{
	if (runs(task))
		exit_begin(task, int(more_) << 8);
	while (is_inside_exit(task))
		exit_step(task);
}

void trial::begin_exit()
{
	if (task_struct *task = pick([&](auto *t) { return may_exit(t); }))
		exit_begin(task, int(how_) << 8);
}

void trial::next_of_exit()
{
	if (task_struct *task = pick(is_inside_exit))
		exit_step(task);
}

void trial::whole_exit()
{
	if (task_struct *task = pick([&](auto *t) { return may_exit(t); }))
		exit_rest(task);
}

void trial::begin_group_exit()
{
	task_struct *task = pick([&](auto *t) { return may_exit(t); });
	// An exec that has begun is not stopped by it.
	if (!task || task->signal->exec_task)
		return;
	say() << nr(task) << " ends its process with " << how_;
	linux_.group_exit(task, how_);
	model_.group_exit(twin(task), how_);
}

void trial::process_exit()
{
	const task_struct *task = pick([&](auto *t) { return may_exit(t); });
	if (!task || task->signal->exec_task)
		return;
	begin_group_exit();
	for (task_struct *thread : tasks([&](auto *t) { return t->signal == task->signal; }))
		if (thread->stage != stage::linked && !is_busy(thread))
			exit_rest(thread);
}

// ---- exec --------------------------------------------------------------------------

void trial::begin_exec()
{
	task_struct *task = pick([&](auto *t) { return may_exec(t); });
	if (!task)
		return;
	say() << nr(task);
	linux_.exec_begin(task);
	model_.exec_begin(twin(task));
}

void trial::de_thread(task_struct *task)
{
	say() << nr(task) << " de_thread";
	task_struct *leader = task->group_leader;
	if (leader != task) {
		old_leaders_[leader] = leader->signal->tgid->nr;
		twins_.erase(leader);
	}
	linux_.de_thread(task);
	model_.de_thread(twin(task));
}

void trial::exec_event(task_struct *task)
{
	say() << nr(task) << " exec event";
	linux_.exec_event(task);
	if (world_.loaded)
		model_.exec_event(twin(task));
	doomed_.erase(task);
	std::erase_if(old_leaders_, [task](auto &old) { return old.second == nr(task); });
}

void trial::next_of_exec()
{
	if (task_struct *task = pick(
		    [](auto *t) { return t->signal->exec_task == t && kernel::siblings_gone(t); }))
		de_thread(task);
	else if ((task = pick([](auto *t) { return runs(t) && t->signal->in_exec; })))
		exec_event(task);
}

void trial::whole_exec()
{
	task_struct *task = pick([&](auto *t) { return may_exec(t); });
	if (!task)
		return;
	linux_.exec_begin(task);
	model_.exec_begin(twin(task));
	for (task_struct *thread : std::vector(task->signal->threads)) {
		if (thread == task)
			continue;
		if (thread->tracer)
			detach(thread);
		if (thread->stage < stage::notified)
			exit_rest(thread);
	}
	de_thread(task);
	exec_event(task);
}

} // namespace sim
