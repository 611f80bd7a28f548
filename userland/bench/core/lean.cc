// SPDX-License-Identifier: GPL-2.0-only
#include "lean.hh"

#include <cerrno>
#include <cstdlib>
#include <new>
#include <sched.h>
#include <vector>

// ---- memory: each CPU keeps what it frees. malloc() costs more once a program has threads ---------

namespace
{

enum kind { PROC, LWP, TASK, PID, KINDS };

struct free_object {
	free_object *next;
};
thread_local free_object *kept[KINDS];

void *take(kind k, unsigned long size)
{
	free_object *object = kept[k];
	if (!object)
		return malloc(size);
	kept[k] = object->next;
	return object;
}

template <class T, class... Args> T *make(kind k, Args... args)
{
	return new (take(k, sizeof(T))) T{args...};
}

void give(kind k, void *memory)
{
	kept[k] = new (memory) free_object{kept[k]};
}

void give_all_back()
{
	for (free_object *&first : kept)
		while (free_object *object = first) {
			first = object->next;
			free(object);
		}
}

kind kind_of(host_pool pool)
{
	return pool == HOST_POOL_PROC ? PROC : LWP;
}

} // namespace

void *host_alloc(host_pool pool)
{
	return take(kind_of(pool), pool == HOST_POOL_PROC ? core_proc_size : core_lwp_size);
}

void host_free(host_pool pool, void *object)
{
	give(kind_of(pool), object);
}

namespace lean
{

thread_local task_struct *current;

task_struct *new_task(task_struct *parent)
{
	auto *task = make<task_struct>(TASK);
	task->tgid = make<pid>(PID, task, 1);
	task->real_parent = parent;
	task->kthread = !parent;
	return task;
}

void free_task(task_struct *task)
{
	host_pid_put(task->tgid);
	give(TASK, task);
}

} // namespace lean

using lean::current;

// ---- locks -----------------------------------------------------------------------------------

static std::atomic<char> &word(host_lock *lock)
{
	static_assert(sizeof(std::atomic<char>) <= sizeof(host_lock));
	return *reinterpret_cast<std::atomic<char> *>(lock->opaque);
}

void host_lock_init(host_lock *lock, host_lock_class)
{
	new (lock->opaque) std::atomic<char>{0};
}

void host_lock_acquire(host_lock *lock)
{
	while (word(lock).exchange(1, std::memory_order_acquire))
		sched_yield();
}

void host_lock_acquire_second(host_lock *lock)
{
	host_lock_acquire(lock);
}

void host_lock_release(host_lock *lock)
{
	word(lock).store(0, std::memory_order_release);
}

// ---- RCU: what has been given up is freed when each other CPU was quiescent since ---------------

namespace
{

constexpr unsigned max_cpus = 16;

struct alignas(64) counter {
	std::atomic<unsigned long> passed; // odd: there is no such CPU now
};
counter counters[max_cpus] = {{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1},
			      {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}};

struct given_up {
	host_pool pool;
	host_work *work;
};

thread_local unsigned self;
thread_local std::vector<given_up> fresh, waiting;
thread_local unsigned long seen[max_cpus];

bool all_have_passed()
{
	for (unsigned i = 0; i < max_cpus; i++) {
		const unsigned long passed = counters[i].passed.load(std::memory_order_acquire);
		if (i != self && passed == seen[i] && !(passed & 1))
			return false;
	}
	return true;
}

void begin_grace_period()
{
	waiting.swap(fresh);
	for (unsigned i = 0; i < max_cpus; i++)
		seen[i] = counters[i].passed.load(std::memory_order_acquire);
}

void reclaim()
{
	for (const given_up &g : waiting)
		core_reclaim(g.pool, g.work);
	waiting.clear();
}

} // namespace

namespace lean
{

cpu::cpu()
{
	unsigned long none = 1;
	self = 0;
	while (!counters[self].passed.compare_exchange_strong(none, 2)) {
		none = 1;
		self = (self + 1) % max_cpus;
	}
}

cpu::~cpu()
{
	do {
		begin_grace_period();
		while (!all_have_passed()) {
			counters[self].passed.fetch_add(2); // who waits is quiescent, too
			sched_yield();
		}
		reclaim();
	} while (!fresh.empty());
	counters[self].passed.store(1);
	give_all_back();
}

void cpu::quiescent()
{
	counters[self].passed.fetch_add(2, std::memory_order_release);
	if (!waiting.empty() && all_have_passed())
		reclaim();
	if (waiting.empty() && fresh.size() >= 32)
		begin_grace_period();
}

} // namespace lean

