// SPDX-License-Identifier: GPL-2.0-only
/* Decoding of requests: sizes, directions, reserved fields, addresses. */
#include "../module/linux/device.c"

#include "kunit.h"

/* The request, made of the bytes of `call` at the end of user memory that can be written. */
static long request(struct kunit *test, unsigned cmd, const void *call)
{
	const size_t size = _IOC_SIZE(cmd);
	const unsigned long at = user.readonly - size;

	KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)at, call, size), 0);
	return bsdproc_ioctl(NULL, cmd, at);
}

#define SIZED(cmd, size) (((cmd) & ~IOCSIZE_MASK) | (size) << _IOC_SIZESHIFT)

static void version_is_told(struct kunit *test)
{
	struct bsdproc_version version = {};

	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_VERSION, &version), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.readonly - sizeof(version)), BSDPROC_ABI_VERSION);
}

static void unknown_requests_are_not_ours(struct kunit *test)
{
	static const unsigned unknown[] = {
		_IOWR(BSDPROC_IOC_MAGIC, 0x05, struct bsdproc_version),
		_IOWR(BSDPROC_IOC_MAGIC, 0xff, struct bsdproc_version),
		_IOWR(BSDPROC_IOC_MAGIC + 1, 0x00, struct bsdproc_version),
		_IOR(BSDPROC_IOC_MAGIC, 0x00, struct bsdproc_version),
		_IOW(BSDPROC_IOC_MAGIC, 0x00, struct bsdproc_version),
		_IO(BSDPROC_IOC_MAGIC, 0x00),
		_IO(BSDPROC_IOC_MAGIC, 0x05),
		0,
	};
	const char bytes[64] = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		KUNIT_EXPECT_EQ_MSG(test, request(test, unknown[i], bytes), -ENOTTY, "%#x",
				    unknown[i]);
}

static void sizes_are_versions(struct kunit *test)
{
	const size_t known = sizeof(struct bsdproc_version);
	char bytes[32] = {};

	BUILD_BUG_ON(sizeof(struct bsdproc_version) >= sizeof(bytes));
	KUNIT_EXPECT_EQ(test, request(test, SIZED(BSDPROC_VERSION, known - 1), bytes), -EINVAL);
	KUNIT_EXPECT_EQ(test, request(test, SIZED(BSDPROC_VERSION, 0), bytes), -EINVAL);
	KUNIT_EXPECT_EQ(test, request(test, SIZED(BSDPROC_VERSION, known + 1), bytes), 0);
	KUNIT_EXPECT_EQ(test, request(test, SIZED(BSDPROC_VERSION, sizeof(bytes)), bytes), 0);
	/* What we do not know must be zero. */
	bytes[known] = 1;
	KUNIT_EXPECT_EQ(test, request(test, SIZED(BSDPROC_VERSION, known + 1), bytes), -E2BIG);
	KUNIT_EXPECT_EQ(test, request(test, SIZED(BSDPROC_VERSION, known), bytes), 0);
	/* One that has no struct yet may get one. */
	KUNIT_EXPECT_EQ(test, bsdproc_ioctl(NULL, BSDPROC_REAPED, 0), 0);
}

static void unknown_bits_are_refused(struct kunit *test)
{
	const struct bsdproc_version version = {.reserved = 1};
	const struct bsdproc_gettid gettid = {.reserved = 1};
	const struct bsdproc_reaper reaper = {.reserved = 1};
	static const struct bsdproc_extexit extexit[] = {
		{.how = BSDPROC_EXTEXIT_LWP, .reserved = 1},
		{.how = BSDPROC_EXTEXIT_LWP | 2},
		{.how = BSDPROC_EXTEXIT_LWP | 0x8000},
		{.how = 2 << 16},
		{.how = INT_MIN},
		{.how = -1},
	};
	static const struct bsdproc_wait wait[] = {
		{.idtype = BSDPROC_P_PGID + 1},
		{.idtype = U32_MAX},
		{.options = BSDPROC_WNOHANG << 1},
		{.options = BSDPROC_WLINUXCLONE >> 1},
		{.options = BSDPROC_WNOHANG, .flags = BSDPROC_WAIT_SHARED},
	};
	int i;

	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_VERSION, &version), -EINVAL);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_GETTID, &gettid), -EINVAL);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_REAPER, &reaper), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(extexit); i++)
		KUNIT_EXPECT_EQ_MSG(test, request(test, BSDPROC_EXTEXIT, &extexit[i]), -EINVAL,
				    "extexit %d", i);
	for (i = 0; i < ARRAY_SIZE(wait); i++)
		KUNIT_EXPECT_EQ_MSG(test, request(test, BSDPROC_WAIT, &wait[i]), -EINVAL, "wait %d",
				    i);
}

