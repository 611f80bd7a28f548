// SPDX-License-Identifier: GPL-2.0-only
/* The watch: who is noted at this thread's own wait queue, in which order, and what is lost. */
#include "../module/linux/host_watch.c"

#include <linux/kthread.h>

#include "kunit.h"

static struct task_struct *someone(struct kunit *test)
{
	struct task_struct *task = kthread_create(NULL, NULL, "kunit_watched");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	return task;
}

static void tell(struct task_struct *key)
{
	__wake_up(&current->signal->wait_chldexit, TASK_INTERRUPTIBLE, 1, key);
}

static bool next_is(struct host_watch *watch, struct task_struct *task)
{
	struct pid *pid = host_watch_take(watch);
	const bool is = pid == (task ? task_pid(task) : NULL);

	put_pid(pid);
	return is;
}

static struct host_watch *watch_of(struct kunit *test)
{
	struct host_watch *watch = host_watch_open();

	KUNIT_ASSERT_NOT_NULL(test, watch);
	/* Whoever stopped before it is not in it. */
	KUNIT_EXPECT_TRUE(test, host_watch_missed(watch));
	host_watch_reset(watch);
	KUNIT_EXPECT_FALSE(test, host_watch_missed(watch));
	return watch;
}

static void who_wakes_is_noted_in_order(struct kunit *test)
{
	struct task_struct *a = someone(test), *b = someone(test);
	struct host_watch *watch = watch_of(test);

	tell(a);
	tell(b);
	tell(b);
	tell(a);
	/* It is host_wake_waiters() then. */
	tell(current);
	KUNIT_EXPECT_EQ(test, host_watch_count(watch), 3);
	KUNIT_EXPECT_TRUE(test, next_is(watch, a));
	KUNIT_EXPECT_TRUE(test, next_is(watch, b));
	KUNIT_EXPECT_TRUE(test, next_is(watch, a));
	KUNIT_EXPECT_TRUE(test, next_is(watch, NULL));
	host_watch_close(watch);
	tell(a);
	kthread_stop(a);
	kthread_stop(b);
}

static void who_does_not_fit_is_missed(struct kunit *test)
{
	struct task_struct *a = someone(test), *b = someone(test);
	struct host_watch *watch = watch_of(test);
	const int refs = refcount_read(&task_pid(a)->count);
	int i;

	for (i = 0; i < FIRST_ROOM; i++)
		tell(i % 2 ? a : b);
	KUNIT_EXPECT_FALSE(test, host_watch_missed(watch));
	tell(b);
	KUNIT_EXPECT_TRUE(test, host_watch_missed(watch));
	KUNIT_EXPECT_EQ(test, host_watch_count(watch), FIRST_ROOM);
	KUNIT_EXPECT_EQ(test, refcount_read(&task_pid(a)->count), refs + FIRST_ROOM / 2);
	host_watch_reset(watch);
	KUNIT_EXPECT_EQ(test, host_watch_count(watch), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&task_pid(a)->count), refs);
	host_watch_close(watch);
	kthread_stop(a);
	kthread_stop(b);
}

/* From the middle of the ring. */
static void it_grows_in_order(struct kunit *test)
{
	struct task_struct *a = someone(test), *b = someone(test);
	struct host_watch *watch = watch_of(test);
	int i;

	for (i = 0; i < FIRST_ROOM; i++)
		tell(i % 2 ? a : b);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_TRUE(test, next_is(watch, i % 2 ? a : b));
	for (i = FIRST_ROOM; i < FIRST_ROOM + 5; i++)
		tell(i % 2 ? a : b);
	host_watch_grow(watch, 8);
	host_watch_grow(watch, 3 * FIRST_ROOM);
	for (i = FIRST_ROOM + 5; i < 3 * FIRST_ROOM; i++)
		tell(i % 2 ? a : b);
	KUNIT_EXPECT_FALSE(test, host_watch_missed(watch));
	for (i = 5; i < 3 * FIRST_ROOM; i++)
		KUNIT_EXPECT_TRUE(test, next_is(watch, i % 2 ? a : b));
	KUNIT_EXPECT_TRUE(test, next_is(watch, NULL));
	host_watch_close(watch);
	kthread_stop(a);
	kthread_stop(b);
}

static struct host_watch *looked_at;
static unsigned found;

static int look(struct wait_queue_entry *entry, unsigned mode, int flags, void *key)
{
	found = host_watch_count(looked_at);
	return 0;
}

/* Who sleeps there may look as soon as he is woken, whenever he came. */
static void it_is_told_before_who_sleeps(struct kunit *test)
{
	struct task_struct *a = someone(test);
	struct wait_queue_entry before, after;

	init_waitqueue_func_entry(&before, look);
	init_waitqueue_func_entry(&after, look);
	add_wait_queue(&current->signal->wait_chldexit, &before);
	looked_at = watch_of(test);
	found = 0;
	tell(a);
	KUNIT_EXPECT_EQ(test, found, 1);
	remove_wait_queue(&current->signal->wait_chldexit, &before);

	host_watch_reset(looked_at);
	add_wait_queue(&current->signal->wait_chldexit, &after);
	found = 0;
	tell(a);
	KUNIT_EXPECT_EQ(test, found, 1);
	remove_wait_queue(&current->signal->wait_chldexit, &after);
	host_watch_close(looked_at);
	kthread_stop(a);
}

static void the_first_can_be_put_back(struct kunit *test)
{
	struct task_struct *a = someone(test), *b = someone(test);
	struct host_watch *watch = watch_of(test);
	struct pid *pid;

	tell(a);
	tell(b);
	pid = host_watch_take(watch);
	host_watch_put_back(watch, pid);
	put_pid(pid);
	KUNIT_EXPECT_EQ(test, host_watch_count(watch), 2);
	KUNIT_EXPECT_TRUE(test, next_is(watch, a));
	KUNIT_EXPECT_TRUE(test, next_is(watch, b));
	host_watch_close(watch);
	kthread_stop(a);
	kthread_stop(b);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(it_is_told_before_who_sleeps),
	KUNIT_CASE(the_first_can_be_put_back),
	KUNIT_CASE(who_wakes_is_noted_in_order),
	KUNIT_CASE(who_does_not_fit_is_missed),
	KUNIT_CASE(it_grows_in_order),
	{},
};

struct kunit_suite watch_suite = {
	.name = "bsdproc_watch",
	.test_cases = cases,
};
