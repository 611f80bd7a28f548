// SPDX-License-Identifier: GPL-2.0-only
/*
 * EXTEXIT_SETINT's store. It is checked while the thread lives and made when the
 * thread can run no more user code; by then its mm is gone, and maybe its group
 * leader's too. So the memory is pinned in between.
 */
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "linux.h"

struct host_setint {
	struct page *pages[2]; /* an unaligned int may lie on two */
	int npages;
	unsigned offset;
	int value;
};

struct host_setint *setint_prepare(unsigned long addr, int value)
{
	struct host_setint *s;
	int pinned;

	addr = untagged_addr(addr);
	if (!access_ok((void __user *)addr, sizeof(int)))
		return ERR_PTR(-EFAULT);
	s = kmalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);
	s->value = value;
	s->offset = offset_in_page(addr);
	s->npages = s->offset + sizeof(int) > PAGE_SIZE ? 2 : 1;

	pinned = pin_user_pages_fast(addr & PAGE_MASK, s->npages, FOLL_WRITE, s->pages);
	if (pinned != s->npages) {
		if (pinned > 0)
			unpin_user_pages(s->pages, pinned);
		kfree(s);
		return ERR_PTR(-EFAULT);
	}
	return s;
}

static void store_bytes(struct page *page, unsigned offset, const char *from, unsigned len)
{
	memcpy_to_page(page, offset, from, len);
}

void host_setint_store(struct host_setint *s)
{
	const unsigned first = min_t(unsigned, sizeof(int), PAGE_SIZE - s->offset);

	if (IS_ALIGNED(s->offset, sizeof(int))) {
		char *page = kmap_local_page(s->pages[0]);

		/* Who sees the value sees all that the thread wrote before. */
		smp_store_release((int *)(page + s->offset), s->value);
		kunmap_local(page);
	} else {
		smp_wmb();
		store_bytes(s->pages[0], s->offset, (char *)&s->value, first);
		if (first < sizeof(int))
			store_bytes(s->pages[1], 0, (char *)&s->value + first, sizeof(int) - first);
	}
	unpin_user_pages_dirty_lock(s->pages, s->npages, true);
	kfree(s);
}

void host_setint_drop(struct host_setint *s)
{
	unpin_user_pages(s->pages, s->npages);
	kfree(s);
}
