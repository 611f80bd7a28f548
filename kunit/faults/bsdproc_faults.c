// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commits the fault it is told: insmod bsdproc_faults.ko fault=NAME. What the debug kernels are
 * to report in the module must be reported in this one, see scripts/check-watchers. It never
 * stays loaded.
 */
#include <linux/atomic.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>

static char *fault = "";
module_param(fault, charp, 0);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static int __rcu *shared;

/* Of thousands of accesses KCSAN watches one. */
#define ENOUGH 200000
static int raced;
static atomic_t times[2];
static DECLARE_WAIT_QUEUE_HEAD(both);

static void leak(void)
{
	void *volatile lost = kmalloc(100, GFP_KERNEL);

	lost = NULL;
}

static void use_after_free(void)
{
	char *p = kmalloc(100, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	READ_ONCE(*p);
}

static void beyond_the_stack(void)
{
	char room[8];
	char *volatile p = room;

	READ_ONCE(p[sizeof(room) + 4]);
}

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void read_without_rcu(void)
{
	rcu_dereference(shared);
}

static void never(struct timer_list *timer) {}

static void free_what_is_active(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer); /* ODEBUG stops it first */
}

static void shift_too_far(void)
{
	volatile int by = 40;

	by = 1 << by;
}

/* Until told, so that each has the other beside it for all its times. */
static int race(void *mine)
{
	while (!kthread_should_stop()) {
		raced++;
		if (atomic_inc_return(mine) == ENOUGH)
			wake_up(&both);
		cond_resched();
	}
	return 0;
}

static void two_racers(void)
{
	struct task_struct *one = kthread_run(race, &times[0], "faults/0");
	struct task_struct *other = kthread_run(race, &times[1], "faults/1");

	if (!IS_ERR(one) && !IS_ERR(other))
		wait_event(both,
			   atomic_read(&times[0]) >= ENOUGH && atomic_read(&times[1]) >= ENOUGH);
	if (!IS_ERR(one))
		kthread_stop(one);
	if (!IS_ERR(other))
		kthread_stop(other);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{"leak", leak},
	{"use-after-free", use_after_free},
	{"stack", beyond_the_stack},
	{"sleep", sleep_in_atomic},
	{"order", lock_order},
	{"rcu", read_without_rcu},
	{"active", free_what_is_active},
	{"shift", shift_too_far},
	{"race", two_racers},
};

static int __init faults_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, fault))
			continue;
		faults[i].commit();
		return -ECANCELED;
	}
	return -EINVAL;
}

module_init(faults_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("bsdproc: faults for the debug kernels to report");
