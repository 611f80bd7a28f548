// SPDX-License-Identifier: GPL-2.0-only
/* The objects' memory, and the map from tasks to lwps. */
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "linux.h"

static struct kmem_cache *caches[HOST_POOLS];

/* A constructor keeps the cache to itself, so that a leak shows at its end. */
static void unmerged(void *object) {}

void *host_alloc(enum host_pool pool)
{
	return kmem_cache_alloc(caches[pool], GFP_ATOMIC | __GFP_NOWARN);
}

void host_free(enum host_pool pool, void *object)
{
	kmem_cache_free(caches[pool], object);
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
	void *object = kmem_cache_alloc(caches[HOST_POOL_PROC], GFP_KERNEL);

	if (object)
		kmem_cache_free(caches[HOST_POOL_PROC], object);
}

static void reclaim_proc(struct rcu_head *head)
{
	core_reclaim(HOST_POOL_PROC, (struct host_work *)head);
}

static void reclaim_lwp(struct rcu_head *head)
{
	core_reclaim(HOST_POOL_LWP, (struct host_work *)head);
}

void host_reclaim_later(enum host_pool pool, struct host_work *work)
{
	BUILD_BUG_ON(sizeof(struct rcu_head) != sizeof(struct host_work));
	call_rcu((struct rcu_head *)work, pool == HOST_POOL_PROC ? reclaim_proc : reclaim_lwp);
}

/*
 * Addresses of tasks differ in bits enough for one multiplication. Given here, these two are
 * inline in the table's fast paths.
 */
static u32 hash_task(const void *key, u32 len, u32 seed)
{
	const struct task_struct *const *task = key;

	return hash_64((unsigned long)*task ^ seed, 32);
}

static int is_other(struct rhashtable_compare_arg *arg, const void *link)
{
	return *(const struct task_struct *const *)arg->key !=
	       ((const struct host_link *)link)->task;
}

/*
 * Up to 3/4 of min_size of lwps it is never made larger or smaller, which takes the time of
 * many births: freed tasks come in batches, so their number goes up and down.
 */
static const struct rhashtable_params params = {
	.key_len = sizeof(struct task_struct *),
	.key_offset = offsetof(struct host_link, task),
	.head_offset = offsetof(struct host_link, next),
	.hashfn = hash_task,
	.obj_cmpfn = is_other,
	.min_size = 4096,
	.automatic_shrinking = true,
};

static struct rhashtable map;

int host_map_insert(struct host_link *link)
{
	int error;

	BUILD_BUG_ON(sizeof(struct rhash_head) != sizeof(link->next));
	error = rhashtable_lookup_insert_fast(&map, (struct rhash_head *)&link->next, params);
	/* The table's own limits are its memory's. */
	return error && error != -EEXIST ? -ENOMEM : error;
}

void host_map_remove(struct host_link *link)
{
	rhashtable_remove_fast(&map, (struct rhash_head *)&link->next, params);
}

struct host_link *host_map_find(const struct task_struct *task)
{
	return rhashtable_lookup(&map, &task, params);
}

void host_map_walk(void (*visit)(struct host_link *, void *), void *arg)
{
	struct rhashtable_iter iter;
	struct host_link *link;
	unsigned n = 0;

	rhashtable_walk_enter(&map, &iter);
	rhashtable_walk_start(&iter);
	while ((link = rhashtable_walk_next(&iter))) {
		/* Else what was seen is seen again, with what moved meanwhile. */
		if (!IS_ERR(link))
			visit(link, arg);
		if (++n % 1024 == 0) {
			rhashtable_walk_stop(&iter);
			cond_resched();
			rhashtable_walk_start(&iter);
			/* The last one seen was removed: its chain, from the start. */
			if (!iter.p)
				iter.skip = 0;
		}
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

unsigned host_map_size(void)
{
	return atomic_read(&map.nelems);
}

static void drain_one(void *link, void *drop)
{
	((void (*)(struct host_link *))drop)(link);
}

void host_map_drain(void (*drop)(struct host_link *))
{
	rhashtable_free_and_destroy(&map, drain_one, drop);
}

int host_memory_init(void)
{
	int error = -ENOMEM;

	caches[HOST_POOL_PROC] =
		kmem_cache_create("bsdproc_proc", core_proc_size, 0, SLAB_HWCACHE_ALIGN, unmerged);
	if (!caches[HOST_POOL_PROC])
		return error;
	caches[HOST_POOL_LWP] = kmem_cache_create("bsdproc_lwp", core_lwp_size, 0, 0, unmerged);
	if (caches[HOST_POOL_LWP])
		error = rhashtable_init(&map, &params);
	if (error)
		host_memory_exit();
	return error;
}

/* The map was drained, or is empty still. */
void host_memory_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(caches[HOST_POOL_LWP]);
	kmem_cache_destroy(caches[HOST_POOL_PROC]);
}
