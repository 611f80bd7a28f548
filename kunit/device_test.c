// SPDX-License-Identifier: GPL-2.0-only
/* Decoding of requests: sizes, directions, reserved fields, addresses. */
#include "../module/linux/device.c"

#include <linux/resource.h>
#include <linux/sched/signal.h>

#include "kunit.h"

#define SIZED(cmd, size) (((cmd) & ~IOCSIZE_MASK) | (size) << _IOC_SIZESHIFT)

/* As a parameter of cases over all of them. */
#define REQUEST(test) ((typeof(&calls[0]))(test)->param_value)

static void describe_request(typeof(&calls[0]) request, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%ps", request->function);
	/* What follows is the module's name. */
	desc[strcspn(desc, " ")] = '\0';
}

KUNIT_ARRAY_PARAM(request, calls, describe_request);

/* One that comes to its function, which does nothing then; for most one of zeros does. */
static union call sample_of(unsigned cmd)
{
	union call call;

	memset(&call, 0, sizeof(call));
	switch (cmd) {
	case BSDPROC_KNOTE:
		call.knote.fflags = BSDPROC_NOTE_EXIT;
		break;
	case BSDPROC_STOPS:
		call.stops.fd = -1;
		break;
	case BSDPROC_CONT:
		call.cont.fd = -1;
		break;
	case BSDPROC_VARSYM_SET:
		call.varsym_set.level = BSDPROC_VARSYM_PROC;
		call.varsym_set.name = user.page;
		break;
	case BSDPROC_VARSYM_GET:
		call.varsym_get.name = user.page;
		break;
	case BSDPROC_VARSYM_LIST:
		call.varsym_list.level = BSDPROC_VARSYM_PROC;
		break;
	case BSDPROC_ACCT:
		call.acct.records = 1;
		break;
	case BSDPROC_KTRACE:
		call.ktrace.records = 1;
		break;
	case BSDPROC_KTRSET:
		call.ktrset.fd = -1;
		break;
	}
	return call;
}

/* Whether it is none of the errors that come before any function. */
static bool is_decoded(long answer)
{
	return answer != -ENOTTY && answer != -EINVAL && answer != -E2BIG && answer != -EFAULT;
}

/* A request that fails leaves its struct as it was. */
static long request_at(struct kunit *test, unsigned cmd, unsigned long at)
{
	const size_t size = min(sizeof(union call), (size_t)_IOC_SIZE(cmd));
	u8 before[sizeof(union call)], after[sizeof(union call)];
	long answer;

	KUNIT_EXPECT_EQ(test, copy_from_user(before, (void __user *)at, size), 0);
	answer = bsdproc_ioctl(NULL, cmd, at);
	KUNIT_EXPECT_EQ(test, copy_from_user(after, (void __user *)at, size), 0);
	if (answer < 0)
		KUNIT_EXPECT_EQ_MSG(test, memcmp(before, after, size), 0, "%#x changed its struct",
				    cmd);
	return answer;
}

/* The request, made of the bytes of `call` at the end of user memory that can be written. */
static long request(struct kunit *test, unsigned cmd, const void *call)
{
	const size_t size = _IOC_SIZE(cmd);
	const unsigned long at = user.readonly - size;

	KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)at, call, size), 0);
	return request_at(test, cmd, at);
}

/* The sample there, with so many zeros behind it, of which the one `at` may be a one. */
static long request_with_tail(struct kunit *test, unsigned cmd, size_t tail, ssize_t at)
{
	const union call call = sample_of(cmd);
	const size_t size = _IOC_SIZE(cmd);
	u8 __user *to = (u8 __user *)(user.readonly - size - tail);

	KUNIT_EXPECT_EQ(test, copy_to_user(to, &call, size), 0);
	KUNIT_EXPECT_EQ(test, clear_user(to + size, tail), 0);
	if (at >= 0)
		KUNIT_EXPECT_EQ(test, put_user(1, to + size + at), 0);
	return request_at(test, SIZED(cmd, size + tail), (unsigned long)to);
}

static void version_is_told(struct kunit *test)
{
	struct bsdproc_version version = {};

	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_VERSION, &version), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.readonly - sizeof(version)), BSDPROC_ABI_VERSION);
}

static bool is_ours(unsigned cmd)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (_IOC_DIR(cmd) == _IOC_DIR(calls[i].cmd) &&
		    _IOC_NR(cmd) == _IOC_NR(calls[i].cmd))
			return true;
	return false;
}

