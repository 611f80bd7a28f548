// SPDX-License-Identifier: GPL-2.0-only
/* Summing of usage. */
#include "../module/linux/usage.c"

#include "kunit.h"

static void times_are_scaled_to_the_run_time(struct kunit *test)
{
	static const struct {
		u64 utime, stime, runtime, scaled_utime, scaled_stime;
	} cases[] = {
		{0, 0, 0, 0, 0},
		/* Never sampled, but it ran. */
		{0, 0, 500, 500, 0},
		{7, 0, 500, 500, 0},
		{0, 7, 500, 0, 500},
		{100, 300, 800, 200, 600},
		{300, 100, 4, 3, 1},
		{1, 2, 1000, 334, 666},
		{1, 1, 0, 0, 0},
		/* Two years on a thousand processors each: their product has more bits than 64. */
		{60000000000000000, 60000000000000000, 120000000000000002, 60000000000000001,
		 60000000000000001},
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bsdproc_rusage ru = {.utime = cases[i].utime, .stime = cases[i].stime};

		scale_to(&ru, cases[i].runtime);
		KUNIT_EXPECT_EQ_MSG(test, ru.utime, cases[i].scaled_utime, "case %d", i);
		KUNIT_EXPECT_EQ_MSG(test, ru.stime, cases[i].scaled_stime, "case %d", i);
	}
}

static void sums_add_but_for_the_largest_size(struct kunit *test)
{
	struct bsdproc_rusage sum = {1, 2, 30, 4, 5, 6, 7, 8, 9};
	const struct bsdproc_rusage more = {10, 20, 3, 40, 50, 60, 70, 80, 90};
	const struct bsdproc_rusage expected = {11, 22, 30, 44, 55, 66, 77, 88, 99};
	const struct bsdproc_rusage larger = {.maxrss = 31};

	usage_add(&sum, &more);
	KUNIT_EXPECT_EQ(test, memcmp(&sum, &expected, sizeof(sum)), 0);
	usage_add(&sum, &larger);
	KUNIT_EXPECT_EQ(test, sum.maxrss, 31);
}

/* Released threads' sums, and the threads that are there. */
static void reading_sums_up(struct kunit *test)
{
	struct task_struct *leader = current->group_leader;
	struct signal_struct *signal = leader->signal;
	struct bsdproc_rusage self, children, more, more_children;

	rcu_read_lock();
	usage_read(leader, &self, &children);
	write_seqlock_irq(&signal->stats_lock);
	signal->min_flt += 1000;
	signal->inblock += 2000;
	signal->cmaj_flt += 3000;
	signal->cutime += 4000;
	write_sequnlock_irq(&signal->stats_lock);
	usage_read(leader, &more, &more_children);
	rcu_read_unlock();

	KUNIT_EXPECT_EQ(test, more.minflt - self.minflt, 1000);
	KUNIT_EXPECT_EQ(test, more.inblock - self.inblock, 2000);
	KUNIT_EXPECT_EQ(test, more_children.majflt - children.majflt, 3000);
	KUNIT_EXPECT_EQ(test, more_children.utime - children.utime, 4000);
	/* This thread has run meanwhile. */
	KUNIT_EXPECT_GE(test, more.utime + more.stime, self.utime + self.stime);
	KUNIT_EXPECT_GT(test, more.utime + more.stime, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(times_are_scaled_to_the_run_time),
	KUNIT_CASE(sums_add_but_for_the_largest_size),
	KUNIT_CASE(reading_sums_up),
	{},
};

struct kunit_suite usage_suite = {
	.name = "bsdproc_usage",
	.test_cases = cases,
};
