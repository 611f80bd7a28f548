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
		{.idtype = BSDPROC_P_GID + 1},
		{.idtype = U32_MAX},
		{.options = BSDPROC_WCONTINUED << 1},
		{.options = BSDPROC_WNOWAIT << 1},
		{.options = BSDPROC_WALL | BSDPROC_WLINUXCLONE},
		{.options = BSDPROC_WNOHANG, .flags = BSDPROC_WAIT_SHARED},
		{.options = BSDPROC_WNOHANG, .reserved = 1},
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

static struct kunit_case cases[] = {
	KUNIT_CASE(version_is_told),       KUNIT_CASE(unknown_requests_are_not_ours),
	KUNIT_CASE(sizes_are_versions),    KUNIT_CASE(unknown_bits_are_refused),
	KUNIT_CASE(addresses_are_checked), KUNIT_CASE(setint_is_checked_first),
	KUNIT_CASE(kthreads_are_nobody),   {},
};

struct kunit_suite device_suite = {
	.name = "bsdproc_device",
	.init = user_borrow,
	.exit = user_give_back,
	.test_cases = cases,
};