static void unknown_requests_are_not_ours(struct kunit *test)
{
	const unsigned size = sizeof(struct bsdproc_version);
	unsigned i;

	/* All numbers, in all directions. */
	for (i = 0; i < (_IOC_NRMASK + 1) << 2; i++) {
		const unsigned ours = _IOC(i & 3, BSDPROC_IOC_MAGIC, i >> 2, size);
		const unsigned other = _IOC(i & 3, BSDPROC_IOC_MAGIC + 1, i >> 2, size);

		KUNIT_EXPECT_EQ_MSG(test, bsdproc_ioctl(NULL, other, user.page), -ENOTTY, "%#x",
				    other);
		if (!is_ours(ours))
			KUNIT_EXPECT_EQ_MSG(test, bsdproc_ioctl(NULL, ours, user.page), -ENOTTY,
					    "%#x", ours);
	}
	KUNIT_EXPECT_EQ(test, bsdproc_ioctl(NULL, 0, user.page), -ENOTTY);
}

static void requests_are_told_apart(struct kunit *test)
{
	const unsigned cmd = REQUEST(test)->cmd;
	int i;

	KUNIT_EXPECT_EQ(test, _IOC_TYPE(cmd), BSDPROC_IOC_MAGIC);
	KUNIT_EXPECT_LE(test, _IOC_SIZE(cmd), sizeof(union call));
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (&calls[i] != REQUEST(test))
			KUNIT_EXPECT_NE_MSG(test, _IOC_NR(cmd), _IOC_NR(calls[i].cmd), "%ps",
					    calls[i].function);
}

static void sizes_are_versions(struct kunit *test)
{
	const unsigned cmd = REQUEST(test)->cmd;
	const size_t size = _IOC_SIZE(cmd);
	const size_t small[] = {0, 1, size / 2, size - 1};
	/* One that has no struct yet may get one. */
	static const size_t tails[] = {1, 8, PAGE_SIZE};
	const union call call = sample_of(cmd);
	long answer;
	int i;

	for (i = 0; size && i < ARRAY_SIZE(small); i++)
		KUNIT_EXPECT_EQ_MSG(test, request(test, SIZED(cmd, small[i]), &call), -EINVAL,
				    "%zu bytes", small[i]);
	answer = request(test, cmd, &call);
	KUNIT_EXPECT_TRUE_MSG(test, is_decoded(answer), "%ld", answer);
	for (i = 0; i < ARRAY_SIZE(tails); i++) {
		answer = request_with_tail(test, cmd, tails[i], -1);
		KUNIT_EXPECT_TRUE_MSG(test, is_decoded(answer), "%ld with %zu more", answer,
				      tails[i]);
		/* What we do not know must be zero. */
		KUNIT_EXPECT_EQ_MSG(test, request_with_tail(test, cmd, tails[i], 0), -E2BIG,
				    "%zu more", tails[i]);
		KUNIT_EXPECT_EQ_MSG(test, request_with_tail(test, cmd, tails[i], tails[i] - 1),
				    -E2BIG, "%zu more", tails[i]);
	}
	/* A tail in what can only be read: it is not answered. */
	KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)(user.readonly - size), &call, size), 0);
	answer = request_at(test, SIZED(cmd, size + 8), user.readonly - size);
	KUNIT_EXPECT_TRUE_MSG(test, is_decoded(answer), "%ld with a tail to be read", answer);
}

/* Where each bit but the `known` ones turns the sample into what is refused. */
#define FIELD(cmd, type, field, known)                               \
	{                                                            \
		cmd, #type "." #field, offsetof(struct type, field), \
			sizeof_field(struct type, field), known      \
	}
#define RESERVED(cmd, type) FIELD(cmd, type, reserved, 0)
#define NO_FIELD(cmd)     \
	{                 \
		cmd, #cmd \
	}

#define WAIT_OPTIONS                                                                  \
	(BSDPROC_WNOHANG | BSDPROC_WUNTRACED | BSDPROC_WEXITED | BSDPROC_WCONTINUED | \
	 BSDPROC_WTRAPPED | BSDPROC_WNOWAIT | BSDPROC_WALL | BSDPROC_WLINUXCLONE)

