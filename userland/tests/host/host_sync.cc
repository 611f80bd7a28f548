// SPDX-License-Identifier: GPL-2.0-only
// The core's locks, watched for misuse, and RCU.
#include <pthread.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <condition_variable>
#include <list>
#include <mutex>
#include <new>
#include <utility>

#include "host.hh"

namespace
{

struct lock_body {
	pthread_mutex_t mutex;
	bool locked;
	unsigned magic;
	host_lock_class cls;
};
static_assert(sizeof(lock_body) <= sizeof(host_lock) && alignof(lock_body) <= alignof(host_lock));

constexpr unsigned lock_magic = 0x10cced01;
const char *const class_names[] = {"p_token",   "adopt_lock",  "limbo_lock", "exit_lock",
				   "stop_lock", "varsym_lock", "vm_lock",    "ktrace_lock"};
// Outer first; see module/core/lock.hh.
constexpr int class_depth[] = {2, 0, 1, 3, 3, 3, 4, 3};

thread_local std::vector<const host_lock *> held;

lock_body &body(host_lock *lock)
{
	auto *b = reinterpret_cast<lock_body *>(lock->opaque);
	if (b->magic != lock_magic)
		sim::die("a lock that was never initialised, or is no more");
	return *b;
}

host_lock_class class_of(const host_lock *lock)
{
	return body(const_cast<host_lock *>(lock)).cls;
}

void take(host_lock *lock, bool second)
{
	lock_body &b = body(lock);
	const host_lock_class cls = b.cls;
	bool first = false;
	for (const host_lock *other : held) {
		if (other == lock)
			sim::die("%s locked twice", class_names[cls]);
		const host_lock_class ocls = class_of(other);
		if (ocls == cls && second && !first && other < lock)
			first = true;
		else if (ocls == cls)
			sim::die("two %ss, not the lower address first", class_names[cls]);
		else if (class_depth[ocls] > class_depth[cls])
			sim::die("%s taken with %s held", class_names[cls], class_names[ocls]);
	}
	if (second && !first)
		sim::die("%s taken as a second one without a first", class_names[cls]);
	if (sim::turns_here)
		sim::turns_here->until([&b] { return !b.locked; });
	pthread_mutex_lock(&b.mutex);
	b.locked = true;
	sim::turns_acquire(lock);
	held.push_back(lock);
}

// ---- RCU

std::mutex rcu_mutex;
std::condition_variable rcu_left;
uint64_t rcu_clock;
std::list<uint64_t> rcu_readers; // when each began
std::vector<std::function<void()>> rcu_callbacks;

thread_local unsigned rcu_depth;
thread_local std::list<uint64_t>::iterator rcu_entry;

bool passed_locked(uint64_t then)
{
	return std::all_of(rcu_readers.begin(), rcu_readers.end(),
			   [then](uint64_t began) { return began > then; });
}

thread_local sim::intruder *intruder_here;
thread_local bool interrupted_reader; // an intruder came into its RCU section

} // namespace

namespace sim
{

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "host: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	if (turns_here)
		turns_here->died();
	abort();
}

bool holds_core_lock()
{
	return !held.empty();
}

bool in_rcu()
{
	return rcu_depth != 0;
}

void must_be_in_rcu(const char *function)
{
	if (!in_rcu())
		die("%s outside RCU", function);
}

void must_hold_no_core_lock(const char *function)
{
	if (holds_core_lock())
		die("%s with %s held", function, class_names[class_of(held.back())]);
}

void must_be_able_to_sleep(const char *function)
{
	must_hold_no_core_lock(function);
	if (in_rcu())
		die("%s may sleep, inside RCU", function);
}

void must_not_be_locked(const void *memory, size_t size)
{
	const auto *from = static_cast<const char *>(memory);
	for (const host_lock *lock : held) {
		const auto *at = reinterpret_cast<const char *>(lock);
		if (at >= from && at < from + size)
			die("memory given back with its %s held", class_names[class_of(lock)]);
	}
}

uint64_t rcu_now()
{
	std::lock_guard g(rcu_mutex);
	return ++rcu_clock;
}

bool rcu_passed(uint64_t then)
{
	std::lock_guard g(rcu_mutex);
	return passed_locked(then);
}

void rcu_synchronize()
{
	if (in_rcu() || interrupted_reader)
		die("waiting for RCU inside RCU");
	const uint64_t now = rcu_now();
	if (turns_here) {
		turns_here->until([now] { return rcu_passed(now); });
		turns_here->acquire_all();
	}
	std::unique_lock g(rcu_mutex);
	rcu_left.wait(g, [now] { return passed_locked(now); });
}

void rcu_call(std::function<void()> callback)
{
	std::lock_guard g(rcu_mutex);
	rcu_callbacks.push_back(std::move(callback));
}

void grace_period()
{
	std::vector<std::function<void()>> due;
	{
		std::lock_guard g(rcu_mutex);
		due.swap(rcu_callbacks);
	}
	rcu_synchronize();
	for (auto &callback : due)
		callback();
}

thread_local turns *turns_here;

void turns_acquire(const void *sync)
{
	if (turns_here)
		turns_here->acquire(sync);
}

void turns_release(const void *sync)
{
	if (turns_here)
		turns_here->release(sync);
}

intruder::intruder(where where, unsigned nth, std::function<void()> other)
    : where_{where}, left_{nth}, other_{std::move(other)}
{
	if (intruder_here)
		die("one intruder at a time");
	intruder_here = this;
}

intruder::~intruder()
{
	intruder_here = nullptr;
}

void intrude()
{
	if (turns_here)
		turns_here->point();
	intruder *i = intruder_here;
	if (!i || (i->where_ == intruder::where::unlocked && holds_core_lock()) || --i->left_)
		return;
	i->came_ = true;
	intruder_here = nullptr;
	// The other CPU is not inside RCU because this one is.
	const unsigned depth = std::exchange(rcu_depth, 0);
	const auto entry = rcu_entry;
	const bool before = std::exchange(interrupted_reader, interrupted_reader || depth);
	i->other_();
	interrupted_reader = before;
	rcu_depth = depth;
	rcu_entry = entry;
	intruder_here = i;
	i->left_ = ~0u;
}

} // namespace sim

using namespace sim;

void host_lock_init(host_lock *lock, host_lock_class cls)
{
	auto *b = new (lock->opaque) lock_body{PTHREAD_MUTEX_INITIALIZER, false, lock_magic, cls};
	pthread_mutex_init(&b->mutex, nullptr);
}

void host_lock_acquire(host_lock *lock)
{
	intrude();
	take(lock, false);
}

void host_lock_acquire_second(host_lock *lock)
{
	take(lock, true);
}

void host_lock_release(host_lock *lock)
{
	const auto at = std::find(held.begin(), held.end(), lock);
	if (at == held.end())
		die("a lock released that is not held");
	held.erase(at);
	turns_release(lock);
	body(lock).locked = false;
	pthread_mutex_unlock(&body(lock).mutex);
}

void host_rcu_read_lock(void)
{
	if (rcu_depth++)
		return;
	std::lock_guard g(rcu_mutex);
	rcu_entry = rcu_readers.insert(rcu_readers.end(), ++rcu_clock);
}

void host_rcu_read_unlock(void)
{
	if (!rcu_depth)
		die("RCU left twice");
	if (--rcu_depth)
		return;
	std::lock_guard g(rcu_mutex);
	rcu_readers.erase(rcu_entry);
	rcu_left.notify_all();
}
