// SPDX-License-Identifier: GPL-2.0-only
/* What the core takes for granted of its host: locks, pools, the map. */
#include <linux/hash.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "kunit.h"

static void locks_keep_softirqs_out(struct kunit *test)
{
	struct host_lock lock;

	host_lock_init(&lock, HOST_LOCK_PROC);
	KUNIT_EXPECT_FALSE(test, in_softirq());
	host_lock_acquire(&lock);
	KUNIT_EXPECT_TRUE(test, in_softirq());
	KUNIT_EXPECT_TRUE(test, spin_is_locked((spinlock_t *)&lock));
	host_lock_release(&lock);
	KUNIT_EXPECT_FALSE(test, in_softirq());
	KUNIT_EXPECT_FALSE(test, spin_is_locked((spinlock_t *)&lock));
}

/* Lockdep would call one class taken twice a deadlock. */
static void two_of_a_class_nest(struct kunit *test)
{
	struct host_lock first, second;

	host_lock_init(&first, HOST_LOCK_PROC);
	host_lock_init(&second, HOST_LOCK_PROC);
	host_lock_acquire(&first);
	host_lock_acquire_second(&second);
	host_lock_release(&first);
	/* Out of order, and softirqs still stay out. */
	KUNIT_EXPECT_TRUE(test, in_softirq());
	host_lock_release(&second);
	KUNIT_EXPECT_FALSE(test, in_softirq());
}

#ifdef CONFIG_DEBUG_LOCK_ALLOC
static const struct lock_class_key *class_of(enum host_lock_class cls)
{
	struct host_lock lock;

	host_lock_init(&lock, cls);
	return ((spinlock_t *)&lock)->dep_map.key;
}

static void locks_of_a_kind_are_a_class(struct kunit *test)
{
	int i, j;

	for (i = 0; i < HOST_LOCK_CLASSES; i++)
		for (j = 0; j < HOST_LOCK_CLASSES; j++)
			KUNIT_EXPECT_EQ(test, class_of(i) == class_of(j), i == j);
}
#endif

static void rcu_is_rcu(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC))
		kunit_skip(test, "needs CONFIG_DEBUG_LOCK_ALLOC");
	KUNIT_EXPECT_FALSE(test, rcu_read_lock_held());
	host_rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, rcu_read_lock_held());
	host_rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, rcu_read_lock_held());
}

/* All of it can be written to, also where nobody may sleep. */
static void memory_comes_whole(struct kunit *test)
{
	const size_t sizes[] = {[HOST_POOL_PROC] = core_proc_size, [HOST_POOL_LWP] = core_lwp_size};
	int pool, round;

	for (pool = 0; pool < HOST_POOLS; pool++)
		for (round = 0; round < 100; round++) {
			void *object;

			local_bh_disable();
			object = host_alloc(pool);
			local_bh_enable();
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
			memset(object, 0xa5, sizes[pool]);
			host_free(pool, object);
		}
}

/* The current thread, which is the kernel's, is nobody's lwp. */
static void the_map_knows_each_task_once(struct kunit *test)
{
	struct host_link link = {.task = current}, another = {.task = current};

	host_rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), (struct host_link *)NULL);
	KUNIT_EXPECT_EQ(test, host_map_insert(&link), 0);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), &link);
	KUNIT_EXPECT_EQ(test, host_map_insert(&another), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), &link);
	host_map_remove(&link);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), (struct host_link *)NULL);
	host_rcu_read_unlock();
	/* A reader may still be on the way over it. */
	synchronize_rcu();
}

struct search {
	const struct host_link *link;
	unsigned found, all;
};

static void look_for(struct host_link *link, void *arg)
{
	struct search *search = arg;

	search->found += link == search->link;
	search->all++;
}

static void the_map_is_walked_whole(struct kunit *test)
{
	struct host_link link = {.task = current};
	struct search before = {}, after = {.link = &link};

	host_map_walk(look_for, &before);
	KUNIT_ASSERT_EQ(test, host_map_insert(&link), 0);
	host_map_walk(look_for, &after);
	host_map_remove(&link);
	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, after.found, 1);
	/* This thread's, and those of the processes that came meanwhile. */
	KUNIT_EXPECT_GT(test, after.all, 1);
	KUNIT_EXPECT_GT(test, before.all, 0);
}

