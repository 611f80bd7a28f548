// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. */
#include <linux/init.h>
#include <linux/module.h>

#include "linux.h"

static int __init bsdproc_init(void)
{
	int error = model_start();

	if (error)
		return error;
	error = device_init();
	if (error)
		model_stop();
	return error;
}

/* Nobody has the device open, so nobody is in a call. */
static void __exit bsdproc_exit(void)
{
	device_exit();
	model_stop();
}

module_init(bsdproc_init);
module_exit(bsdproc_exit);

MODULE_DESCRIPTION("BSD processes beside Linux's: DragonFly's exit and wait");
MODULE_LICENSE("GPL");
