// SPDX-License-Identifier: GPL-2.0-only
/* What the core takes for granted of its host: locks, pools, the map. */
#include <linux/delay.h>
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

/*
 * More at a time than are freed in one go: none is left waiting, and the cache would miss one
 * that was lost. What waits lies behind the link in an lwp.
 */
static void all_are_reclaimed(struct kunit *test)
{
	enum { MANY = 10000 };
	int i, n = 0;

	/* One list's: the callback cannot run meanwhile. */
	local_bh_disable();
	for (i = 0; i < MANY; i++) {
		struct host_link *object = host_alloc(HOST_POOL_LWP);

		if (object) {
			host_reclaim_later(HOST_POOL_LWP, (struct host_work *)(object + 1));
			n++;
		}
	}
	local_bh_enable();
	KUNIT_EXPECT_GT(test, n, MANY / 2);
	host_reclaim_wait();
}

/* As the core does, under one of its locks. */
static int insert(struct host_link *link)
{
	int error;

	local_bh_disable();
	error = host_map_insert(link);
	local_bh_enable();
	return error;
}

static void remove(struct host_link *link)
{
	local_bh_disable();
	host_map_remove(link);
	local_bh_enable();
}

/* The current thread, which is the kernel's, is nobody's lwp. */
static void the_map_knows_each_task_once(struct kunit *test)
{
	struct host_link link = {.task = current}, another = {.task = current};

	host_rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), (struct host_link *)NULL);
	KUNIT_EXPECT_EQ(test, insert(&link), 0);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), &link);
	KUNIT_EXPECT_EQ(test, insert(&another), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), &link);
	remove(&link);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), (struct host_link *)NULL);
	host_rcu_read_unlock();
	/* A reader may still be on the way over it. */
	synchronize_rcu();
}

/* What hashes as one task does. */
static struct host_link neighbours[32];

struct search {
	const struct host_link *link;
	unsigned found, neighbours, all;
};

static void look_for(struct host_link *link, void *arg)
{
	struct search *search = arg;

	search->found += link == search->link;
	search->neighbours += link >= neighbours && link < neighbours + ARRAY_SIZE(neighbours);
	search->all++;
}

static void the_map_is_walked_whole(struct kunit *test)
{
	struct host_link link = {.task = current};
	struct search search = {.link = &link};

	KUNIT_ASSERT_EQ(test, insert(&link), 0);
	host_map_walk(look_for, &search);
	remove(&link);
	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, search.found, 1);
	/* There are processes, too. */
	KUNIT_EXPECT_GT(test, search.all, 1);
}

/*
 * A task with that one's hash, in tables of all sizes: the hash is the product's upper bits, so
 * a product with these and others below, times the factor's inverse.
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

/* Has the neighbours come to their chain and leave it, each time in another order. */
static int churn(void *task)
{
	const unsigned many = ARRAY_SIZE(neighbours);
	unsigned i, round;

	for (i = 0; i < many; i++)
		neighbours[i].task = neighbour_of(task, i);
	for (round = 0; !kthread_should_stop(); round++) {
		for (i = 0; i < many; i++) {
			while (insert(&neighbours[i]))
				cond_resched();
			udelay(5);
		}
		for (i = 0; i < many; i++) {
			remove(&neighbours[(i * (2 * round + 1) + round) % many]);
			udelay(5);
		}
		synchronize_rcu_expedited();
	}
	return round;
}

/* Who is there all the time is found, and is in each walk, whoever comes and goes beside it. */
static void a_walk_misses_nobody(struct kunit *test)
{
	struct host_link link = {.task = current};
	struct task_struct *churner;
	int round, unseen = 0, lost = 0, among = 0;

	KUNIT_ASSERT_EQ(test, hash_ptr(neighbour_of(current, 7), 20), hash_ptr(current, 20));
	KUNIT_ASSERT_EQ(test, insert(&link), 0);
	churner = kthread_run(churn, current, "churn");
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, churner);
	/* As many walks as it takes to have met it changing some dozen times. */
	for (round = 0; round < 20000 && among < 30 && !IS_ERR(churner); round++) {
		struct search search = {.link = &link};
		int i;

		host_map_walk(look_for, &search);
		unseen += search.found != 1;
		among += search.neighbours > 0 && search.neighbours < ARRAY_SIZE(neighbours);
		host_rcu_read_lock();
		for (i = 0; i < 1000; i++)
			lost += host_map_find(current) != &link;
		host_rcu_read_unlock();
		cond_resched();
	}
	if (!IS_ERR(churner))
		KUNIT_EXPECT_GT(test, kthread_stop(churner), 1);
	remove(&link);
	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, unseen, 0);
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_GE(test, among, 30);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(locks_keep_softirqs_out),
	KUNIT_CASE(two_of_a_class_nest),
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	KUNIT_CASE(locks_of_a_kind_are_a_class),
#endif
	KUNIT_CASE(rcu_is_rcu),
	KUNIT_CASE(memory_comes_whole),
	KUNIT_CASE(all_are_reclaimed),
	KUNIT_CASE(the_map_knows_each_task_once),
	KUNIT_CASE(the_map_is_walked_whole),
	KUNIT_CASE(a_walk_misses_nobody),
	{},
};

struct kunit_suite host_suite = {
	.name = "bsdproc_host",
	.test_cases = cases,
};
