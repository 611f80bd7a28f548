// SPDX-License-Identifier: GPL-2.0-only
/* SETINT: what may be stored to, and that it is, or is not, in the end. */
#include "../module/linux/setint.c"

#include <linux/kthread.h>
#include <linux/mman.h>

#include "kunit.h"

static void only_writable_memory_is_taken(struct kunit *test)
{
	const unsigned long end = user.readonly;

	KUNIT_EXPECT_TRUE(test, is_writable(user.page));
	KUNIT_EXPECT_TRUE(test, is_writable(end - sizeof(int)));
	/* Unaligned, also on two pages. */
	KUNIT_EXPECT_TRUE(test, is_writable(user.page + 1));
	KUNIT_EXPECT_TRUE(test, is_writable(user.page + PAGE_SIZE - 1));
	KUNIT_EXPECT_TRUE(test, is_writable(user.page + PAGE_SIZE - 3));

	KUNIT_EXPECT_FALSE(test, is_writable(end - 1));
	KUNIT_EXPECT_FALSE(test, is_writable(end - 3));
	KUNIT_EXPECT_FALSE(test, is_writable(user.readonly));
	KUNIT_EXPECT_FALSE(test, is_writable(user.hole));
	KUNIT_EXPECT_FALSE(test, is_writable(user.hole - 1));
	KUNIT_EXPECT_FALSE(test, is_writable(0));
	KUNIT_EXPECT_FALSE(test, is_writable(-1UL));
	KUNIT_EXPECT_FALSE(test, is_writable(TASK_SIZE_MAX - 1));
	KUNIT_EXPECT_FALSE(test, is_writable((unsigned long)&user));
}

static void pages_that_an_int_lies_on(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, pages_of(0), 1);
	KUNIT_EXPECT_EQ(test, pages_of(PAGE_SIZE - sizeof(int)), 1);
	KUNIT_EXPECT_EQ(test, pages_of(PAGE_SIZE - sizeof(int) + 1), 2);
	KUNIT_EXPECT_EQ(test, pages_of(PAGE_SIZE - 1), 2);
	KUNIT_EXPECT_EQ(test, pages_of(PAGE_SIZE), 1);
}

static void refusals_hold_nothing(struct kunit *test)
{
	const int users = atomic_read(&user.mm->mm_users);

	KUNIT_EXPECT_EQ(test, PTR_ERR(setint_prepare(user.hole, 1)), -EFAULT);
	KUNIT_EXPECT_EQ(test, PTR_ERR(setint_prepare(user.readonly, 1)), -EFAULT);
	KUNIT_EXPECT_EQ(test, atomic_read(&user.mm->mm_users), users);
}

static void store_at(struct kunit *test, unsigned long addr, int value)
{
	const int users = atomic_read(&user.mm->mm_users);
	struct host_setint *setint = setint_prepare(addr, value);

	if (IS_ERR(setint)) {
		KUNIT_FAIL(test, "refused %#lx", addr);
		return;
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&user.mm->mm_users), users + 1);
	host_setint_store(setint);
	KUNIT_EXPECT_EQ(test, atomic_read(&user.mm->mm_users), users);
}

static void is_stored_wherever_an_int_can_lie(struct kunit *test)
{
	const unsigned long middle = user.page + PAGE_SIZE;
	unsigned long addr;

	for (addr = middle - 5; addr < middle + 2; addr++) {
		store_at(test, addr - sizeof(int), 0);
		store_at(test, addr + sizeof(int), 0);
		store_at(test, addr, 0x12345678 + addr);
		KUNIT_EXPECT_EQ(test, user_int(test, addr), (int)(0x12345678 + addr));
		KUNIT_EXPECT_EQ(test, user_int(test, addr - sizeof(int)), 0);
		KUNIT_EXPECT_EQ(test, user_int(test, addr + sizeof(int)), 0);
	}
	store_at(test, user.readonly - sizeof(int), INT_MIN);
	KUNIT_EXPECT_EQ(test, user_int(test, user.readonly - sizeof(int)), INT_MIN);
}

/* From a thread without that memory, as that of a dying thread is gone. */
static void is_stored_from_outside(struct kunit *test)
{
	struct host_setint *setint = setint_prepare(user.page, 77);

	KUNIT_EXPECT_FALSE(test, IS_ERR(setint));
	user_give_back(test);
	if (!IS_ERR(setint))
		host_setint_store(setint);
	kthread_use_mm(user.mm);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 77);
}

/* A killed thread has its signal pending, and keeps it. */
static void is_stored_by_the_killed(struct kunit *test)
{
	struct host_setint *setint = setint_prepare(user.page, 78);

	set_thread_flag(TIF_SIGPENDING);
	if (!IS_ERR(setint))
		host_setint_store(setint);
	KUNIT_EXPECT_TRUE(test, test_and_clear_thread_flag(TIF_SIGPENDING));
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 78);
}

static void unmapped_since_is_left_alone(struct kunit *test)
{
	const int users = atomic_read(&user.mm->mm_users);
	const unsigned long page =
		vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	struct host_setint *setint = setint_prepare(page, 79);

	KUNIT_EXPECT_FALSE(test, IS_ERR(setint));
	KUNIT_EXPECT_EQ(test, vm_munmap(page, PAGE_SIZE), 0);
	if (!IS_ERR(setint))
		host_setint_store(setint);
	KUNIT_EXPECT_EQ(test, atomic_read(&user.mm->mm_users), users);
}

static void dropped_is_not_stored(struct kunit *test)
{
	const int users = atomic_read(&user.mm->mm_users);
	struct host_setint *setint = setint_prepare(user.page, 80);

	if (!IS_ERR(setint)) {
		local_bh_disable();
		host_setint_drop(setint);
		local_bh_enable();
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&user.mm->mm_users), users);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(only_writable_memory_is_taken),
	KUNIT_CASE(pages_that_an_int_lies_on),
	KUNIT_CASE(refusals_hold_nothing),
	KUNIT_CASE(is_stored_wherever_an_int_can_lie),
	KUNIT_CASE(is_stored_from_outside),
	KUNIT_CASE(is_stored_by_the_killed),
	KUNIT_CASE(unmapped_since_is_left_alone),
	KUNIT_CASE(dropped_is_not_stored),
	{},
};

struct kunit_suite setint_suite = {
	.name = "bsdproc_setint",
	.init = user_borrow,
	.exit = user_give_back,
	.test_cases = cases,
};
