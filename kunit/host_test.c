// SPDX-License-Identifier: GPL-2.0-only
/* What the core takes for granted of its host: locks, pools, the map. */
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/kthread.h>
#include <linux/mm.h>
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
	const unsigned before = host_map_size();

	host_rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), (struct host_link *)NULL);
	KUNIT_EXPECT_EQ(test, host_map_insert(&link), 0);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), &link);
	KUNIT_EXPECT_EQ(test, host_map_insert(&another), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), &link);
	KUNIT_EXPECT_EQ(test, host_map_size(), before + 1);
	host_map_remove(&link);
	KUNIT_EXPECT_PTR_EQ(test, host_map_find(current), (struct host_link *)NULL);
	KUNIT_EXPECT_EQ(test, host_map_size(), before);
	host_rcu_read_unlock();
	/* A reader may still be on the way over it. */
	synchronize_rcu();
}

static void count(struct host_link *link, void *n)
{
	++*(unsigned *)n;
}

static void the_map_is_walked_whole(struct kunit *test)
{
	unsigned n = 0;

	host_map_walk(count, &n);
	KUNIT_EXPECT_EQ(test, n, host_map_size());
	KUNIT_EXPECT_GT(test, n, 0);
}

struct search {
	const struct host_link *link;
	bool found;
};

static void look_for(struct host_link *link, void *arg)
{
	struct search *search = arg;

	search->found |= link == search->link;
}

/* Fills the map with what is no task, and empties it again. */
static int churn(void *data)
{
	enum { MANY = 4000 }; /* at 3/4 of 4096 it grows */
	struct host_link *links = kvcalloc(MANY, sizeof(*links), GFP_KERNEL);
	int i;

	while (!links && !kthread_should_stop())
		cond_resched();
	while (!kthread_should_stop()) {
		for (i = 0; i < MANY; i++) {
			links[i].task = (struct task_struct *)&links[i];
			while (host_map_insert(&links[i]))
				cond_resched();
		}
		for (i = 0; i < MANY; i++)
			host_map_remove(&links[i]);
		synchronize_rcu();
	}
	kvfree(links);
	return links ? 0 : -ENOMEM;
}

/* What is there all the time is in each walk, however the map grows and shrinks. */
static void a_walk_misses_nobody(struct kunit *test)
{
	struct host_link link = {.task = current};
	struct task_struct *churner;
	int round, missed = 0;
	unsigned most = 0;

	KUNIT_ASSERT_EQ(test, host_map_insert(&link), 0);
	churner = kthread_run(churn, NULL, "churn");
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, churner);
	for (round = 0; round < 3000 && !IS_ERR(churner); round++) {
		struct search search = {.link = &link};

		host_map_walk(look_for, &search);
		missed += !search.found;
		most = max(most, host_map_size());
		cond_resched();
	}
	if (!IS_ERR(churner))
		KUNIT_EXPECT_EQ(test, kthread_stop(churner), 0);
	host_map_remove(&link);
	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_GT(test, most, 3072);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(locks_keep_softirqs_out),
	KUNIT_CASE(two_of_a_class_nest),
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	KUNIT_CASE(locks_of_a_kind_are_a_class),
#endif
	KUNIT_CASE(rcu_is_rcu),
	KUNIT_CASE(memory_comes_whole),
	KUNIT_CASE(the_map_knows_each_task_once),
	KUNIT_CASE(the_map_is_walked_whole),
	KUNIT_CASE(a_walk_misses_nobody),
	{},
};

struct kunit_suite host_suite = {
	.name = "bsdproc_host",
	.test_cases = cases,
};
