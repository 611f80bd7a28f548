// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects that each CPU keeps: how many, that they are had again, and that the cache has
 * all of them back in the end, which it says itself if it has not.
 */
#include "../module/linux/host_memory.c"

#include <linux/kthread.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "kunit.h"

enum { SIZE = 64 };

static void the_stash_keeps_so_many(struct kunit *test)
{
	struct pool own = {};
	void *objects[STASH_MAX + 1], *at_first, *in_the_end;
	int i, kept = 0, same = 0;

	KUNIT_ASSERT_EQ(test, pool_init(&own, "bsdproc_test", SIZE, 0), 0);
	for (i = 0; i <= STASH_MAX; i++)
		objects[i] = kmem_cache_alloc(own.cache, GFP_KERNEL | __GFP_NOFAIL);

	/* On one CPU, where KUnit could not say that something is wrong. */
	preempt_disable();
	at_first = unstash(&own);
	while (kept <= STASH_MAX && stash(&own, objects[kept]))
		kept++;
	/* The last that came goes first, as it may be in the CPU's cache. */
	for (i = kept; i--;)
		same += unstash(&own) == objects[i];
	in_the_end = unstash(&own);
	preempt_enable();
	KUNIT_EXPECT_PTR_EQ(test, at_first, NULL);
	KUNIT_EXPECT_PTR_EQ(test, in_the_end, NULL);
	KUNIT_EXPECT_EQ(test, kept, STASH_MAX);
	KUNIT_EXPECT_EQ(test, same, STASH_MAX);

	/* What is kept now goes with the pool. */
	for (i = 0; i <= STASH_MAX; i++)
		if (!stash(&own, objects[i]))
			kmem_cache_free(own.cache, objects[i]);
	pool_exit(&own);
}

/* As softirqs do: puts objects in between any two steps of the thread that takes them out. */
struct giver {
	struct pool *pool;
	int cpu;
	unsigned given;
};

static void give_one(void *data)
{
	struct giver *giver = data;
	void *object = kmem_cache_alloc(giver->pool->cache, GFP_ATOMIC | __GFP_NOWARN);

	if (object && !stash(giver->pool, object))
		kmem_cache_free(giver->pool->cache, object);
	else if (object)
		giver->given++;
}

static int keep_giving(void *data)
{
	struct giver *giver = data;

	while (!kthread_should_stop()) {
		smp_call_function_single(giver->cpu, give_one, giver, true);
		cond_resched();
	}
	return 0;
}

/* An object that is taken is in no other hands, whoever puts some in meanwhile. */
static void whoever_takes_has_it_alone(struct kunit *test)
{
	struct pool own = {};
	struct giver giver = {.pool = &own, .cpu = cpumask_first(cpu_online_mask)};
	struct task_struct *thread;
	unsigned taken = 0, stolen = 0;
	int round;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	KUNIT_ASSERT_EQ(test, pool_init(&own, "bsdproc_test", SIZE, 0), 0);
	set_cpus_allowed_ptr(current, cpumask_of(giver.cpu));
	thread = kthread_create(keep_giving, &giver, "giver");
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, thread);
	if (!IS_ERR(thread)) {
		kthread_bind(thread, cpumask_next(giver.cpu, cpu_online_mask));
		wake_up_process(thread);
	}
	for (round = 0; round < 1000000 && taken < 20000 && !IS_ERR(thread); round++) {
		void *mine[8];
		int i, n;

		for (n = 0; n < ARRAY_SIZE(mine) && (mine[n] = unstash(&own)); n++)
			memset(mine[n], n + 1, SIZE);
		taken += n;
		for (i = 0; i < n; i++) {
			stolen += !!memchr_inv(mine[i], i + 1, SIZE);
			kmem_cache_free(own.cache, mine[i]);
		}
		if (!n)
			cond_resched();
	}
	if (!IS_ERR(thread))
		kthread_stop(thread);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	KUNIT_EXPECT_GT(test, taken, 0);
	KUNIT_EXPECT_GE(test, giver.given, taken);
	KUNIT_EXPECT_EQ(test, stolen, 0);
	pool_exit(&own);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_stash_keeps_so_many),
	KUNIT_CASE(whoever_takes_has_it_alone),
	{},
};

struct kunit_suite pool_suite = {
	.name = "bsdproc_pool",
	.test_cases = cases,
};