void host_rcu_read_lock() {}
void host_rcu_read_unlock() {}

void host_reclaim_later(host_pool pool, host_work *work)
{
	fresh.push_back({pool, work});
}

// ---- the map ----------------------------------------------------------------------------------

namespace
{

// Room enough for all, so that it need not grow as the kernel's does.
constexpr unsigned long buckets = 1ul << 22;
std::atomic<host_link *> table[buckets];
host_lock stripes[1 << 16];

unsigned long slot(const task_struct *task)
{
	return (reinterpret_cast<unsigned long>(task) * 0x9e3779b97f4a7c15ul) >> 42;
}

host_link *next_of(const host_link *link)
{
	return static_cast<host_link *>(__atomic_load_n(&link->next, __ATOMIC_ACQUIRE));
}

} // namespace

int host_map_insert(host_link *link)
{
	const unsigned long at = slot(link->task);
	host_lock &lock = stripes[at % (1 << 16)];
	host_lock_acquire(&lock);
	link->next = table[at].load(std::memory_order_relaxed);
	table[at].store(link, std::memory_order_release);
	host_lock_release(&lock);
	return 0;
}

void host_map_remove(host_link *link)
{
	const unsigned long at = slot(link->task);
	host_lock &lock = stripes[at % (1 << 16)];
	host_lock_acquire(&lock);
	host_link *first = table[at].load(std::memory_order_relaxed), *before = nullptr;
	for (host_link *l = first; l != link; l = next_of(l))
		before = l;
	if (before)
		__atomic_store_n(&before->next, link->next, __ATOMIC_RELEASE);
	else
		table[at].store(next_of(link), std::memory_order_release);
	host_lock_release(&lock);
}

host_link *host_map_find(const task_struct *task)
{
	host_link *link = table[slot(task)].load(std::memory_order_acquire);
	while (link && link->task != task)
		link = next_of(link);
	return link;
}

// ---- Linux's truth -------------------------------------------------------------------------------

task_struct *host_current()
{
	return current;
}

unsigned host_task_bits(const task_struct *task)
{
	unsigned bits = HOST_TASK_LEADER | HOST_TASK_ALONE;
	if (task->exiting)
		bits |= HOST_TASK_EXITING | HOST_TASK_LONE;
	if (task->zombie)
		bits |= HOST_TASK_EXITED;
	return bits;
}

unsigned host_task_bits_at_birth(const task_struct *)
{
	return HOST_TASK_LEADER;
}

int host_task_kthread(const task_struct *task)
{
	return task->kthread;
}

int host_task_last(const task_struct *task)
{
	return task->exiting;
}

int host_task_privileged(const task_struct *)
{
	return 0;
}

task_struct *host_task_real_parent(const task_struct *task)
{
	return task->real_parent;
}

pid *host_task_tgid(const task_struct *task)
{
	return task->tgid;
}

int host_task_exit_signal(const task_struct *)
{
	return 17;
}

int host_task_xstat(const task_struct *)
{
	return 0;
}

int host_task_group_exit(const task_struct *task)
{
	return task->exiting;
}

int host_task_group_exec(const task_struct *)
{
	return 0;
}

int host_task_init(const task_struct *)
{
	return 0;
}

int host_task_on_cpu(const task_struct *)
{
	return 0;
}

const void *host_task_mm(const task_struct *task)
{
	return task; // nobody shares it
}

void host_pid_get(pid *pid)
{
	pid->refs.fetch_add(1, std::memory_order_relaxed);
}

void host_pid_put(pid *pid)
{
	if (pid->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
		give(PID, pid);
}

task_struct *host_pid_leader(pid *pid)
{
	return pid->leader.load(std::memory_order_acquire);
}

host_reap host_pid_reap(pid *pid)
{
	const task_struct *leader = host_pid_leader(pid);
	if (!leader)
		return HOST_REAP_GONE;
	return leader->zombie ? HOST_REAP_READY : HOST_REAP_NOT_YET;
}

int host_process_traces()
{
	return 0;
}

unsigned host_task_marks(const task_struct *, int *)
{
	return 0;
}

// Nobody sleeps.
void host_wake_waiters(task_struct *) {}

int host_acct_wanted()
{
	return 0;
}
