// SPDX-License-Identifier: GPL-2.0-only
// What other modules do at each exit: the process_exit event's handlers by priority, after
// them the at_exit callouts in the order of registration. The seed's lists are unlocked;
// here one may come and go while processes are inside.
//
// No lock is held over a callout. One that is taken away stays on the list until the last
// process has left it, so that whoever is inside finds the next one from there; who takes
// it away sleeps until then, unless it is in there itself. With nothing registered all of
// this is one load in each exit.
#include "../../include/bsdproc_at_exit.h"
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

struct exitlist_tag;
struct visitor_tag;

// A process that is inside a callout, or on its way there; on its stack.
struct visitor : list_node<visitor, visitor_tag> {
	task_struct *task;
};

} // namespace bsd

using namespace bsd;

struct exitlist : list_node<exitlist, exitlist_tag> {
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

// In one list: handlers by priority, then callouts.
static constinit spinlock exit_lock{};
static constinit list<exitlist, exitlist_tag> exit_list{};
static constinit atomic<unsigned> exit_count{};

static constexpr long callouts_priority = 1L << 32; // after all ints

static long rank(const exitlist *ep)
{
	return ep->callout ? callouts_priority : ep->priority;
}

static void insert(exitlist *ep) REQUIRES(exit_lock)
{
	exitlist *next = exit_list.first();
	while (next && rank(next) <= rank(ep))
		next = exit_list.after(next);
	exit_list.insert_before(next, ep);
	exit_count.add(1);
}

static void unlist(exitlist *ep) REQUIRES(exit_lock)
{
	list<exitlist, exitlist_tag>::erase(ep);
	exit_count.add(-1u);
}

static exitlist *find(exitlist_fn callout) REQUIRES(exit_lock)
{
	for (exitlist *ep = exit_list.first(); ep; ep = exit_list.after(ep))
		if (ep->callout == callout && !ep->removed)
			return ep;
	return nullptr;
}

static exitlist *next_to_visit(exitlist *ep) REQUIRES(exit_lock)
{
	while (ep && ep->removed)
		ep = exit_list.after(ep);
	return ep;
}

// Who is the last to leave a callout that was taken away frees it.
static void leave(exitlist *ep, visitor *who) REQUIRES(exit_lock)
{
	list<visitor, visitor_tag>::erase(who);
	if (!ep->removed || !ep->visitors.empty())
		return;
	unlist(ep);
	host_wakeup(&exit_list);
	host_mfree(ep);
}

void exit_callouts(task_struct *task)
{
	if (!exit_count.load())
		return;
	visitor self{};
	self.task = task;
	exit_lock.lock();
	exitlist *ep = next_to_visit(exit_list.first());
	while (ep) {
		ep->visitors.push_back(&self);
		exit_lock.unlock();
		if (ep->callout)
			ep->callout(task);
		else
			ep->handler(ep->arg, task);
		exit_lock.lock();
		exitlist *next = next_to_visit(exit_list.after(ep));
		leave(ep, &self);
		ep = next;
	}
	exit_lock.unlock();
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
	exitlist_fn callout;
	const exitlist *handler;
};

static int is_left(void *arg)
{
	const auto *a = static_cast<absence *>(arg);
	guard g(exit_lock);
	for (exitlist *ep = exit_list.first(); ep; ep = exit_list.after(ep))
		if (ep->removed && (a->callout ? ep->callout == a->callout : ep == a->handler) &&
		    !visits(ep))
			return false;
	return true;
}

// Takes it away for those who have yet to come to it.
static void remove(exitlist *ep) REQUIRES(exit_lock)
{
	ep->removed = true;
	if (!ep->visitors.empty())
		return;
	unlist(ep);
	host_mfree(ep);
}

static exitlist *make(exitlist_fn callout, process_exit_fn handler, void *arg, int priority)
{
	auto *ep = static_cast<exitlist *>(host_malloc(sizeof(exitlist)));
	if (!ep)
		return nullptr;
	ep->callout = callout;
	ep->handler = handler;
	ep->arg = arg;
	ep->priority = priority;
	ep->visitors.init();
	return ep;
}

void atexit_init()
{
	exit_lock.init(HOST_LOCK_EXITLIST);
	exit_list.init();
}

} // namespace bsd

int at_exit(exitlist_fn function)
{
	exitlist *ep = make(function, nullptr, nullptr, 0);
	if (!ep)
		return err::nomem;
	{
		guard g(exit_lock);
		if (!find(function)) {
			insert(ep);
			return 0;
		}
	}
	host_mfree(ep);
	host_warn("exit callout entry already present", reinterpret_cast<const void *>(function));
	return 0;
}

int rm_at_exit(exitlist_fn function)
{
	bool found;
	{
		guard g(exit_lock);
		exitlist *ep = find(function);
		found = ep;
		if (ep)
			remove(ep);
	}
	// Also for who was taken away before, by somebody who did not wait.
	absence of{function, nullptr};
	host_sleep(&exit_list, is_left, &of);
	return found;
}

exitlist *process_exit_register(process_exit_fn function, void *arg, int priority)
{
	exitlist *ep = make(nullptr, function, arg, priority);
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
	absence of{nullptr, handler};
	host_sleep(&exit_list, is_left, &of);
}
