// SPDX-License-Identifier: GPL-2.0-only
/* tsleep and wakeup, for threads that may be past all signals. */
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "linux.h"

/* The idle state is not counted as load, nor reported as a hung task. */
#ifdef TASK_FREEZABLE
#define ASLEEP (TASK_IDLE | TASK_FREEZABLE)
#else
#define ASLEEP TASK_IDLE
#endif

void host_sleep(const void *channel, int (*awake)(void *), void *arg)
{
	___wait_var_event((void *)channel, awake(arg), ASLEEP, 0, 0, schedule());
}

void host_wakeup(const void *channel)
{
	/* Between the change and the look whether anybody sleeps. */
	smp_mb();
	wake_up_var((void *)channel);
}
