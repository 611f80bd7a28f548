// SPDX-License-Identifier: GPL-2.0-only
/* Whom a wake-up of wait wakes. This thread sleeps and wakes itself. */
#include "../module/linux/host_wait.c"

#include <linux/kthread.h>

#include "kunit.h"

static bool wakes(struct host_waiter *waiter, struct task_struct *key)
{
	bool awake;

	host_wait_prepare(waiter);
	__wake_up(&current->signal->wait_chldexit, TASK_INTERRUPTIBLE, 1, key);
	awake = READ_ONCE(current->__state) == TASK_RUNNING;
	host_wait_finish(waiter);
	return awake;
}

static struct task_struct *someone(struct kunit *test)
{
	struct task_struct *task = kthread_create(NULL, NULL, "kunit_someone");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	return task;
}

static void any_child_wakes(struct kunit *test)
{
	struct task_struct *child = someone(test);
	struct host_waiter waiter;

	host_waiter_init(&waiter, PIDTYPE_MAX, NULL);
	KUNIT_EXPECT_TRUE(test, wakes(&waiter, child));
	kthread_stop(child);
}

static void only_the_one_wakes(struct kunit *test)
{
	struct task_struct *child = someone(test), *other = someone(test);
	struct host_waiter waiter;

	host_waiter_init(&waiter, PIDTYPE_PID, task_tgid(child));
	KUNIT_EXPECT_FALSE(test, wakes(&waiter, other));
	KUNIT_EXPECT_TRUE(test, wakes(&waiter, child));
	kthread_stop(child);
	kthread_stop(other);
}

/* A claim has ended: whoever is waited for, everyone looks again. */
static void its_own_process_wakes_whoever_is_waited_for(struct kunit *test)
{
	struct task_struct *child = someone(test);
	struct host_waiter waiter;

	host_waiter_init(&waiter, PIDTYPE_PID, task_tgid(child));
	host_wait_prepare(&waiter);
	rcu_read_lock();
	host_wake_waiters(current);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, READ_ONCE(current->__state), TASK_RUNNING);
	host_wait_finish(&waiter);
	kthread_stop(child);
}

static void no_sleep_with_a_signal_pending(struct kunit *test)
{
	struct host_waiter waiter;

	host_waiter_init(&waiter, PIDTYPE_MAX, NULL);
	host_wait_prepare(&waiter);
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, host_wait_sleep(&waiter), 1);
	clear_thread_flag(TIF_SIGPENDING);
	host_wait_finish(&waiter);
	KUNIT_EXPECT_EQ(test, READ_ONCE(current->__state), TASK_RUNNING);
}

/* It lies on the stack of who waited. */
static void nothing_stays_in_the_queue(struct kunit *test)
{
	struct host_waiter waiter;

	host_waiter_init(&waiter, PIDTYPE_MAX, NULL);
	host_wait_prepare(&waiter);
	KUNIT_EXPECT_TRUE(test, waitqueue_active(&current->signal->wait_chldexit));
	/* Once more, as wait's loop does. */
	host_wait_prepare(&waiter);
	host_wait_finish(&waiter);
	KUNIT_EXPECT_FALSE(test, waitqueue_active(&current->signal->wait_chldexit));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(any_child_wakes),
	KUNIT_CASE(only_the_one_wakes),
	KUNIT_CASE(its_own_process_wakes_whoever_is_waited_for),
	KUNIT_CASE(no_sleep_with_a_signal_pending),
	KUNIT_CASE(nothing_stays_in_the_queue),
	{},
};

struct kunit_suite wait_suite = {
	.name = "bsdproc_wait",
	.test_cases = cases,
};
