// SPDX-License-Identifier: GPL-2.0-only
// What tasks ask of the module and of Linux, and the module's coming and going.
#include <algorithm>

#include "trial.hh"

namespace sim
{

namespace
{

constexpr int echild = 10;
constexpr int sigcont = 18, sigstop = 19, sigtrap = 5;

bool runs(const task_struct *task)
{
	return task->stage == stage::running;
}

int nr(const task_struct *task)
{
	return task->thread_pid->nr;
}

ref::event event_of(unsigned what)
{
	switch (what) {
	case CORE_WUNTRACED:
		return ref::event::stop;
	case CORE_WTRAPPED:
		return ref::event::trap;
	case CORE_WCONTINUED:
		return ref::event::cont;
	default:
		return ref::event::end;
	}
}

} // namespace

// ---- extexit -----------------------------------------------------------------------

// how: 1 the process, 2 SETINT, 4 the verdict is followed at once.
void trial::extexit()
{
	task_struct *task =
		pick([&](auto *t) { return may_call(t) && t->signal != linux_.init()->signal; });
	if (!task)
		return;
	ref::lwp *l = twin(task);
	int *store = nullptr, *right_store = nullptr;
	if ((how_ & 2) && !l->setint) {
		store = &stores_.emplace_back();
		right_store = &right_stores_.emplace_back();
	}
	const bool proc = how_ & 1;
	const int value = 1 + int(more_);
	const bool right = ref::model::extexit(l, proc, right_store, value) == ref::verdict::proc;
	const int got = sim::extexit(task, proc ? CORE_WHO_PROC : CORE_WHO_LWP,
				     store ? setint_make(store, value) : nullptr);
	say() << nr(task) << (proc ? " PROC" : " LWP") << (store ? " SETINT" : "") << " gives "
	      << got;
	if (got != (right ? CORE_VERDICT_PROC : CORE_VERDICT_LWP))
		wrong(std::string("extexit's verdict is not ") + (right ? "PROC" : "LWP"));
	doomed_.insert(task);
	if (right && !task->signal->exec_task) {
		linux_.group_exit(task, value << 8);
		model_.group_exit(l, value << 8);
	}
	if (how_ & 4)
		exit_rest(task);
}

// ---- wait --------------------------------------------------------------------------

// Null: what is reported is wrong. Else the child, itself null when there is none.
std::optional<ref::proc *> trial::check_wait(const waited &got, const ref::answer &right,
					     const ref::lwp *waiter)
{
	ref::proc *child = nullptr;
	for (ref::proc *p : right.either)
		if (p->pid == got.pid)
			child = p;
	const ref::proc *q = waiter->of;
	const bool shared = std::count_if(q->lwps.begin(), q->lwps.end(),
					  [](auto &l) { return l.counted; }) > 1;
	const bool well = !right.children ? got.error == echild
			  : right.either.empty()
				  ? !got.error && !got.pid
				  : child && !got.what && got.xstat == child->xstat &&
					    (got.shared == shared || q->late);
	if (well)
		return child;
	std::ostringstream out;
	out << "wait of " << waiter->tid << " gives " << got << ", and right is ";
	if (!right.children)
		out << "ECHILD";
	else if (right.either.empty())
		out << "none yet";
	for (const ref::proc *p : right.either)
		out << (p == right.either.front() ? "" : " or ") << p->pid << " with xstat "
		    << p->xstat << (shared ? ", shared" : "");
	wrong(out.str());
	return std::nullopt;
}

// Whether it is one of those that are right.
bool trial::check_change(const waited &got, const ref::answer &right)
{
	const ref::event what = event_of(got.what);
	for (const ref::change &c : right.changes) {
		const int xstat = what == ref::event::end    ? c.status
				  : what == ref::event::cont ? sigcont
							     : c.status << 8 | 0x7f;
		if (!got.error && c.tid == got.pid && c.what == what && got.xstat == xstat &&
		    !got.shared)
			return true;
	}
	std::ostringstream out;
	out << "wait gives " << got << ", and right is a change of";
	for (const ref::change &c : right.changes)
		out << ' ' << c.tid << " (" << int(c.what) << ", " << c.status << ')';
	wrong(out.str());
	return false;
}

// What was reported, and is no end of a child.
void trial::collect(task_struct *reaper, const waited &got)
{
	task_struct *task = linux_.find_pid(got.pid)->task;
	say() << nr(reaper) << " collects from " << got.pid;
	if (!got.what)
		return detach(task);
	if (!linux_.collect(task, got.what))
		wrong("there is nothing to collect");
	ref::model::collect(twin(task), event_of(got.what));
}

// how: 1 a pid, 2 a group, 4 WLINUXCLONE, 8 no WNOHANG, 16 it is collected, 32 and the claim
// given back, 64 also stops, 128 WNOWAIT. more: 6 no ends.
void trial::wait()
{
	task_struct *task = pick([&](auto *t) { return may_call(t); });
	const task_struct *other = pick([](auto *t) { return t->group_leader == t; }, more_);
	if (!task)
		return;
	ref::target target{.clone = bool(how_ & 4)};
	wait_for what{.nohang = !(how_ & 8), .linuxclone = target.clone};
	if (other && other->signal->tgid && (how_ & 3)) {
		const bool group = how_ & 2;
		target.kind = group ? ref::target::group : ref::target::pid;
		what.idtype = group ? CORE_P_PGID : CORE_P_PID;
		what.id = group ? other->signal->pgid : other->signal->tgid;
		target.nr = what.id->nr;
	}
	target.stops = how_ & 64;
	target.ends = !target.stops || (more_ & 6) != 6;
	const bool claims = !(how_ & 128);
	what.options = (target.ends ? CORE_WEXITED : 0) |
		       (target.stops ? CORE_WUNTRACED | CORE_WCONTINUED | CORE_WTRAPPED : 0) |
		       (claims ? 0 : CORE_WNOWAIT);
	ref::lwp *l = twin(task);
	const ref::answer right = model_.wait(l, target);
	const bool none = right.either.empty() && right.changes.empty();
	const bool sleeps = !what.nohang && right.children && none;

	task->signalled = sleeps;
	waited got = sim::wait(task, what);
	task->signalled = false;
	say() << nr(task) << " for "
	      << (target.kind == ref::target::any
			  ? "any"
			  : (how_ & 2 ? "group " : "pid ") + std::to_string(target.nr))
	      << (target.clone ? " WLINUXCLONE" : "") << (what.nohang ? " WNOHANG" : "")
	      << (target.ends ? "" : " no ends") << (target.stops ? " stops" : "")
	      << (claims ? "" : " WNOWAIT") << " gives " << got;
	if (sleeps) {
		if (got.error != restartsys)
			wrong("a wait with nothing to report does not sleep");
		return;
	}
	if (right.either.empty() && !right.changes.empty()) {
		if (check_change(got, right) && (how_ & 16))
			collect(task, got);
		return;
	}
	if (!claims)
		got.shared = std::count_if(l->of->lwps.begin(), l->of->lwps.end(),
					   [](auto &m) { return m.counted; }) > 1;
	const auto child = check_wait(got, right, l);
	if (!child || !*child)
		return;
	if (claims)
		ref::model::claim(l, *child);
	if (how_ & 16)
		reap(task, linux_.find_pid(got.pid)->leader, !(more_ & 1));
	if (how_ & 32) {
		ref::model::wait_end(l);
		sim::wait_end(task);
	}
}

void trial::end_wait()
{
	task_struct *task = pick([&](auto *t) { return may_call(t); });
	if (!task)
		return;
	say() << nr(task);
	ref::model::wait_end(twin(task));
	sim::wait_end(task);
}

void trial::ask_lwp_tid()
{
	task_struct *task = pick([&](auto *t) { return may_call(t); });
	if (!task)
		return;
	const int got = lwp_tid(task);
	const ref::lwp *l = twin(task);
	say() << nr(task) << " gives " << got;
	if (l->of->late ? got < 1 : got != l->id)
		wrong("the lwp id is not " + std::to_string(l->id));
}

void trial::reap(task_struct *reaper, task_struct *child, bool release)
{
	const int number = nr(child);
	// Its own tracee's end is seen and reaped in one.
	if (child->tracer)
		detach(child);
	if (child->stage == stage::released)
		return;
	say() << nr(reaper) << " reaps " << number;
	ref::proc *p = model_.find(number);
	const int status = linux_.reap_begin(reaper, child);
	if (!p || status != p->status)
		wrong("Linux reaps another or with another status");
	else
		model_.gone(p);
	if (release)
		linux_.reap_end(child);
}

void trial::native_reap()
{
	task_struct *child = pick([&](auto *t) { return linux_.can_reap(t->real_parent, t); });
	if (child)
		reap(child->real_parent, child, how_ & 1);
}

void trial::end_reap()
{
	task_struct *child = pick([](auto *t) { return t->exit_state == exit_state::dead; });
	if (!child)
		return;
	say() << nr(child);
	linux_.reap_end(child);
}

// ---- what a process says of itself, and of others ------------------------------------

void trial::attach()
{
	task_struct *task = pick([](auto *t) { return runs(t) && !t->tracer; });
	if (!task)
		return;
	task_struct *tracer = pick(
		[&](auto *t) { return runs(t) && t->signal != task->signal && t->tracer != task; },
		how_);
	if (!tracer)
		return;
	say() << nr(tracer) << " traces " << nr(task);
	linux_.attach(tracer, task);
	twin(task)->tracer = twin(tracer);
}

void trial::detach(task_struct *task)
{
	say() << nr(task) << " is traced no more";
	linux_.detach(task);
	model_.detach(twin(task));
}

void trial::stop_trace()
{
	if (task_struct *task = pick([](auto *t) { return t->tracer; }))
		detach(task);
}

void trial::set_group()
{
	task_struct *task = pick(runs);
	const task_struct *other = pick([](auto *t) { return t->signal->pgid; }, how_);
	if (!task || !other)
		return;
	pid *group = more_ & 1 ? task->signal->tgid : other->signal->pgid;
	say() << nr(task) << " to " << group->nr;
	linux_.setpgid(task, group);
	twin(task)->of->pgid = group->nr;
}

void trial::set_session()
{
	task_struct *task = pick(runs);
	if (!task)
		return;
	say() << nr(task);
	linux_.setsid(task);
	ref::proc *p = twin(task)->of;
	p->pgid = p->sid = p->pid;
}

void trial::set_subreaper()
{
	task_struct *task = pick(runs);
	if (!task)
		return;
	say() << nr(task);
	linux_.set_subreaper(task);
	twin(task)->of->subreaper = true;
}

// how: 1 SIGCHLD is ignored, or heard; 128 instead, it stops, or 64 goes on.
void trial::signal()
{
	task_struct *task = pick(runs);
	if (!task)
		return;
	if (how_ & 128)
		return job_control(task);
	task->signal->ignores_sigchld = how_ & 1;
	twin(task)->of->ignores_sigchld = how_ & 1;
	say() << nr(task) << (how_ & 1 ? " ignored" : " heard");
}

// A stop is no more than a mark here: who has it goes on all the same.
void trial::job_control(task_struct *task)
{
	ref::lwp *l = twin(task);
	if (how_ & 64) {
		say() << nr(task) << " goes on";
		linux_.cont(task);
		ref::model::cont(l->of);
	} else if (task->tracer && (how_ & 1)) {
		say() << nr(task) << " stops for its tracer";
		linux_.trap(task, sigtrap | int(how_ & 7) << 8);
		l->trap = sigtrap | int(how_ & 7) << 8;
	} else {
		say() << nr(task) << " stops";
		linux_.stop(task, sigstop);
		ref::model::stop(l->of, sigstop);
	}
}

// ---- the module ----------------------------------------------------------------------

void trial::load_end()
{
	memory_fault::fail_until_waits(how_ % 4);
	if (world_.load_end())
		wrong("not everybody could be adopted");
	loading_ = false;
	say() << "everybody is adopted";
}

void trial::load_or_unload()
{
	if (loading_)
		return load_end();
	if (world_.loaded && who_ % 8)
		return;
	// Adoption would tell of births before their events.
	if (!tasks([](auto *t) { return t->stage == stage::linked; }).empty())
		return;
	if (world_.loaded) {
		say() << "unloaded";
		for (const task_struct *task : tasks([](auto *t) { return t->work; }))
			model_.exit_work(twin(task));
		world_.unload();
		model_.unload();
		return;
	}
	say() << "loaded";
	model_.load();
	world_.load_begin();
	loading_ = whole_ = true;
	adopters_ = !(more_ & 1); // a birth may come before its maker's adoption
	if (more_ & 1)
		return load_end();
	for (const ref::proc &p : model_.procs())
		model_.find(p.pid)->late = true;
}

void trial::heal()
{
	as worker(linux_.kthreadd());
	run_heal();
}

void trial::free_one()
{
	const auto &gone = linux_.released();
	if (gone.empty())
		return;
	task_struct *task = gone[who_ % gone.size()];
	grace_period();
	if (!linux_.may_free(task))
		return;
	say() << "one of " << gone.size();
	old_leaders_.erase(task);
	linux_.free(task);
}

void trial::free_all()
{
	linux_.idle_a_while();
	old_leaders_.clear();
}

void trial::renumber()
{
	if (who_ % 8 == 0)
		linux_.set_next_nr(3);
}

void trial::look_now()
{
	if (!world_.ready)
		return;
	if (how_ < 16)
		memory_fault::fail_until_waits(how_ % 4);
	look();
}

} // namespace sim
