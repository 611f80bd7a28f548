// SPDX-License-Identifier: GPL-2.0-only
// What other modules do at each exit: the process_exit event's handlers by priority, after
// them the at_exit callouts in the order of registration; and hooks, in the stages whose
// subsystems Linux does not have. The seed's lists are unlocked; here one may come and go
// while processes are inside.
//
// No lock is held over a callout. One that is taken away stays on its list until the last
// thread has left it, so that whoever is inside finds the next one from there; who takes
// it away sleeps until then, unless it is in there itself. Where nothing is registered all of
// this is one load.
#include "../../include/bsdproc_at_exit.h"
#include "../../include/bsdproc_exit_stage.h"
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

struct callouts;
struct exitlist_tag;
struct visitor_tag;

// A thread that is inside a callout, or on its way there; on its stack.
struct visitor : list_node<visitor, visitor_tag> {
	task_struct *task;
};

} // namespace bsd

using namespace bsd;

struct exitlist : list_node<exitlist, exitlist_tag> {
	callouts *place;
	exitlist_fn callout; // null: a handler
	process_exit_fn handler;
	void *arg;
	int priority;
	// The rest: exit_lock.
	list<visitor, visitor_tag> visitors;
	bool removed;
};

namespace bsd
{

static constinit spinlock exit_lock{};

// Who is called at one point of the exit, in that order.
struct callouts : list<exitlist, exitlist_tag> {
	atomic<unsigned> count;
};

// Handlers by priority, then callouts.
static constinit callouts exit_list{};
static constinit callouts stages[EXIT_STAGES]{};

static constexpr long callouts_priority = 1L << 32; // after all ints

static long rank(const exitlist *ep)
{
	return ep->callout ? callouts_priority : ep->priority;
}

static void insert(exitlist *ep) REQUIRES(exit_lock)
{
	callouts &l = *ep->place;
	exitlist *next = l.first();
	while (next && rank(next) <= rank(ep))
		next = l.after(next);
	l.insert_before(next, ep);
	l.count.add(1);
}

// Nobody is inside.
static void destroy(exitlist *ep) REQUIRES(exit_lock)
{
	ep->place->count.add(-1u);
	callouts::erase(ep);
	host_mfree(ep);
}

static exitlist *find(callouts &l, exitlist_fn callout) REQUIRES(exit_lock)
{
	for (exitlist *ep = l.first(); ep; ep = l.after(ep))
		if (ep->callout == callout && !ep->removed)
			return ep;
	return nullptr;
}

static exitlist *next_to_visit(exitlist *ep) REQUIRES(exit_lock)
{
	while (ep && ep->removed)
		ep = ep->place->after(ep);
	return ep;
}

// Who is the last to leave a callout that was taken away frees it.
static void leave(exitlist *ep, visitor *who) REQUIRES(exit_lock)
{
	list<visitor, visitor_tag>::erase(who);
	if (!ep->removed || !ep->visitors.empty())
		return;
	host_wakeup(ep->place);
	destroy(ep);
}

RARE static void call_each(callouts &l, task_struct *task)
{
	visitor self{};
	self.task = task;
	exit_lock.lock();
	exitlist *ep = next_to_visit(l.first());
	while (ep) {
		ep->visitors.push_back(&self);
		exit_lock.unlock();
		if (ep->callout)
			ep->callout(task);
		else
			ep->handler(ep->arg, task);
		exit_lock.lock();
		exitlist *next = next_to_visit(l.after(ep));
		leave(ep, &self);
		ep = next;
	}
	exit_lock.unlock();
}

static void call(callouts &l, task_struct *task)
{
	if (l.count.load())
		call_each(l, task);
}

// Whether the current thread is inside.
static bool visits(exitlist *ep) REQUIRES(exit_lock)
{
	const task_struct *task = host_current();
	for (visitor *v = ep->visitors.first(); v; v = ep->visitors.after(v))
		if (v->task == task)
			return true;
	return false;
}

// What somebody waits for: that nobody is left in a callout that was taken away. A handler
// is known by its address, where nothing may be by now.
struct absence {
	callouts *place;
	exitlist_fn callout;
	const exitlist *handler;
};

static int is_left(void *arg)
{
	const auto *a = static_cast<absence *>(arg);
	guard g(exit_lock);
	for (exitlist *ep = a->place->first(); ep; ep = a->place->after(ep))
		if (ep->removed && (a->callout ? ep->callout == a->callout : ep == a->handler) &&
		    !visits(ep))
			return false;
	return true;
}

// Takes it away for those who have yet to come to it.
static void remove(exitlist *ep) REQUIRES(exit_lock)
{
	ep->removed = true;
	if (ep->visitors.empty())
		destroy(ep);
}

static exitlist *make(callouts &l, exitlist_fn callout, process_exit_fn handler, void *arg,
		      int priority)
{
	auto *ep = static_cast<exitlist *>(host_malloc(sizeof(exitlist)));
	if (!ep)
		return nullptr;
	ep->place = &l;
	ep->callout = callout;
	ep->handler = handler;
	ep->arg = arg;
	ep->priority = priority;
	ep->visitors.init();
	return ep;
}

static int add(callouts &l, exitlist_fn function)
{
	exitlist *ep = make(l, function, nullptr, nullptr, 0);
	if (!ep)
		return err::nomem;
	{
		guard g(exit_lock);
		if (!find(l, function)) {
			insert(ep);
			return 0;
		}
	}
	host_mfree(ep);
	host_warn("exit callout entry already present", reinterpret_cast<const void *>(function));
	return 0;
}

static int take_away(callouts &l, exitlist_fn function)
{
	bool found;
	{
		guard g(exit_lock);
		exitlist *ep = find(l, function);
		found = ep;
		if (ep)
			remove(ep);
	}
	// Also for who was taken away before, by somebody who did not wait.
	absence of{&l, function, nullptr};
	host_sleep(&l, is_left, &of);
	return found;
}

void atexit_init()
{
	exit_lock.init(HOST_LOCK_EXITLIST);
	exit_list.init();
	for (callouts &stage : stages)
		stage.init();
}

void exit_callouts(task_struct *task)
{
	call(exit_list, task);
}

bool exit_callouts_there()
{
	return exit_list.count.load();
}

void caps_exit(task_struct *task)
{
	call(stages[EXIT_CAPS_EXIT], task);
}

void upc_release(task_struct *task)
{
	call(stages[EXIT_UPC_RELEASE], task);
}

bool vkernel_lwps()
{
	return stages[EXIT_VKERNEL_LWP_EXIT].count.load();
}

void vkernel_lwp_exit(task_struct *task)
{
	call(stages[EXIT_VKERNEL_LWP_EXIT], task);
}

void vkernel_exit(task_struct *task)
{
	call(stages[EXIT_VKERNEL_EXIT], task);
}

} // namespace bsd

int at_exit(exitlist_fn function)
{
	return add(exit_list, function);
}

int rm_at_exit(exitlist_fn function)
{
	return take_away(exit_list, function);
}

int at_exit_stage(unsigned stage, exit_stage_fn function)
{
	return stage < EXIT_STAGES ? add(stages[stage], function) : err::inval;
}

int rm_at_exit_stage(unsigned stage, exit_stage_fn function)
{
	return stage < EXIT_STAGES ? take_away(stages[stage], function) : err::inval;
}

exitlist *process_exit_register(process_exit_fn function, void *arg, int priority)
{
	exitlist *ep = make(exit_list, nullptr, function, arg, priority);
	if (ep) {
		guard g(exit_lock);
		insert(ep);
	}
	return ep;
}

void process_exit_deregister(exitlist *handler)
{
	{
		guard g(exit_lock);
		remove(handler);
	}
	absence of{&exit_list, nullptr, handler};
	host_sleep(&exit_list, is_left, &of);
}
