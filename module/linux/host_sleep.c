// SPDX-License-Identifier: GPL-2.0-only
/* tsleep and wakeup, for threads that may be past all signals; signals; the log. */
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
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

void host_warn(const char *what, const void *function)
{
	if (function)
		pr_warn("%s: %ps\n", what, function);
	else
		pr_warn("%s\n", what);
}

/* Anybody who may make a namespace can have this said. */
void host_init_died(int signal, int exit)
{
	pr_info_ratelimited("init of a pid namespace died: pid %d, signal %d, exit %d\n",
			    task_tgid_nr(current), signal, exit);
}

int host_kill(struct pid *pid, int signal)
{
	return kill_pid(pid, signal, 0);
}
