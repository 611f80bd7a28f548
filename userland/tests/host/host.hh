// SPDX-License-Identifier: GPL-2.0-only
// The core's host in a test program: what a test may ask of it and do to it.
// The functions that the core itself calls are those of module/core/host.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "core/core.h"

namespace sim
{

// A misuse of the host, or of the simulator: says so and aborts.
[[noreturn]] void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- host_sync.cc ------------------------------------------------------------

// Whether the calling thread holds a lock of the core, or is inside RCU.
bool holds_core_lock();
bool in_rcu();
// For the functions of host.h, by what it says of them.
void must_be_in_rcu(const char *function);
void must_hold_no_core_lock(const char *function);
void must_be_able_to_sleep(const char *function);
// The memory goes: no lock in it may be held.
void must_not_be_locked(const void *memory, size_t size);

// One clock stamps what RCU has to order.
uint64_t rcu_now();
// Whether whoever was inside RCU at that time has left.
bool rcu_passed(uint64_t then);
// Waits until that is so.
void rcu_synchronize();
// Calls it in the next grace_period().
void rcu_call(std::function<void()> callback);
// Ends one grace period: calls what was asked for before.
void grace_period();

// Every host call of the core is a place where another CPU may come in between.
// The nth of them made by the calling thread from now on is preceded by other().
// With locks held by the core only what calls no core may be done there.
class intruder
{
public:
	enum class where { anywhere, unlocked };
	intruder(where where, unsigned nth, std::function<void()> other);
	~intruder();
	intruder(const intruder &) = delete;
	intruder &operator=(const intruder &) = delete;
	// Whether the nth call was reached.
	bool came() const { return came_; }

private:
	friend void intrude();
	where where_;
	unsigned left_;
	std::function<void()> other_;
	bool came_ = false;
};
void intrude();

// Several threads that take turns, in an order that somebody decides (tests/interleave).
// Without, the operating system does.
class turns
{
public:
	virtual ~turns() = default;
	// Another one may go on first.
	virtual void point() = 0;
	// Others go on until it is so. Asked while nobody runs.
	virtual void until(const std::function<bool()> &so) = 0;
	// What was done before release() is seen by who does acquire() after it.
	virtual void acquire(const void *sync) = 0;
	virtual void release(const void *sync) = 0;
	// What everybody has done is seen from here on.
	virtual void acquire_all() = 0;
	// The process is about to abort.
	virtual void died() = 0;
};
extern thread_local turns *turns_here;
void turns_acquire(const void *sync);
void turns_release(const void *sync);

// ---- host_memory.cc ------------------------------------------------------------

// Allocations and insertions into the map, counted together.
struct memory_fault {
	// The nth from now fails, once; 0: none does.
	static void fail_nth(unsigned nth);
	// All fail until host_memory_wait() was called that many times.
	static void fail_until_waits(unsigned n);
	// How many there were since fail_nth().
	static unsigned calls();
	static void passed_by_waiting();
};

// Where the objects' memory comes from, instead of malloc().
struct memory_source {
	virtual ~memory_source() = default;
	virtual void *get(size_t size) = 0;
	virtual void put(void *memory, size_t size) = 0;
};
extern memory_source *the_memory_source;

unsigned pool_live(host_pool pool);
unsigned other_memory_live(); // of host_malloc()
unsigned map_size();

// ---- host_wait.cc --------------------------------------------------------------

host_setint *setint_make(int *address, int value);
unsigned setint_live();

// What host_heal_later() asked for.
bool heal_is_due();
void run_heal();

// ---- host_log.cc ---------------------------------------------------------------

// What host_warn() said since this was last asked.
std::vector<std::string> warnings();

// ---- host_acct.cc --------------------------------------------------------------

// A record as somebody would have read it.
struct account {
	int pid, xstat;
	unsigned flags, tty;

	bool operator==(const account &) const = default;
};
// From now on somebody reads, or nobody does; what was read so far is dropped.
void acct_read(bool on);
std::vector<account> accounts();

} // namespace sim

// A descriptor of BSDPROC_HOLD (host_tracer.cc).
struct host_tracer {
	bool may = true;
	std::atomic<unsigned> wakeups = 0;
};

#ifdef KTRACE
// A descriptor of BSDPROC_KTRACE (host_ktrace.cc).
struct host_ktrace {
	bool may = true;
	std::atomic<bool> closed = false; // a grace period after its closing
	std::mutex mutex;
	bool more = false;
	std::vector<std::string> records;

	std::vector<std::string> told();
	bool over();
};
#endif

namespace sim
{

// ---- core_data.cc --------------------------------------------------------------

// The core's data as it was linked: a module is loaded anew.
void core_data_reset();

} // namespace sim
