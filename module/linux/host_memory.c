// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects' memory. Their slab caches, and before them a few free objects for each CPU: they
 * come back in batches, a grace period's at a time, by which the slab's own fast paths are
 * passed by, and whole pages go back to Linux to be asked for again with the next births.
 */
#include <linux/cpumask.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "linux.h"

/*
 * Any context puts objects in, this CPU's threads alone take them out, so one at a time. How
 * many there are is not exact while somebody is at it.
 */
struct stash {
	struct llist_head objects;
	unsigned count;
};

static struct pool {
	struct kmem_cache *cache;
	struct stash __percpu *stashes;
} pools[HOST_POOLS];

/* What a grace period frees with a few thousand births a second; for procs it is 56 KiB. */
#define STASH_MAX 128

/* KASAN is to see each object's end. */
#define STASHING (!IS_ENABLED(CONFIG_KASAN))

static void *unstash(struct pool *pool)
{
	struct llist_node *node;

	preempt_disable();
	node = llist_del_first(this_cpu_ptr(&pool->stashes->objects));
	if (node)
		this_cpu_dec(pool->stashes->count);
	preempt_enable();
	return node;
}

static bool stash(struct pool *pool, void *object)
{
	bool fits;

	preempt_disable();
	fits = this_cpu_read(pool->stashes->count) < STASH_MAX;
	if (fits) {
		this_cpu_inc(pool->stashes->count);
		llist_add(object, this_cpu_ptr(&pool->stashes->objects));
	}
	preempt_enable();
	return fits;
}

void *host_alloc(enum host_pool pool)
{
	void *object;

	lockdep_assert(!in_hardirq() && !in_serving_softirq());
	object = STASHING ? unstash(&pools[pool]) : NULL;
	return object ?: kmem_cache_alloc(pools[pool].cache, GFP_ATOMIC | __GFP_NOWARN);
}

void host_free(enum host_pool pool, void *object)
{
	if (!STASHING || !stash(&pools[pool], object))
		kmem_cache_free(pools[pool].cache, object);
}

void *host_malloc(unsigned long size)
{
	return kzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

void host_mfree(void *memory)
{
	kfree(memory);
}

void host_memory_wait(void)
{
	struct kmem_cache *cache = pools[HOST_POOL_PROC].cache;
	void *object = kmem_cache_alloc(cache, GFP_KERNEL);

	if (object)
		kmem_cache_free(cache, object);
}

/* A constructor keeps the cache to itself, so that a leak shows at its end. */
static void unmerged(void *object) {}

static int pool_init(struct pool *pool, const char *name, unsigned size, slab_flags_t flags)
{
	pool->stashes = alloc_percpu(struct stash);
	pool->cache = kmem_cache_create(name, size, 0, flags, unmerged);
	return pool->stashes && pool->cache ? 0 : -ENOMEM;
}

static void pool_exit(struct pool *pool)
{
	struct llist_node *object;
	int cpu;

	if (pool->stashes && pool->cache) {
		for_each_possible_cpu(cpu) {
			struct stash *left = per_cpu_ptr(pool->stashes, cpu);

			while ((object = llist_del_first(&left->objects)))
				kmem_cache_free(pool->cache, object);
		}
	}
	free_percpu(pool->stashes);
	kmem_cache_destroy(pool->cache);
}

int host_memory_init(void)
{
	int error = pool_init(&pools[HOST_POOL_PROC], "bsdproc_proc", core_proc_size,
			      SLAB_HWCACHE_ALIGN);

	if (!error)
		error = pool_init(&pools[HOST_POOL_LWP], "bsdproc_lwp", core_lwp_size, 0);
	if (!error)
		error = host_map_init();
	if (error)
		host_memory_exit();
	return error;
}

/* The map was drained, or is empty still. */
void host_memory_exit(void)
{
	host_reclaim_wait();
	host_map_exit();
	pool_exit(&pools[HOST_POOL_LWP]);
	pool_exit(&pools[HOST_POOL_PROC]);
}
