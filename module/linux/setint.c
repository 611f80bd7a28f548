// SPDX-License-Identifier: GPL-2.0-only
/*
 * EXTEXIT_SETINT's store. It is checked while the thread lives and made when the
 * thread can run no more user code; by then its mm is gone, and maybe its group
 * leader's too. So the mm is held in between. Not the page: nobody says how long
 * a thread takes from its verdict to its end.
 */
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "linux.h"

struct host_setint {
	struct mm_struct *mm;
	unsigned long addr;
	int value;
};

/* An unaligned int may lie on two pages. */
static unsigned pages_of(unsigned long addr)
{
	return offset_in_page(addr) + sizeof(int) > PAGE_SIZE ? 2 : 1;
}

static bool is_writable(unsigned long addr)
{
	struct page *pages[2];
	const int wanted = pages_of(addr);
	int got, i;

	if (!access_ok((void __user *)addr, sizeof(int)))
		return false;
	got = get_user_pages_fast(addr & PAGE_MASK, wanted, FOLL_WRITE, pages);
	for (i = 0; i < got; i++)
		put_page(pages[i]);
	return got == wanted;
}

struct host_setint *setint_prepare(unsigned long addr, int value)
{
	struct host_setint *s;

	addr = untagged_addr(addr);
	if (!is_writable(addr))
		return ERR_PTR(-EFAULT);
	s = kmalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);
	mmget(current->mm);
	*s = (struct host_setint){.mm = current->mm, .addr = addr, .value = value};
	return s;
}

/* Until 6.4 it has one argument more; the right caller is chosen by its type. */
typedef long pin_with_vmas(struct mm_struct *, unsigned long, unsigned long, unsigned,
			   struct page **, struct vm_area_struct **, int *);
typedef long pin_without_vmas(struct mm_struct *, unsigned long, unsigned long, unsigned,
			      struct page **, int *);

static long __maybe_unused call_with_vmas(pin_with_vmas *pin, struct mm_struct *mm,
					  unsigned long start, unsigned n, struct page **pages)
{
	return pin(mm, start, n, FOLL_WRITE, pages, NULL, NULL);
}

static long __maybe_unused call_without_vmas(pin_without_vmas *pin, struct mm_struct *mm,
					     unsigned long start, unsigned n, struct page **pages)
{
	return pin(mm, start, n, FOLL_WRITE, pages, NULL);
}

/* clang-format off */
#define pin_remote(...)                              \
	_Generic(&pin_user_pages_remote,             \
		pin_with_vmas *: call_with_vmas,     \
		pin_without_vmas *: call_without_vmas)(pin_user_pages_remote, __VA_ARGS__)
/* clang-format on */

static void store(struct page **pages, unsigned offset, int value)
{
	const unsigned first = min_t(unsigned, sizeof(int), PAGE_SIZE - offset);

	if (IS_ALIGNED(offset, sizeof(int))) {
		char *page = kmap_local_page(pages[0]);

		/* Who sees the value sees all that the thread wrote before. */
		smp_store_release((int *)(page + offset), value);
		kunmap_local(page);
		return;
	}
	smp_wmb();
	memcpy_to_page(pages[0], offset, (char *)&value, first);
	if (first < sizeof(int))
		memcpy_to_page(pages[1], 0, (char *)&value + first, sizeof(int) - first);
}

/*
 * Who dies by SIGKILL has it pending, and get_user_pages() gives up on such tasks.
 * So nothing is pending while it works; what comes in between means once more.
 */
static long pin_though_killed(const struct host_setint *s, unsigned wanted, struct page **pages)
{
	bool pending = false;
	long got;

	do {
		pending |= test_and_clear_thread_flag(TIF_SIGPENDING);
		mmap_read_lock(s->mm);
		got = pin_remote(s->mm, s->addr & PAGE_MASK, wanted, pages);
		mmap_read_unlock(s->mm);
		if (got > 0 && got < wanted)
			unpin_user_pages(pages, got);
	} while (got != wanted && signal_pending(current));
	if (pending)
		set_thread_flag(TIF_SIGPENDING);
	return got;
}

void host_setint_store(struct host_setint *s)
{
	const unsigned wanted = pages_of(s->addr);
	struct page *pages[2];
	const long got = pin_though_killed(s, wanted, pages);

	/* Unmapped since: then nobody looks there. */
	if (got == wanted) {
		store(pages, offset_in_page(s->addr), s->value);
		unpin_user_pages_dirty_lock(pages, got, true);
	}
	mmput(s->mm);
	kfree(s);
}

/* Any context. */
void host_setint_drop(struct host_setint *s)
{
	mmput_async(s->mm);
	kfree(s);
}
