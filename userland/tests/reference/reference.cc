// SPDX-License-Identifier: GPL-2.0-only
#include "reference.hh"

#include <algorithm>

namespace ref
{

namespace
{

constexpr int sigchld = 17;

// A zombie in Linux's eyes: of its threads only the ended leader is left.
bool is_zombie(const proc *p)
{
	return p->lwps.size() == 1 && p->leader->where == way::ended;
}

bool is_exiting(const lwp &l)
{
	return l.where != way::running;
}

lwp *alive_thread(proc *p)
{
	const auto l = std::find_if_not(p->lwps.begin(), p->lwps.end(), is_exiting);
	return l == p->lwps.end() ? nullptr : &*l;
}

void drop(lwp *claimant)
{
	if (claimant && claimant->claim) {
		claimant->claim->claimant = nullptr;
		claimant->claim = nullptr;
	}
}

} // namespace

model::model()
{
	proc &kernel = procs_.emplace_back();
	kernel_ = kernel.leader = &kernel.lwps.emplace_back();
	kernel_->of = &kernel;
	init_ = fork(kernel_, 1, false, sigchld);
	init_->born = true;
}

proc *model::find(int pid)
{
	const auto p = std::find_if(procs_.begin(), procs_.end(),
				    [pid](const proc &q) { return q.pid == pid; });
	return p == procs_.end() ? nullptr : &*p;
}

std::vector<const proc *> model::children(const proc *p) const
{
	std::vector<const proc *> found;
	for (const proc &child : procs_)
		if (child.parent && child.parent->of == p && child.lwps.front().born)
			found.push_back(&child);
	return found;
}

// ---- births ----------------------------------------------------------------------

lwp *model::fork(lwp *maker, int pid, bool clone_parent, int exit_signal)
{
	const proc *from = maker->of;
	proc &p = procs_.emplace_back();
	p.pid = pid;
	p.pgid = from->pgid ? from->pgid : pid;
	p.sid = from->sid ? from->sid : pid;
	p.parent = clone_parent ? from->parent : maker;
	p.exit_signal = clone_parent ? from->exit_signal : exit_signal;
	p.ignores_sigchld = from->ignores_sigchld;
	p.leader = &p.lwps.emplace_back();
	p.leader->of = &p;
	p.leader->tid = pid;
	return p.leader;
}

lwp *model::thread(lwp *maker, int tid)
{
	lwp &l = maker->of->lwps.emplace_back();
	l.of = maker->of;
	l.tid = tid;
	return &l;
}

void model::born(lwp *l)
{
	l->born = true;
	l->counted = true;
	l->id = ++l->of->last_id;
}

// ---- ends ------------------------------------------------------------------------

// killalllwps: the first begins the exit of all, others come too late (EALREADY).
bool model::begin_exit(proc *p)
{
	if (p->wexit)
		return false;
	p->wexit = true;
	for (lwp &l : p->lwps)
		if (l.counted)
			l.wexit = true;
	return true;
}

// The first decides the status of all; without anybody, the last thread to go.
void model::group_exit(lwp *l, int status)
{
	if (!l->of->group_exit)
		l->of->status = status;
	l->of->group_exit = true;
}

void model::exit_begin(lwp *l, int status)
{
	l->where = way::begun;
	l->code = status;
	l->trap = 0;
	l->of->stop = 0;
	l->of->stopped = l->of->continued = false;
	if (!alive_thread(l->of))
		group_exit(l, status);
}

void model::exit_event(lwp *l)
{
	l->where = way::told;
	l->unheard = !loaded_;
}

void model::exit_work(lwp *l)
{
	proc *p = l->of;
	l->where = way::worked;
	if (l->unheard)
		return;
	if (p->group_exit || p->in_exec)
		begin_exit(p);
	l->wexit = true;
	l->counted = false;
	drop(l);
	if (l->setint)
		*l->setint = l->value;
	l->setint = nullptr;
	if (std::none_of(p->lwps.begin(), p->lwps.end(), [](const lwp &m) { return m.counted; }))
		end(p, !p->late && !p->moved);
}

// exit1, and after this it is one of its parent's zombies.
void model::end(proc *p, bool in_order)
{
	p->ended = p->wexit = true;
	p->xstat = p->status;
	p->death = in_order ? ++deaths_ : 0;
}

// What the model finds without having been told, of those who ended unheard.
void model::notice(proc *p)
{
	bool any = false;
	for (lwp &l : p->lwps) {
		if (l.unheard && l.where == way::ended)
			l.counted = false;
		any |= l.counted;
	}
	if (loaded_ && !any && !p->ended && is_zombie(p))
		end(p, false);
}

void model::exit_notify(lwp *l)
{
	proc *p = l->of;
	give_away(l, reaper_for(l));
	l->where = way::ended;
	notice(p);
	if (l != p->leader && !l->tracer)
		p->lwps.remove_if([l](const lwp &m) { return &m == l; });
	ended_in_linux(p);
}

// A process whose last thread is gone tells its parent, who may want no zombie.
void model::ended_in_linux(proc *p)
{
	notice(p);
	if (is_zombie(p) && !p->leader->tracer && p->exit_signal == sigchld &&
	    p->parent->of->ignores_sigchld)
		gone(p);
}

// Another thread of the process; the nearest subreaper above; init.
lwp *model::reaper_for(const lwp *father)
{
	if (lwp *thread = alive_thread(father->of))
		return thread;
	for (proc *p = father->of->parent->of; p->pid; p = p->parent->of)
		if (p->subreaper && alive_thread(p))
			return alive_thread(p);
	return init_;
}

void model::give_away(lwp *father, lwp *reaper)
{
	std::vector<proc *> given;
	for (proc &child : procs_)
		if (child.parent == father)
			given.push_back(&child);
	for (proc *child : given) {
		child->parent = reaper;
		if (reaper->of == father->of)
			continue;
		child->exit_signal = sigchld;
		child->death = 0;
		child->moved = true;
		drop(child->claimant);
		ended_in_linux(child);
	}
}

void model::gone(proc *p)
{
	drop(p->claimant);
	procs_.remove_if([p](const proc &q) { return &q == p; });
}

void model::detach(lwp *l)
{
	proc *p = l->of;
	l->tracer = nullptr;
	l->trap = 0;
	if (l->where != way::ended)
		return;
	if (l != p->leader)
		p->lwps.remove_if([l](const lwp &m) { return &m == l; });
	ended_in_linux(p);
}

// ---- exec ------------------------------------------------------------------------

void model::exec_begin(lwp *l)
{
	l->of->in_exec = true;
}

// The other threads are gone. Who was not the leader takes its place and number.
void model::de_thread(lwp *l)
{
	proc *p = l->of;
	if (p->leader != l) {
		const lwp *old = p->leader;
		p->leader = l;
		l->tid = p->pid;
		p->lwps.remove_if([old](const lwp &m) { return &m == old; });
	}
	p->exit_signal = sigchld;
	p->in_exec = false;
}

void model::exec_event(lwp *l)
{
	proc *p = l->of;
	l->id = p->last_id = 1;
	l->wexit = p->wexit = p->late = false;
	l->setint = nullptr; // its memory is gone
	p->exec = true;
}

// ---- requests --------------------------------------------------------------------

// One that has its verdict, or is in do_exit on its own, is no longer another.
verdict model::extexit(lwp *l, bool whole_proc, int *setint, int value)
{
	proc *p = l->of;
	bool last = true;
	for (const lwp &other : p->lwps)
		if (&other != l && other.born && !other.wexit && !is_exiting(other))
			last = false;
	const bool first_to_end_it = (whole_proc || last) && begin_exit(p);
	l->wexit = true;
	if (setint && first_to_end_it) {
		*setint = value;
	} else if (setint) {
		l->setint = setint;
		l->value = value;
	}
	return first_to_end_it ? verdict::proc : verdict::lwp;
}

// Whom its own process traces.
static bool is_mine(const lwp &l, const proc *q)
{
	return l.tracer && l.tracer->of == q;
}

static bool has_id(const lwp &l, const target &t)
{
	return t.kind == target::any || (t.kind == target::pid && l.tid == t.nr) ||
	       (t.kind == target::group && l.of->pgid == t.nr);
}

static bool matches(const proc *child, const proc *q, const target &t)
{
	if ((child->exit_signal != sigchld) != t.clone && !is_mine(*child->leader, q))
		return false;
	return t.kind == target::any || (t.kind == target::pid && child->pid == t.nr) ||
	       (t.kind == target::group && child->pgid == t.nr);
}

// A foreign tracer sees the end first.
static bool is_ready(const proc *child, const proc *parent)
{
	const lwp *tracer = child->leader->tracer;
	return is_zombie(child) && !child->claimant && (!tracer || tracer->of == parent);
}

// Linux keeps it for its tracer to collect its end.
static bool has_ended(const lwp &l)
{
	return l.where == way::ended && !(&l == l.of->leader && l.of->lwps.size() > 1);
}

// What a thread has to report to q, if q is its parent or traces it, besides that a child ended.
std::optional<change> model::change_of(const lwp &l, const proc *q, const target &t)
{
	const proc *p = l.of;
	const bool leads = &l == p->leader, mine = is_mine(l, q);
	const bool child = leads && p->parent && p->parent->of == q && p->lwps.front().born;
	if (child ? !matches(p, q, t) : !mine || !has_id(l, t))
		return {};
	if (has_ended(l)) {
		if (child || !mine || !t.ends)
			return {};
		return change{l.tid, event::end, p->group_exit ? p->status : l.code};
	}
	if (!t.stops)
		return {};
	if (mine ? l.trap : p->stop)
		return change{l.tid, mine ? event::trap : event::stop, mine ? l.trap : p->stop};
	if (p->continued)
		return change{l.tid, event::cont, 0};
	return {};
}

answer model::wait(lwp *l, const target &t)
{
	answer a;
	proc *oldest = nullptr;
	const proc *q = l->of;
	wait_end(l);
	for (const proc *c : children(q)) {
		proc *child = find(c->pid);
		if (!matches(child, q, t))
			continue;
		// A zombie is nobody to who does not ask for ends.
		const lwp *tracer = child->leader->tracer;
		a.children |= t.ends || !is_zombie(child) || (tracer && tracer->of != q);
		if (!t.ends || !is_ready(child, q))
			continue;
		if (!child->death)
			a.either.push_back(child);
		else if (!oldest || child->death < oldest->death)
			oldest = child;
	}
	if (oldest)
		a.either.push_back(oldest);
	for (const proc &p : procs_)
		for (const lwp &other : p.lwps) {
			const bool child = &other == p.leader && p.parent && p.parent->of == q;
			a.children |= !child && is_mine(other, q) && has_id(other, t) &&
				      (t.ends || !has_ended(other));
			if (const auto c = change_of(other, q, t))
				a.changes.push_back(*c);
		}
	return a;
}

void model::stop(proc *p, int signal)
{
	p->stopped = true;
	p->continued = false;
	p->stop = signal;
}

void model::cont(proc *p)
{
	p->stopped = false;
	p->continued = true;
	p->stop = 0;
}

void model::collect(lwp *l, event what)
{
	if (what == event::trap)
		l->trap = 0;
	else if (what == event::stop)
		l->of->stop = 0;
	else
		l->of->continued = false;
}

void model::claim(lwp *l, proc *child)
{
	l->claim = child;
	child->claimant = l;
}

void model::wait_end(lwp *l)
{
	drop(l);
}

// ---- the module comes and goes -----------------------------------------------------

void model::load()
{
	loaded_ = true;
	for (proc &p : procs_) {
		p.wexit = p.exec = p.ended = p.late = p.moved = false;
		p.adopted = true;
		p.last_id = p.xstat = 0;
		p.death = 0;
		for (lwp &l : p.lwps) {
			l.born = true;
			l.id = ++p.last_id;
			l.wexit = is_exiting(l);
			l.counted = l.where != way::ended;
			p.late |= l.unheard && l.counted;
		}
		notice(&p);
	}
}

void model::unload()
{
	loaded_ = false;
	for (proc &p : procs_)
		for (lwp &l : p.lwps) {
			drop(&l);
			l.setint = nullptr;
			l.unheard |= l.where >= way::told;
		}
}

void model::looked()
{
	for (proc &p : procs_)
		p.moved = false;
}

} // namespace ref
