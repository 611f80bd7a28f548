// SPDX-License-Identifier: GPL-2.0-only
/* Signals that the core sends. */
#include <linux/pid.h>
#include <linux/sched/signal.h>

#include "linux.h"

int host_kill(struct pid *pid, int signal)
{
	return kill_pid(pid, signal, 0);
}
