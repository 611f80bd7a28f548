// SPDX-License-Identifier: GPL-2.0-only
/* BSDPROC_WAIT: which ids there are, and where the answer goes. */
#include "../module/linux/wait.c"

#include "kunit.h"

static bool found(const struct bsdproc_wait *w, struct core_wait_args *args)
{
	*args = (struct core_wait_args){};
	return find_id(w, args);
}

static void ids_of_nobody(struct kunit *test)
{
	const struct bsdproc_wait nobody[] = {
		{.idtype = BSDPROC_P_PID, .id = 0},
		{.idtype = BSDPROC_P_PID, .id = INT_MAX},
		{.idtype = BSDPROC_P_PID, .id = 1ull << 32 | 1},
		{.idtype = BSDPROC_P_PGID, .id = (u64)INT_MAX + 1},
		{.idtype = BSDPROC_P_SID, .id = 1ull << 63},
		{.idtype = BSDPROC_P_UID, .id = U32_MAX},
		{.idtype = BSDPROC_P_UID, .id = 1ull << 32},
		{.idtype = BSDPROC_P_GID, .id = U32_MAX},
	};
	struct core_wait_args args;
	int i;

	for (i = 0; i < ARRAY_SIZE(nobody); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, found(&nobody[i], &args), "%d", i);
		KUNIT_EXPECT_PTR_EQ(test, args.id, (struct pid *)NULL);
	}
}

static void ids_of_somebody(struct kunit *test)
{
	const struct bsdproc_wait all = {.idtype = BSDPROC_P_ALL, .id = 1};
	const struct bsdproc_wait init = {.idtype = BSDPROC_P_PID, .id = 1};
	const struct bsdproc_wait own_group = {.idtype = BSDPROC_P_PGID};
	const struct bsdproc_wait own_session = {.idtype = BSDPROC_P_SID};
	const struct bsdproc_wait user = {.idtype = BSDPROC_P_UID, .id = 7};
	const struct bsdproc_wait group = {.idtype = BSDPROC_P_GID, .id = 8};
	struct core_wait_args args;

	KUNIT_EXPECT_TRUE(test, found(&all, &args));
	KUNIT_EXPECT_PTR_EQ(test, args.id, (struct pid *)NULL);
	KUNIT_EXPECT_TRUE(test, found(&init, &args));
	KUNIT_EXPECT_EQ(test, pid_nr(args.id), 1);
	put_pid(args.id);
	KUNIT_EXPECT_TRUE(test, found(&own_group, &args));
	KUNIT_EXPECT_PTR_EQ(test, args.id, task_pgrp(current));
	put_pid(args.id);
	KUNIT_EXPECT_TRUE(test, found(&own_session, &args));
	KUNIT_EXPECT_PTR_EQ(test, args.id, task_session(current));
	put_pid(args.id);
	KUNIT_EXPECT_TRUE(test, found(&user, &args));
	KUNIT_EXPECT_EQ(test, args.user, 7);
	KUNIT_EXPECT_TRUE(test, found(&group, &args));
	KUNIT_EXPECT_EQ(test, args.user, 8);
}

static void times_of_day(struct kunit *test)
{
	static const struct {
		u64 ns;
		long sec, usec;
	} cases[] = {
		{0, 0, 0},          {999, 0, 0},
		{1000, 0, 1},       {999999999, 0, 999999},
		{1000000000, 1, 0}, {U64_MAX, 18446744073, 709551},
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct __kernel_old_timeval tv = timeval(cases[i].ns);

		KUNIT_EXPECT_EQ(test, tv.tv_sec, cases[i].sec);
		KUNIT_EXPECT_EQ(test, tv.tv_usec, cases[i].usec);
	}
}

#define SWITCHES(at) user_int(test, (at) + offsetof(struct rusage, ru_nivcsw))

static void status_is_put_where_asked(struct kunit *test)
{
	const struct bsdproc_rusage self = {.nivcsw = 11}, children = {.nivcsw = 20};
	const struct bsdproc_wait nowhere = {.xstat = 0x700};
	const struct bsdproc_wait there = {.xstat = 0x700, .status = user.page};
	const struct bsdproc_wait usage = {
		.rusage = user.page + 8,
		.wrusage = user.page + 512,
	};
	const struct bsdproc_wait bad[] = {
		{.status = user.readonly, .rusage = user.page + PAGE_SIZE},
		{.xstat = 9,
		 .status = user.page,
		 .rusage = user.readonly - sizeof(struct rusage) + 8},
		{.xstat = 9, .status = user.page, .wrusage = user.readonly - sizeof(struct rusage)},
		{.xstat = 9, .status = user.page, .info = user.readonly - 8},
	};
	int i;

	KUNIT_EXPECT_EQ(test, put_status(&nowhere, &self, &children), 0);
	KUNIT_EXPECT_EQ(test, put_status(&there, &self, &children), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 0x700);
	KUNIT_EXPECT_EQ(test, put_status(&usage, &self, &children), 0);
	KUNIT_EXPECT_EQ(test, SWITCHES(user.page + 8), 31);
	KUNIT_EXPECT_EQ(test, SWITCHES(user.page + 512), 11);
	KUNIT_EXPECT_EQ(test, SWITCHES(user.page + 512 + sizeof(struct rusage)), 20);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, put_status(&bad[i], &self, &children), -EFAULT, "%d", i);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 0x700);
}

static void info_is_all_zero(struct kunit *test)
{
	const struct bsdproc_rusage none = {};
	const struct bsdproc_wait before = {.xstat = -1, .status = user.page + 124};
	const struct bsdproc_wait beyond = {.xstat = -1, .status = user.page + 128};
	const struct bsdproc_wait info = {.info = user.page};

	KUNIT_EXPECT_EQ(test, put_status(&before, &none, &none), 0);
	KUNIT_EXPECT_EQ(test, put_status(&beyond, &none, &none), 0);
	KUNIT_EXPECT_EQ(test, put_status(&info, &none, &none), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page + 124), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page + 128), -1);
}

static void nobody_is_all_zero(struct kunit *test)
{
	const struct core_wait_args args = {};
	struct bsdproc_wait wait = {.pid = -1, .xstat = -1, .uid = -1, .flags = -1, .what = -1};

	KUNIT_EXPECT_EQ(test, report(&wait, &args), 0);
	KUNIT_EXPECT_EQ(test, wait.pid, 0);
	KUNIT_EXPECT_EQ(test, wait.xstat, 0);
	KUNIT_EXPECT_EQ(test, wait.uid, 0);
	KUNIT_EXPECT_EQ(test, wait.flags, 0);
	KUNIT_EXPECT_EQ(test, wait.what, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ids_of_nobody),
	KUNIT_CASE(ids_of_somebody),
	KUNIT_CASE(times_of_day),
	KUNIT_CASE(status_is_put_where_asked),
	KUNIT_CASE(info_is_all_zero),
	KUNIT_CASE(nobody_is_all_zero),
	{},
};

struct kunit_suite child_suite = {
	.name = "bsdproc_child",
	.init = user_borrow,
	.exit = user_give_back,
	.test_cases = cases,
};