/*
 * What hashes as that task does, in tables of all sizes: the hash is the product's upper bits,
 * so a product with these and others below, times the factor's inverse.
 */
static struct task_struct *neighbour_of(const struct task_struct *task, unsigned number)
{
	const u64 upper = ((unsigned long)task * GOLDEN_RATIO_64) & ~(u64)U32_MAX;
	u64 inverse = GOLDEN_RATIO_64;
	int i;

	for (i = 0; i < 6; i++)
		inverse *= 2 - GOLDEN_RATIO_64 * inverse;
	return (struct task_struct *)((upper | number) * inverse);
}

/* Has links come to one chain and leave it, each time in another order. */
static int churn(void *task)
{
	enum { MANY = 32 };
	static struct host_link links[MANY];
	unsigned i, round;

	for (i = 0; i < MANY; i++)
		links[i].task = neighbour_of(task, i);
	for (round = 0; !kthread_should_stop(); round++) {
		for (i = 0; i < MANY; i++)
			while (host_map_insert(&links[i]))
				cond_resched();
		for (i = 0; i < MANY; i++)
			host_map_remove(&links[(i * (2 * round + 1) + round) % MANY]);
		synchronize_rcu();
	}
	return round;
}

/* Who is there all the time is found, and is in each walk, whoever comes and goes beside it. */
static void a_walk_misses_nobody(struct kunit *test)
{
	struct host_link link = {.task = current};
	struct task_struct *churner;
	int round, unseen = 0, lost = 0;
	unsigned crowd = 0, least = ~0u;

	KUNIT_ASSERT_EQ(test, hash_ptr(neighbour_of(current, 7), 20), hash_ptr(current, 20));
	KUNIT_ASSERT_EQ(test, host_map_insert(&link), 0);
	churner = kthread_run(churn, current, "churn");
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, churner);
	for (round = 0; round < 1000 && !IS_ERR(churner); round++) {
		struct search search = {.link = &link};
		int i;

		host_map_walk(look_for, &search);
		unseen += search.found != 1;
		crowd = max(crowd, search.all);
		least = min(least, search.all);
		host_rcu_read_lock();
		for (i = 0; i < 100; i++)
			lost += host_map_find(current) != &link;
		host_rcu_read_unlock();
		cond_resched();
	}
	if (!IS_ERR(churner))
		KUNIT_EXPECT_GT(test, kthread_stop(churner), 1);
	host_map_remove(&link);
	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, unseen, 0);
	KUNIT_EXPECT_EQ(test, lost, 0);
	/* Else nobody has come and gone. */
	KUNIT_EXPECT_GT(test, crowd, least);
}

/* What is given back is had again, by whom it is given back on whichever CPU. */
static void memory_comes_back(struct kunit *test)
{
	enum { MANY = 300 }; /* more than a CPU keeps */
	static void *objects[MANY];
	int pool, round, i;

	for (pool = 0; pool < HOST_POOLS; pool++)
		for (round = 0; round < 3; round++) {
			for (i = 0; i < MANY; i++) {
				objects[i] = host_alloc(pool);
				KUNIT_ASSERT_NOT_ERR_OR_NULL(test, objects[i]);
				/* One that somebody else has, too, would lose this. */
				*(void **)objects[i] = &objects[i];
			}
			for (i = 0; i < MANY; i++) {
				KUNIT_EXPECT_PTR_EQ(test, *(void **)objects[i],
						    (void *)&objects[i]);
				host_free(pool, objects[i]);
			}
		}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(locks_keep_softirqs_out),
	KUNIT_CASE(two_of_a_class_nest),
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	KUNIT_CASE(locks_of_a_kind_are_a_class),
#endif
	KUNIT_CASE(rcu_is_rcu),
	KUNIT_CASE(memory_comes_whole),
	KUNIT_CASE(memory_comes_back),
	KUNIT_CASE(the_map_knows_each_task_once),
	KUNIT_CASE(the_map_is_walked_whole),
	KUNIT_CASE(a_walk_misses_nobody),
	{},
};

struct kunit_suite host_suite = {
	.name = "bsdproc_host",
	.test_cases = cases,
};