static const struct field {
	unsigned cmd;
	const char *name;
	size_t offset, size;
	u64 known;
} fields[] = {
	RESERVED(BSDPROC_VERSION, bsdproc_version),
	FIELD(BSDPROC_EXTEXIT, bsdproc_extexit, how, BSDPROC_EXTEXIT_SETINT | BSDPROC_EXTEXIT_LWP),
	RESERVED(BSDPROC_EXTEXIT, bsdproc_extexit),
	FIELD(BSDPROC_WAIT, bsdproc_wait, idtype, BSDPROC_P_PID | BSDPROC_P_PGID),
	FIELD(BSDPROC_WAIT, bsdproc_wait, options, WAIT_OPTIONS),
	FIELD(BSDPROC_WAIT, bsdproc_wait, flags, BSDPROC_WAIT_SIGNALS),
	RESERVED(BSDPROC_WAIT, bsdproc_wait),
	RESERVED(BSDPROC_GETTID, bsdproc_gettid),
	NO_FIELD(BSDPROC_REAPED),
	NO_FIELD(BSDPROC_LIST),
	NO_FIELD(BSDPROC_GETPROC),
	FIELD(BSDPROC_KNOTE, bsdproc_knote, fflags, 0),
	RESERVED(BSDPROC_KNOTE, bsdproc_knote),
	FIELD(BSDPROC_VARSYM_SET, bsdproc_varsym_set, level, 2),
	RESERVED(BSDPROC_VARSYM_SET, bsdproc_varsym_set),
	FIELD(BSDPROC_VARSYM_GET, bsdproc_varsym_get, mask, BSDPROC_VARSYM_ALL_MASK),
	RESERVED(BSDPROC_VARSYM_GET, bsdproc_varsym_get),
	FIELD(BSDPROC_VARSYM_LIST, bsdproc_varsym_list, level, 2),
	RESERVED(BSDPROC_JOIN, bsdproc_join),
	RESERVED(BSDPROC_HOLD, bsdproc_hold),
	FIELD(BSDPROC_STOPS, bsdproc_stops, events, BSDPROC_S_EXIT | BSDPROC_S_FORK),
	RESERVED(BSDPROC_STOPS, bsdproc_stops),
	NO_FIELD(BSDPROC_CONT),
	FIELD(BSDPROC_TRACEKILL, bsdproc_tracekill, on, 1),
	RESERVED(BSDPROC_TRACEKILL, bsdproc_tracekill),
	RESERVED(BSDPROC_GETPGRP, bsdproc_getpgrp),
	NO_FIELD(BSDPROC_GETSESSION),
	RESERVED(BSDPROC_GETUSER, bsdproc_getuser),
	RESERVED(BSDPROC_REAPER, bsdproc_reaper),
	FIELD(BSDPROC_ACCT, bsdproc_acct_open, records, BSDPROC_STREAM_MAX - 2),
	RESERVED(BSDPROC_ACCT, bsdproc_acct_open),
#ifdef KTRACE
	FIELD(BSDPROC_KTRACE, bsdproc_ktrace, records, BSDPROC_STREAM_MAX - 2),
	RESERVED(BSDPROC_KTRACE, bsdproc_ktrace),
	FIELD(BSDPROC_KTRSET, bsdproc_ktrset, facs, BSDPROC_KTRFAC_ALL | BSDPROC_KTRFAC_INHERIT),
	RESERVED(BSDPROC_KTRSET, bsdproc_ktrset),
#endif
};

