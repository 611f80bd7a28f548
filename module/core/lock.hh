// SPDX-License-Identifier: GPL-2.0-only
// Locks that clang's thread-safety analysis understands.
//
// Order, outer first:  adopt_lock  >  limbo_lock  >  p_token (two p_tokens by
// address, see proc_reparent)  >  stop_lock, vm_locks. The host's map and allocator are leaves
// below. exit_lock and varsym_lock are held alone.
#pragma once

#include "host.h"

#ifdef __clang__
#define TSA(x) __attribute__((x))
#else
#define TSA(x)
#endif
#define GUARDED_BY(lock) TSA(guarded_by(lock))
#define REQUIRES(...) TSA(requires_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS TSA(no_thread_safety_analysis)

namespace bsd
{

class TSA(capability("lock")) spinlock
{
	host_lock lock_;

public:
	void init(host_lock_class cls) { host_lock_init(&lock_, cls); }
	void lock() TSA(acquire_capability()) { host_lock_acquire(&lock_); }
	void lock_second() TSA(acquire_capability()) { host_lock_acquire_second(&lock_); }
	// For the analysis only, where it cannot see that the lock is held.
	void held() const TSA(assert_capability()) {}
	void unlock() TSA(release_capability()) { host_lock_release(&lock_); }
};

class TSA(scoped_lockable) guard
{
	spinlock &lock_;

public:
	explicit guard(spinlock &lock) TSA(acquire_capability(lock)) : lock_{lock} { lock_.lock(); }
	~guard() TSA(release_capability()) { lock_.unlock(); }
	guard(const guard &) = delete;
	guard &operator=(const guard &) = delete;
};

struct rcu_guard {
	rcu_guard() { host_rcu_read_lock(); }
	~rcu_guard() { host_rcu_read_unlock(); }
	rcu_guard(const rcu_guard &) = delete;
	rcu_guard &operator=(const rcu_guard &) = delete;
};

} // namespace bsd
