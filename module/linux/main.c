// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading, on a system that is alive. */
#include <linux/init.h>
#include <linux/module.h>

#include "linux.h"

static void forget_all(void)
{
	probes_disconnect();
	core_fini();
	host_memory_exit();
}

static int __init bsdproc_init(void)
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
	if (!error)
		error = device_init();
	if (error)
		forget_all();
	return error;
}

/* Nobody has the device open, so nobody is in a call. */
static void __exit bsdproc_exit(void)
{
	device_exit();
	forget_all();
}

module_init(bsdproc_init);
module_exit(bsdproc_exit);

MODULE_DESCRIPTION("BSD processes beside Linux's: DragonFly's exit and wait");
MODULE_LICENSE("GPL");
