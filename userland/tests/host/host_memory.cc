// SPDX-License-Identifier: GPL-2.0-only
// The objects' memory, and the map from tasks to lwps.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <unordered_map>

#include "linux.hh"

namespace
{

std::mutex memory_mutex;
std::set<void *> live[HOST_POOLS];
std::unordered_map<void *, size_t> other_memory;
unsigned counted, failing, waits;

std::mutex map_mutex;
struct entry {
	host_link *link;
	unsigned long born; // walks go by it, to be the same in each run
};
std::unordered_map<const task_struct *, entry> map;
unsigned long births;

// As slab's poison.
constexpr int poison = 0x6b;
int in_map, out_of_map; // their addresses fill the links' spare word

bool fails()
{
	std::lock_guard g(memory_mutex);
	counted++;
	return waits || (failing && !--failing);
}

size_t size_of(host_pool pool)
{
	return pool == HOST_POOL_PROC ? core_proc_size : core_lwp_size;
}

} // namespace

namespace sim
{

memory_source *the_memory_source;

void memory_fault::fail_nth(unsigned nth)
{
	std::lock_guard g(memory_mutex);
	failing = nth;
	counted = 0;
	waits = 0;
}

void memory_fault::fail_until_waits(unsigned n)
{
	std::lock_guard g(memory_mutex);
	waits = n;
}

unsigned memory_fault::calls()
{
	std::lock_guard g(memory_mutex);
	return counted;
}

void memory_fault::passed_by_waiting()
{
	std::lock_guard g(memory_mutex);
	if (waits)
		waits--;
}

unsigned pool_live(host_pool pool)
{
	std::lock_guard g(memory_mutex);
	return live[pool].size();
}

unsigned other_memory_live()
{
	std::lock_guard g(memory_mutex);
	return other_memory.size();
}

unsigned map_size()
{
	std::lock_guard g(map_mutex);
	return map.size();
}

} // namespace sim

using namespace sim;

void *host_alloc(host_pool pool)
{
	intrude();
	if (fails())
		return nullptr;
	void *object =
		the_memory_source ? the_memory_source->get(size_of(pool)) : malloc(size_of(pool));
	memset(object, poison, size_of(pool));
	std::lock_guard g(memory_mutex);
	live[pool].insert(object);
	return object;
}

void host_free(host_pool pool, void *object)
{
	{
		std::lock_guard g(memory_mutex);
		if (!live[pool].erase(object))
			die("freed what was not allocated there");
	}
	must_not_be_locked(object, size_of(pool));
	memset(object, poison, size_of(pool));
	if (the_memory_source)
		the_memory_source->put(object, size_of(pool));
	else
		free(object);
}

void *host_malloc(unsigned long size)
{
	must_be_able_to_sleep(__func__);
	intrude();
	if (fails())
		return nullptr;
	void *memory = the_memory_source ? the_memory_source->get(size) : calloc(1, size);
	std::lock_guard g(memory_mutex);
	other_memory[memory] = size;
	return memory;
}

void host_mfree(void *memory)
{
	if (!memory)
		return;
	size_t size;
	{
		std::lock_guard g(memory_mutex);
		const auto it = other_memory.find(memory);
		if (it == other_memory.end())
			die("freed what was not allocated there");
		size = it->second;
		other_memory.erase(it);
	}
	must_not_be_locked(memory, size);
	memset(memory, poison, size);
	if (the_memory_source)
		the_memory_source->put(memory, size);
	else
		free(memory);
}

void host_reclaim_later(host_pool pool, host_work *work)
{
	intrude();
	// The host's own from here on.
	work->next = nullptr;
	work->func = nullptr;
	rcu_call([pool, work] { core_reclaim(pool, work); });
}

int host_map_insert(host_link *link)
{
	intrude();
	const bool no_memory = fails();
	std::lock_guard g(map_mutex);
	if (map.count(link->task))
		return -EEXIST;
	if (no_memory)
		return -ENOMEM;
	map.emplace(link->task, entry{link, ++births});
	turns_release(link);
	link->next = &in_map;
	return 0;
}

void host_map_remove(host_link *link)
{
	intrude();
	std::lock_guard g(map_mutex);
	const auto at = map.find(link->task);
	if (at == map.end() || at->second.link != link || link->next != &in_map)
		die("removed from the map what is not there");
	map.erase(at);
	link->next = &out_of_map;
}

host_link *host_map_find(const task_struct *task)
{
	intrude();
	must_be_in_rcu(__func__);
	std::lock_guard g(map_mutex);
	const auto at = map.find(task);
	if (at == map.end())
		return nullptr;
	turns_acquire(at->second.link);
	return at->second.link;
}

static std::vector<host_link *> by_birth()
{
	std::vector<entry> entries;
	for (const auto &[task, entry] : map)
		entries.push_back(entry);
	std::sort(entries.begin(), entries.end(),
		  [](const entry &a, const entry &b) { return a.born < b.born; });
	std::vector<host_link *> links;
	for (const entry &entry : entries) {
		turns_acquire(entry.link);
		links.push_back(entry.link);
	}
	return links;
}

void host_map_walk(void (*visit)(host_link *, void *), void *arg)
{
	must_hold_no_core_lock(__func__);
	host_rcu_read_lock();
	std::vector<host_link *> links;
	{
		std::lock_guard g(map_mutex);
		links = by_birth();
	}
	for (host_link *link : links)
		visit(link, arg);
	host_rcu_read_unlock();
}

void host_map_drain(void (*drop)(host_link *))
{
	must_be_able_to_sleep(__func__);
	std::vector<host_link *> links;
	{
		std::lock_guard g(map_mutex);
		links = by_birth();
		map.clear();
	}
	for (host_link *link : links)
		drop(link);
}
