// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map from tasks to lwps: chains that are walked under RCU, each with a lock in the lowest
 * bit of its beginning.
 *
 * The table never changes its size. It has a chain for each 64 KiB of memory, of which Linux
 * needs a third or more for the smallest thread; so chains stay short whatever runs, nothing
 * is counted, which all CPUs would have to share, and no birth pays for a larger table.
 */
#include <linux/hash.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
/* 6.12's does not see to cpu_relax() itself. */
#include <linux/bit_spinlock.h>

#include "linux.h"

#define CHAIN_MEMORY_SHIFT 16
#define MIN_BITS 12
#define MAX_BITS 20 /* a chain for each four of the pids that a kernel can have */

#define LOCK_BIT 0
#define LOCKED BIT(LOCK_BIT)

static unsigned long *chains;
static unsigned bits;

static unsigned long *chain_of(const struct task_struct *task)
{
	return &chains[hash_ptr(task, bits)];
}

static struct host_link *first(const unsigned long *chain)
{
	return (struct host_link *)(READ_ONCE(*chain) & ~LOCKED);
}

static struct host_link *after(const struct host_link *link)
{
	return READ_ONCE(link->next);
}

static struct host_link *find(const unsigned long *chain, const struct task_struct *task)
{
	struct host_link *link;

	for (link = first(chain); link && link->task != task; link = after(link))
		;
	return link;
}

int host_map_insert(struct host_link *link)
{
	unsigned long *chain = chain_of(link->task);
	int error = -EEXIST;

	lockdep_assert_in_softirq(); /* or softirqs are off: frees take the lock there */
	bit_spin_lock(LOCK_BIT, chain);
	if (!find(chain, link->task)) {
		WRITE_ONCE(link->next, first(chain));
		smp_store_release(chain, (unsigned long)link | LOCKED);
		error = 0;
	}
	bit_spin_unlock(LOCK_BIT, chain);
	return error;
}

void host_map_remove(struct host_link *link)
{
	unsigned long *chain = chain_of(link->task);
	struct host_link *before;

	lockdep_assert_in_softirq();
	bit_spin_lock(LOCK_BIT, chain);
	before = first(chain);
	/* Its own next stays, for readers who stand there. */
	if (before == link) {
		WRITE_ONCE(*chain, (unsigned long)after(link) | LOCKED);
	} else {
		while (after(before) != link)
			before = after(before);
		WRITE_ONCE(before->next, after(link));
	}
	bit_spin_unlock(LOCK_BIT, chain);
}

struct host_link *host_map_find(const struct task_struct *task)
{
	return find(chain_of(task), task);
}

void host_map_walk(void (*visit)(struct host_link *, void *), void *arg)
{
	struct host_link *link;
	unsigned i;

	for (i = 0; i < 1u << bits; i++) {
		rcu_read_lock();
		for (link = first(&chains[i]); link; link = after(link))
			visit(link, arg);
		rcu_read_unlock();
		if (i % 256 == 255)
			cond_resched();
	}
}

void host_map_drain(void (*drop)(struct host_link *))
{
	struct host_link *link, *next;
	unsigned i;

	for (i = 0; i < 1u << bits; i++) {
		for (link = first(&chains[i]); link; link = next) {
			next = after(link);
			drop(link);
		}
		chains[i] = 0;
		if (i % 256 == 255)
			cond_resched();
	}
}

int host_map_init(void)
{
	const unsigned long wanted = totalram_pages() >> (CHAIN_MEMORY_SHIFT - PAGE_SHIFT);

	BUILD_BUG_ON(__alignof__(struct host_link) <= LOCKED);
	bits = clamp(order_base_2(wanted), MIN_BITS, MAX_BITS);
	chains = kvcalloc(1u << bits, sizeof(*chains), GFP_KERNEL);
	return chains ? 0 : -ENOMEM;
}

/* Nobody looks any more, and it was drained, or is empty still. */
void host_map_exit(void)
{
	kvfree(chains);
}
