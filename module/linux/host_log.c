// SPDX-License-Identifier: GPL-2.0-only
/* What goes to the kernel's log. */
#include <linux/bug.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "linux.h"

void host_warn(const char *what, const void *function)
{
	if (function)
		pr_warn("%s: %ps\n", what, function);
	else
		pr_warn("%s\n", what);
}

void host_assert_failed(const char *what)
{
	WARN(1, "bsdproc: assertion failed: %s\n", what);
}

/* Anybody who may make a namespace can have this said. */
void host_init_died(int signal, int exit)
{
	pr_info_ratelimited("init of a pid namespace died: pid %d, signal %d, exit %d\n",
			    task_tgid_nr(current), signal, exit);
}
