// SPDX-License-Identifier: GPL-2.0-only
/* User memory for the suites: in the process that loads the module, by its leave. */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "kunit.h"

struct user_memory user;

int user_memory_init(void)
{
	const unsigned long got = vm_mmap(NULL, 0, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, 0);

	if (IS_ERR_VALUE(got))
		return got;
	user.page = got;
	user.readonly = got + 2 * PAGE_SIZE;
	user.hole = got + 3 * PAGE_SIZE;
	vm_munmap(user.readonly, 2 * PAGE_SIZE);
	if (IS_ERR_VALUE(vm_mmap(NULL, user.readonly, PAGE_SIZE, PROT_READ,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0)))
		return -ENOMEM;
	mmget(current->mm);
	user.mm = current->mm;
	return 0;
}

void user_memory_exit(void)
{
	vm_munmap(user.page, 3 * PAGE_SIZE);
	mmput(user.mm);
}

int user_borrow(struct kunit *test)
{
	kthread_use_mm(user.mm);
	return clear_user((void __user *)user.page, 2 * PAGE_SIZE) ? -EFAULT : 0;
}

void user_give_back(struct kunit *test)
{
	kthread_unuse_mm(user.mm);
}

int user_int(struct kunit *test, unsigned long addr)
{
	int value = -1;

	KUNIT_EXPECT_EQ(test, copy_from_user(&value, (void __user *)addr, sizeof(value)), 0);
	return value;
}
