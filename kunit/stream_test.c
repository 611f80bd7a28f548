// SPDX-License-Identifier: GPL-2.0-only
/* Streams: what is lost is counted, and the count is where it belongs. */
#include "../module/linux/stream.c"

#include "kunit.h"

struct record {
	u64 lost;
	u32 nr;
	char rest[12]; /* no power of two */
};

static void make(struct kunit *test, struct stream *stream, unsigned room)
{
	KUNIT_EXPECT_EQ(test, stream_init(stream, sizeof(struct record), room), 0);
}

static void put(struct stream *stream, u32 nr)
{
	/* What the writer leaves there is not what is read. */
	struct record record = {.lost = 77, .nr = nr};

	stream_put(stream, &record);
}

/* Reads so many at most; how many it got, in `records`. */
static int get(struct kunit *test, struct stream *stream, struct record *records, unsigned room)
{
	ssize_t n = take(stream, (char __user *)user.page, room);

	if (n == -EAGAIN)
		n = 0;
	KUNIT_EXPECT_GE(test, n, 0);
	KUNIT_EXPECT_EQ(test, n % sizeof(*records), 0);
	KUNIT_EXPECT_EQ(test, copy_from_user(records, (void __user *)user.page, n), 0);
	return n / sizeof(*records);
}

static void expect(struct kunit *test, const struct record *record, u32 nr, u64 lost)
{
	KUNIT_EXPECT_EQ(test, record->nr, nr);
	KUNIT_EXPECT_EQ(test, record->lost, lost);
}

static void full_and_read_in_parts(struct kunit *test)
{
	struct stream stream;
	struct record r[8];
	u32 nr;

	make(test, &stream, 3);
	KUNIT_EXPECT_FALSE(test, is_readable(&stream));
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 8), 0);
	for (nr = 1; nr <= 5; nr++)
		put(&stream, nr);
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 1), 1);
	expect(test, r, 1, 0);
	/* Round the ring's end, after the two that were lost. */
	put(&stream, 6);
	put(&stream, 7);
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 8), 3);
	expect(test, r, 2, 0);
	expect(test, r + 1, 3, 0);
	expect(test, r + 2, 6, 2);
	/* One more was lost, and nothing has come since. */
	KUNIT_EXPECT_TRUE(test, is_readable(&stream));
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 8), 1);
	expect(test, r, 0, 1);
	KUNIT_EXPECT_FALSE(test, is_readable(&stream));
	kvfree(stream.ring);
}

/* In every size of the ring, with reads now and then. */
static void sums_are_exact(struct kunit *test)
{
	unsigned room;

	for (room = 1; room <= 9; room++) {
		struct stream stream;
		struct record r[4];
		u64 lost = 0;
		u32 nr, next = 1;
		int n, i;

		make(test, &stream, room);
		for (nr = 1; nr <= 1000; nr++) {
			put(&stream, nr);
			if (nr % 7 && nr % 11 && nr != 1000)
				continue;
			do {
				n = get(test, &stream, r, 1 + nr % 4);
				for (i = 0; i < n; i++) {
					lost += r[i].lost;
					next += r[i].lost;
					if (r[i].nr)
						KUNIT_EXPECT_EQ(test, r[i].nr, next++);
				}
			} while (nr == 1000 && n);
		}
		KUNIT_EXPECT_EQ(test, next, 1001);
		KUNIT_EXPECT_GT(test, lost, 0);
		kvfree(stream.ring);
	}
}

static void what_cannot_be_stored_stays(struct kunit *test)
{
	struct stream stream;
	struct record r[4];

	make(test, &stream, 2);
	put(&stream, 1);
	put(&stream, 2);
	put(&stream, 3);
	KUNIT_EXPECT_EQ(test, take(&stream, (char __user *)user.hole, 4), -EFAULT);
	/* The first fits before the end of what can be written. */
	KUNIT_EXPECT_EQ(test, take(&stream, (char __user *)user.readonly - sizeof(r[0]), 4),
			sizeof(r[0]));
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 4), 1);
	expect(test, r, 2, 0);
	/* The count too. */
	KUNIT_EXPECT_EQ(test, take(&stream, (char __user *)user.hole, 4), -EFAULT);
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 4), 1);
	expect(test, r, 0, 1);
	kvfree(stream.ring);
}

/* The end comes after all that was written, and not for ever. */
static void the_end(struct kunit *test)
{
	char __user *const page = (char __user *)user.page;
	struct stream stream;
	struct record r[4];

	make(test, &stream, 2);
	KUNIT_EXPECT_EQ(test, take(&stream, page, 4), -EAGAIN);
	put(&stream, 1);
	put(&stream, 2);
	put(&stream, 3);
	stream_expect(&stream, false);
	KUNIT_EXPECT_TRUE(test, is_readable(&stream));
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 4), 2);
	/* What was lost at last is told before the end. */
	KUNIT_EXPECT_EQ(test, get(test, &stream, r, 4), 1);
	expect(test, r, 0, 1);
	KUNIT_EXPECT_TRUE(test, is_readable(&stream));
	KUNIT_EXPECT_EQ(test, take(&stream, page, 4), 0);
	KUNIT_EXPECT_EQ(test, take(&stream, page, 4), 0);
	stream_expect(&stream, true);
	KUNIT_EXPECT_FALSE(test, is_readable(&stream));
	KUNIT_EXPECT_EQ(test, take(&stream, page, 4), -EAGAIN);
	kvfree(stream.ring);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(full_and_read_in_parts),
	KUNIT_CASE(sums_are_exact),
	KUNIT_CASE(what_cannot_be_stored_stays),
	KUNIT_CASE(the_end),
	{},
};

struct kunit_suite stream_suite = {
	.name = "bsdproc_stream",
	.init = user_borrow,
	.exit = user_give_back,
	.test_cases = cases,
};