static void addresses_are_checked(struct kunit *test)
{
	static const unsigned all[] = {BSDPROC_VERSION, BSDPROC_EXTEXIT, BSDPROC_WAIT,
				       BSDPROC_GETTID,  BSDPROC_LIST,    BSDPROC_GETPROC,
				       BSDPROC_REAPER};
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		const unsigned long bad[] = {0, user.hole, user.hole - 1, TASK_SIZE_MAX - 1,
					     /* A kernel address, that has such bytes. */
					     (unsigned long)&all, ULONG_MAX};
		int j;

		for (j = 0; j < ARRAY_SIZE(bad); j++)
			KUNIT_EXPECT_EQ_MSG(test, bsdproc_ioctl(NULL, all[i], bad[j]), -EFAULT,
					    "%#x at %#lx", all[i], bad[j]);
		/* Read, but the answer cannot be written: known before anything is done. */
		KUNIT_EXPECT_EQ_MSG(test, bsdproc_ioctl(NULL, all[i], user.readonly), -EFAULT,
				    "%#x in what can only be read", all[i]);
	}
}

static void setint_is_checked_first(struct kunit *test)
{
	const struct bsdproc_extexit extexit = {.how = BSDPROC_EXTEXIT_SETINT, .addr = user.hole};

	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_EXTEXIT, &extexit), -EFAULT);
}

/* Kernel threads have no proc, and no children. */
static void kthreads_are_nobody(struct kunit *test)
{
	const struct bsdproc_extexit extexit = {};
	const struct bsdproc_gettid gettid = {};
	const struct bsdproc_wait wait = {};
	const struct bsdproc_getproc getproc = {};

	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_EXTEXIT, &extexit), -ENOMEM);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_GETTID, &gettid), -ENOMEM);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_WAIT, &wait), -ENOMEM);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_GETPROC, &getproc), -ESRCH);
}

static void wait_ids(struct kunit *test)
{
	const struct bsdproc_wait nobody[] = {
		{.idtype = BSDPROC_P_PID, .id = 0},
		{.idtype = BSDPROC_P_PID, .id = INT_MAX},
		{.idtype = BSDPROC_P_PID, .id = 1ull << 32 | 1},
		{.idtype = BSDPROC_P_PGID, .id = (u64)INT_MAX + 1},
		{.idtype = BSDPROC_P_ALL, .id = 1},
	};
	const struct bsdproc_wait init = {.idtype = BSDPROC_P_PID, .id = 1};
	const struct bsdproc_wait own_group = {.idtype = BSDPROC_P_PGID};
	struct pid *pid;
	int i;

	for (i = 0; i < ARRAY_SIZE(nobody); i++)
		KUNIT_EXPECT_PTR_EQ(test, wait_id(&nobody[i]), (struct pid *)NULL);
	pid = wait_id(&init);
	KUNIT_EXPECT_EQ(test, pid_nr(pid), 1);
	put_pid(pid);
	pid = wait_id(&own_group);
	KUNIT_EXPECT_PTR_EQ(test, pid, task_pgrp(current));
	put_pid(pid);
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

static void status_is_put_where_asked(struct kunit *test)
{
	const struct bsdproc_rusage u = {.nivcsw = 11};
	const struct bsdproc_wait nowhere = {.xstat = 0x700};
	const struct bsdproc_wait there = {.xstat = 0x700, .status = user.page};
	const struct bsdproc_wait usage = {.rusage = user.page + 8};
	const struct bsdproc_wait bad_status = {
		.status = user.readonly,
		.rusage = user.page + PAGE_SIZE,
	};
	const struct bsdproc_wait bad_usage = {
		.xstat = 9,
		.status = user.page,
		.rusage = user.readonly - sizeof(struct rusage) + 8,
	};

	KUNIT_EXPECT_EQ(test, put_status(&nowhere, &u), 0);
	KUNIT_EXPECT_EQ(test, put_status(&there, &u), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 0x700);
	KUNIT_EXPECT_EQ(test, put_status(&usage, &u), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page + 8 + offsetof(struct rusage, ru_nivcsw)),
			11);
	KUNIT_EXPECT_EQ(test, put_status(&bad_status, &u), -EFAULT);
	KUNIT_EXPECT_EQ(test, put_status(&bad_usage, &u), -EFAULT);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 0x700);
}

static void nobody_is_all_zero(struct kunit *test)
{
	const struct core_wait_args args = {};
	struct bsdproc_wait wait = {.pid = -1, .xstat = -1, .uid = -1, .flags = -1};

	KUNIT_EXPECT_EQ(test, report(&wait, &args), 0);
	KUNIT_EXPECT_EQ(test, wait.pid, 0);
	KUNIT_EXPECT_EQ(test, wait.xstat, 0);
	KUNIT_EXPECT_EQ(test, wait.uid, 0);
	KUNIT_EXPECT_EQ(test, wait.flags, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(version_is_told),       KUNIT_CASE(unknown_requests_are_not_ours),
	KUNIT_CASE(sizes_are_versions),    KUNIT_CASE(unknown_bits_are_refused),
	KUNIT_CASE(addresses_are_checked), KUNIT_CASE(setint_is_checked_first),
	KUNIT_CASE(kthreads_are_nobody),   KUNIT_CASE(wait_ids),
	KUNIT_CASE(times_of_day),          KUNIT_CASE(status_is_put_where_asked),
	KUNIT_CASE(nobody_is_all_zero),    {},
};

struct kunit_suite device_suite = {
	.name = "bsdproc_device",
	.init = user_borrow,
	.exit = user_give_back,
	.test_cases = cases,
};
