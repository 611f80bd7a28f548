// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adopting anew what the model was made to forget, with each allocation on the way failing
 * in turn: current->fail_nth is what /proc/self/fail-nth sets.
 */
#include <linux/sched/signal.h>

#include "kunit.h"

static struct core_kproc kproc;
static struct core_klwp lwp;

/* As if Linux had freed its only task. */
static void forget(struct kunit *test, struct pid *pid)
{
	rcu_read_lock();
	local_bh_disable();
	core_task_free(pid_task(pid, PIDTYPE_TGID));
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, core_getproc(pid, &kproc, &lwp, 1), -ESRCH);
	rcu_read_unlock();
}

/* A parent and its child, both at rest. */
static struct pid *family(struct kunit *test, struct process **process)
{
	struct pid *child = NULL;

	*process = process_start(test, "sh -c 'exec sleep infinity' & exec sleep infinity");
	eventually(test, (child = child ?: process_child((*process)->pid)) &&
				 look_at(child, &kproc, &lwp, 1) == 0 && kproc.flags & CORE_P_EXEC);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	return child;
}

static void expect_adopted(struct kunit *test, struct process *process, struct pid *child)
{
	KUNIT_EXPECT_EQ(test, look_at(process->pid, &kproc, &lwp, 1), 0);
	KUNIT_EXPECT_NE(test, kproc.flags & CORE_P_ADOPTED, 0);
	KUNIT_EXPECT_EQ(test, kproc.nthreads, 1);
	KUNIT_EXPECT_EQ(test, kproc.nchildren, 1);
	KUNIT_EXPECT_EQ(test, kproc.holds, 0);
	KUNIT_EXPECT_EQ(test, look_at(child, &kproc, &lwp, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, kproc.ppid, process->pid);
}

static void the_forgotten_are_adopted(struct kunit *test)
{
	struct process *process;
	struct pid *child = family(test, &process);

	forget(test, process->pid);
	KUNIT_EXPECT_EQ(test, core_adopt_all(), 0);
	expect_adopted(test, process, child);

	forget(test, child);
	forget(test, process->pid);
	KUNIT_EXPECT_EQ(test, core_adopt_all(), 0);
	expect_adopted(test, process, child);

	kill_pid(child, SIGKILL, 1);
	put_pid(child);
}

#ifdef CONFIG_FAILSLAB
/* Has the nth allocation fail; false: there were less. */
static bool with_failing(int n, int (*action)(void), int *error)
{
	WRITE_ONCE(current->fail_nth, n);
	*error = action();
	n = READ_ONCE(current->fail_nth);
	WRITE_ONCE(current->fail_nth, 0);
	return n == 0;
}

static bool pool_failed[HOST_POOLS];

static int allocate_both(void)
{
	int pool;

	for (pool = 0; pool < HOST_POOLS; pool++) {
		void *object = host_alloc(pool);

		pool_failed[pool] |= !object;
		if (object)
			host_free(pool, object);
	}
	return 0;
}

/* Else the next case would prove nothing. The debug kernel allocates on its own as well. */
static void the_pools_can_fail(struct kunit *test)
{
	int n = 1, error;

	while (n < 20 && with_failing(n, allocate_both, &error))
		n++;
	KUNIT_EXPECT_LT(test, n, 20);
	KUNIT_EXPECT_TRUE(test, pool_failed[HOST_POOL_PROC]);
	KUNIT_EXPECT_TRUE(test, pool_failed[HOST_POOL_LWP]);
}

static void whatever_fails_adoption_comes_through(struct kunit *test)
{
	struct process *process;
	struct pid *child = family(test, &process);
	bool failed = true;
	int n, error;

	for (n = 1; failed && n < 100; n++) {
		forget(test, child);
		forget(test, process->pid);
		failed = with_failing(n, core_adopt_all, &error);
		KUNIT_EXPECT_EQ_MSG(test, error, 0, "allocation %d", n);
		expect_adopted(test, process, child);
	}
	/* Two procs were allocated at least. */
	KUNIT_EXPECT_GT(test, n, 3);
	KUNIT_EXPECT_FALSE(test, failed);

	kill_pid(child, SIGKILL, 1);
	put_pid(child);
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(the_forgotten_are_adopted),
#ifdef CONFIG_FAILSLAB
	KUNIT_CASE(the_pools_can_fail),
	KUNIT_CASE(whatever_fails_adoption_comes_through),
#endif
	{},
};

struct kunit_suite memory_suite = {
	.name = "bsdproc_memory",
	.exit = processes_end,
	.test_cases = cases,
};
