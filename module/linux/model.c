// SPDX-License-Identifier: GPL-2.0-only
/* The model's beginning and end, on a system that is alive. */
#include <linux/errno.h>
#include <linux/printk.h>

#include "linux.h"

int model_start(void)
{
	int error = host_memory_init();

	if (error)
		return error;
	core_init();
	/* Hear of what happens first, then look at what is there. */
	error = probes_connect();
	if (!error)
		error = core_adopt_all();
	if (error == -ENOMEM)
		pr_err("no memory for the processes that are alive\n");
	if (error)
		model_stop();
	return error;
}

void model_stop(void)
{
	probes_disconnect();
	core_fini();
	host_memory_exit();
}
