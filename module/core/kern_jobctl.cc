// SPDX-License-Identifier: GPL-2.0-only
// Stops, continues, traps: what a wait reports besides ends. SSTOP, P_WAITED and P_CONTINUED
// of the seed are Linux's own marks here, which whatever wait collects them takes away; so
// native and BSD waits never report one stop twice.
//
// No event tells of them, but Linux wakes whom it would concern. A process that asks for
// them gets a watch: an ear at its own wait queue that remembers who woke it. So a look is at
// those, however many children there are; at all of them only at first, and when the watch had
// no room.
#include "proc.hh"

namespace bsd
{

static unsigned change_of(const task_struct *task, unsigned kinds, int *xstat)
{
	int code = 0;
	const unsigned marks = host_task_marks(task, &code);
	const unsigned traps = CORE_WTRAPPED | CORE_WUNTRACED;

	// Linux reports that before all else, asked or not.
	if (marks & HOST_MARK_TRAPPED) {
		*xstat = code << 8 | 0x7f;
		return kinds & traps ? CORE_WTRAPPED : 0;
	}
	if ((marks & HOST_MARK_STOPPED) && (kinds & CORE_WUNTRACED)) {
		*xstat = code << 8 | 0x7f;
		return CORE_WUNTRACED;
	}
	if ((marks & HOST_MARK_CONTINUED) && (kinds & CORE_WCONTINUED)) {
		*xstat = SIGCONT;
		return CORE_WCONTINUED;
	}
	if ((marks & HOST_MARK_ENDED) && (kinds & CORE_WEXITED)) {
		*xstat = code;
		return CORE_WEXITED;
	}
	return 0;
}

static const proc *child_of(const proc *p, const task_struct *task)
{
	const proc *child = host_task_bits(task) & HOST_TASK_LEADER ? proc_of(task) : nullptr;
	return child && child->p_pptr.load() == p ? child : nullptr;
}

static bool is_mine(const task_struct *task)
{
	int code;
	return host_task_marks(task, &code) & HOST_MARK_MINE;
}

static bool is_halted(const task_struct *task)
{
	int code;
	return host_task_marks(task, &code) & HOST_MARK_HALTED;
}

void watch_open(proc *p)
{
	if (p->p_watch.load())
		return;
	// Without memory all children are looked at, each time.
	host_watch *watch = host_watch_open();
	if (!watch)
		return;
	guard g(p->p_token);
	if (!p->p_watch.load())
		p->p_watch.store(watch);
	else
		host_watch_close(watch);
}

void watch_close(proc *p)
{
	if (host_watch *watch = p->p_watch.load()) {
		p->p_watch.store(nullptr);
		host_watch_close(watch);
	}
}

void watch_newcomer(const proc *p, const proc *child)
{
	if (host_watch *watch = p->p_watch.load())
		host_watch_add(watch, child->p_pid);
}

namespace
{

// Each who may have something to report is shown to it; the first that is waited for is kept.
struct search {
	proc *p;
	const core_wait_args *w;
	change found;
	unsigned crowd; // how many the watch should have room for

	// True: this one has, to whomever; or it may come to have something, and nobody tells:
	// that it goes on, as soon as it is sent SIGCONT; that it has stopped, when its tracer
	// lets go.
	bool look_at(const task_struct *task, pid *id)
	{
		// The ends of children are not looked for here.
		const unsigned stops = CORE_WUNTRACED | CORE_WCONTINUED | CORE_WTRAPPED;
		const proc *child = child_of(p, task);
		const unsigned kinds = child ? stops : is_mine(task) ? stops | CORE_WEXITED : 0;
		int xstat = 0;

		if (!kinds)
			return false;
		if (!change_of(task, kinds, &xstat)) {
			const bool halted = is_halted(task);
			crowd += halted;
			return halted;
		}
		crowd++;
		if (found.id || !(child ? wait_wants(w, child) : wait_wants(w, task)))
			return true;
		if (const unsigned what = change_of(task, kinds & w->options, &xstat)) {
			host_pid_get(id);
			found = {id, what, xstat};
		}
		return true;
	}
};

} // namespace

static int look_at_tracee(task_struct *task, void *arg)
{
	auto *s = static_cast<search *>(arg);
	pid *id = host_task_pid(task);
	if (id && s->look_at(task, id))
		if (host_watch *watch = s->p->p_watch.load())
			host_watch_add(watch, id);
	return false; // and the next
}

// At all; who has something to report is in the watch again after it, if there is one.
static void look_at_all(proc *p, search *s, bool traces) REQUIRES(p->p_token)
{
	host_watch *watch = p->p_watch.load();
	if (watch)
		host_watch_reset(watch);
	for (proc *child = p->p_children.first(); child; child = p->p_children.after(child)) {
		const task_struct *leader = host_pid_leader(child->p_pid);
		if (leader && s->look_at(leader, child->p_pid) && watch)
			host_watch_add(watch, child->p_pid);
	}
	if (traces)
		host_tracees_find(look_at_tracee, s);
}

change watch_find(proc *p, const core_wait_args *w, bool traces, unsigned *crowd)
{
	search s{.p = p, .w = w, .found = {}, .crowd = 0};
	host_watch *watch = p->p_watch.load();

	*crowd = 0;
	if (!watch || host_watch_missed(watch)) {
		look_at_all(p, &s, traces);
		if (watch && host_watch_missed(watch))
			*crowd = s.crowd;
		return s.found;
	}
	for (unsigned n = host_watch_count(watch); n && !s.found.id; n--) {
		// Out first: what Linux tells while it is looked at puts it in again.
		pid *id = host_watch_take(watch);
		if (!id)
			break;
		const task_struct *task = host_pid_task(id);
		if (task && s.look_at(task, id)) {
			// The next look is to find the same, until it is collected.
			if (s.found.id)
				host_watch_put_back(watch, id);
			else
				host_watch_add(watch, id);
		}
		host_pid_put(id);
	}
	return s.found;
}

change change_find(proc *p, const core_wait_args *w, bool *exists)
{
	search s{.p = p, .w = w, .found = {}, .crowd = 0};
	const task_struct *task = host_pid_task(w->id);

	*exists = task && tracee_may_report(w, task);
	if (task)
		s.look_at(task, w->id);
	return s.found;
}

} // namespace bsd