static void describe_field(const struct field *field, char *desc)
{
	strscpy(desc, field->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(field, fields, describe_field);

static void fields_are_checked(struct kunit *test)
{
	const struct field *field = test->param_value;
	unsigned bit;

	for (bit = 0; bit < 8 * field->size; bit++) {
		union call call = sample_of(field->cmd);

		if (field->known >> bit & 1)
			continue;
		((u8 *)&call)[field->offset + bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_EQ_MSG(test, request(test, field->cmd, &call), -EINVAL, "bit %u", bit);
	}
}

/* Who adds a request says there what of it is refused. */
static void all_requests_have_fields(struct kunit *test)
{
	bool found = false;
	int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		found |= fields[i].cmd == REQUEST(test)->cmd;
	KUNIT_EXPECT_TRUE(test, found);
}

/* What fields_are_checked cannot see: more than one bit at once. */
static void unknown_bits_are_refused(struct kunit *test)
{
	static const struct bsdproc_extexit extexit[] = {
		{.how = BSDPROC_EXTEXIT_LWP | 2},
		{.how = BSDPROC_EXTEXIT_LWP | 0x8000},
		{.how = -1},
	};
	static const struct bsdproc_wait wait[] = {
		{.idtype = BSDPROC_P_PGID + 1},
		{.idtype = BSDPROC_P_GID + 1},
		{.idtype = U32_MAX},
		{.options = BSDPROC_WALL | BSDPROC_WLINUXCLONE},
		{.options = BSDPROC_WNOHANG, .flags = BSDPROC_WAIT_SHARED},
		{.options = BSDPROC_WNOHANG, .flags = BSDPROC_WAIT_SHARED | BSDPROC_WAIT_SIGNALS},
		{.options = BSDPROC_WNOHANG, .reserved = 1},
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(extexit); i++)
		KUNIT_EXPECT_EQ_MSG(test, request(test, BSDPROC_EXTEXIT, &extexit[i]), -EINVAL,
				    "extexit %d", i);
	for (i = 0; i < ARRAY_SIZE(wait); i++)
		KUNIT_EXPECT_EQ_MSG(test, request(test, BSDPROC_WAIT, &wait[i]), -EINVAL, "wait %d",
				    i);
}

static void addresses_are_checked(struct kunit *test)
{
	const size_t size = _IOC_SIZE(REQUEST(test)->cmd) ?: 8;
	const unsigned cmd = SIZED(REQUEST(test)->cmd, size);
	const union call call = sample_of(REQUEST(test)->cmd);
	const unsigned long bad[] = {
		0,
		user.hole,
		user.hole - 1,
		user.hole - size / 2,
		user.hole - size + 1,
		TASK_SIZE_MAX - 1,
		/* A kernel address, that has the right bytes. */
		(unsigned long)&call,
		ULONG_MAX,
	};
	/* All but the last byte, which is zero, can be written. */
	const unsigned long half = user.readonly - size + 1;
	long answer;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, bsdproc_ioctl(NULL, cmd, bad[i]), -EFAULT, "at %#lx",
				    bad[i]);
	KUNIT_EXPECT_EQ_MSG(test, bsdproc_ioctl(NULL, SIZED(cmd, size + 8), user.hole - size),
			    -EFAULT, "without its tail");

	KUNIT_EXPECT_EQ(test, ((u8 *)&call)[size - 1], 0);
	KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)half, &call, size - 1), 0);
	answer = request_at(test, cmd, half);
	if (!(_IOC_DIR(cmd) & _IOC_READ)) {
		KUNIT_EXPECT_TRUE_MSG(test, is_decoded(answer), "%ld", answer);
		return;
	}
	/* Read, but the answer cannot be written: known before anything is done. */
	KUNIT_EXPECT_EQ(test, answer, -EFAULT);
	KUNIT_EXPECT_EQ(test, bsdproc_ioctl(NULL, cmd, user.readonly), -EFAULT);
}

static void no_struct_has_no_address(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, bsdproc_ioctl(NULL, BSDPROC_REAPED, 0), 0);
	KUNIT_EXPECT_EQ(test, bsdproc_ioctl(NULL, BSDPROC_REAPED, ULONG_MAX), 0);
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
	const struct bsdproc_join join = {};
	const struct bsdproc_tracekill tracekill = {.on = 1};

	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_EXTEXIT, &extexit), -ENOMEM);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_GETTID, &gettid), -ENOMEM);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_WAIT, &wait), -ENOMEM);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_GETPROC, &getproc), -ESRCH);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_JOIN, &join), -ENOMEM);
	KUNIT_EXPECT_EQ(test, request(test, BSDPROC_TRACEKILL, &tracekill), -ENOMEM);
}

/* No descriptor is opened: all kernel threads would share it. */
static int init(struct kunit *test)
{
	current->signal->rlim[RLIMIT_NOFILE].rlim_cur = 0;
	return user_borrow(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(version_is_told),
	KUNIT_CASE(unknown_requests_are_not_ours),
	KUNIT_CASE_PARAM(requests_are_told_apart, request_gen_params),
	KUNIT_CASE_PARAM(sizes_are_versions, request_gen_params),
	KUNIT_CASE_PARAM(addresses_are_checked, request_gen_params),
	KUNIT_CASE_PARAM(all_requests_have_fields, request_gen_params),
	KUNIT_CASE_PARAM(fields_are_checked, field_gen_params),
	KUNIT_CASE(unknown_bits_are_refused),
	KUNIT_CASE(no_struct_has_no_address),
	KUNIT_CASE(setint_is_checked_first),
	KUNIT_CASE(kthreads_are_nobody),
	{},
};

struct kunit_suite device_suite = {
	.name = "bsdproc_device",
	.init = init,
	.exit = user_give_back,
	.test_cases = cases,
};
