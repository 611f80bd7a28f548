/* SPDX-License-Identifier: GPL-2.0-only */
/* What the suites share. */
#ifndef BSDPROC_KUNIT_H
#define BSDPROC_KUNIT_H

#include <kunit/test.h>

#include "../module/linux/linux.h"

extern struct kunit_suite device_suite, kproc_suite, usage_suite, setint_suite, wait_suite,
	child_suite, watch_suite, stream_suite, host_suite, core_suite, atexit_suite, memory_suite,
	race_suite, pool_suite;

/*
 * user.c: a piece of user memory, for cases in suites with these as init and exit. Such a
 * case must not ASSERT: a thread that ends with borrowed memory takes it along.
 */
extern struct user_memory {
	struct mm_struct *mm;
	unsigned long page;     /* two that can be written, */
	unsigned long readonly; /* one that cannot, */
	unsigned long hole;     /* and nothing */
} user;
int user_memory_init(void);
void user_memory_exit(void);
int user_borrow(struct kunit *test);
void user_give_back(struct kunit *test);
/* What is at `addr` now. */
int user_int(struct kunit *test, unsigned long addr);

/* process.c: real processes. */
struct process {
	struct list_head link;
	char *argv[6];
	struct pid *pid;
	struct completion begun, ended;
	int status;
};
/* The shell with a script; on its way when this returns. Ended, if not before, by the exit. */
struct process *process_start(struct kunit *test, const char *script);
struct process *process_start_program(struct kunit *test, char **argv);
/* Its wait status. */
int process_end(struct process *process, int signal);
void processes_end(struct kunit *test);
/* A child of that process, with a reference; null: it has none. */
struct pid *process_child(struct pid *parent);

/* What the model says of it, brought up to date. 0, -ESRCH. */
int look_at(struct pid *pid, struct core_kproc *kproc, struct core_klwp *lwps, unsigned room);

/* Waits for what must come, though nobody says when. */
#define eventually(test, condition)                                             \
	({                                                                      \
		const unsigned long deadline = jiffies + 120 * HZ;              \
		bool came;                                                      \
                                                                                \
		while (!(came = (condition)) && time_before(jiffies, deadline)) \
			schedule_timeout_uninterruptible(1);                    \
		KUNIT_EXPECT_TRUE_MSG(test, came, "never: " #condition);        \
		came;                                                           \
	})

#endif /* BSDPROC_KUNIT_H */
