// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reaper's lists: objects that are out of the model wait on a list of their CPU until nobody
 * can look at them any more, all of a list with one callback of RCU's, which is dearer than the
 * rest of an object's end.
 */
#include <linux/bitops.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>

#include "linux.h"

/*
 * Any context adds to young; old waits for a grace period, and is that of whoever has set
 * BUSY. What is more than MOST waits for another: RCU has such limits, too.
 */
#define MOST 4096

#define BUSY 0
struct reclaimer {
	struct llist_head young;
	struct llist_node *old;
	unsigned long flags; /* 1 << BUSY */
	struct rcu_head head;
};

static DEFINE_PER_CPU(struct reclaimer, reclaimers);

static void grow_old(struct reclaimer *r);

/* From here on who adds sees to it; what was added before is seen by who lets go. */
static void let_go(struct reclaimer *r)
{
	clear_bit_unlock(BUSY, &r->flags);
	smp_mb__after_atomic();
}

OFTEN static void reclaim_old(struct rcu_head *head)
{
	struct reclaimer *r = container_of(head, struct reclaimer, head);
	struct llist_node *node = r->old;
	unsigned n;

	for (n = 0; node && n < MOST; n++) {
		struct host_work *work = (struct host_work *)node;

		node = node->next;
		core_reclaim((enum host_pool)(unsigned long)work->func, work);
	}
	r->old = node;
	if (node) {
		call_rcu(head, reclaim_old);
		return;
	}
	let_go(r);
	grow_old(r);
}

/* Has those that are young wait for a grace period, unless others do, who will see to them. */
OFTEN static void grow_old(struct reclaimer *r)
{
	while (!llist_empty(&r->young) && !test_and_set_bit_lock(BUSY, &r->flags)) {
		r->old = llist_del_all(&r->young);
		if (r->old) {
			call_rcu(&r->head, reclaim_old);
			return;
		}
		let_go(r);
	}
}

void host_reclaim_later(enum host_pool pool, struct host_work *work)
{
	struct reclaimer *r = raw_cpu_ptr(&reclaimers); /* another's would do as well */

	BUILD_BUG_ON(sizeof(struct llist_node) != sizeof(work->next));
	work->func = (void *)(unsigned long)pool;
	llist_add((struct llist_node *)&work->next, &r->young);
	if (!test_bit(BUSY, &r->flags))
		grow_old(r);
}

static bool some_wait(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct reclaimer *r = per_cpu_ptr(&reclaimers, cpu);

		if (test_bit(BUSY, &r->flags) || !llist_empty(&r->young))
			return true;
	}
	return false;
}

void host_reclaim_wait(void)
{
	do
		rcu_barrier();
	while (some_wait());
}
