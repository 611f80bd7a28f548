// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading runs all suites on a live model. Not by kunit_test_suites(): that runs them
 * before the module's init on older kernels, and after it on newer ones.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "kunit.h"

static struct kunit_suite *const suites[] = {
	&host_suite,   &device_suite, &kproc_suite, &usage_suite,  &setint_suite,
	&wait_suite,   &child_suite,  &watch_suite, &stream_suite, &core_suite,
	&atexit_suite, &memory_suite, &race_suite,  &pool_suite,
};

static int __init bsdproc_kunit_init(void)
{
	int error, i;

	error = user_memory_init();
	if (error)
		return error;
	error = model_start();
	if (!error) {
		/* Without the prefix that pr_info() has here. */
		printk(KERN_INFO "KTAP version 1\n");
		printk(KERN_INFO "1..%zu\n", ARRAY_SIZE(suites));
		for (i = 0; i < ARRAY_SIZE(suites); i++)
			kunit_run_tests(suites[i]);
		error = device_init();
		if (error)
			model_stop();
	}
	user_memory_exit();
	return error;
}

static void __exit bsdproc_kunit_exit(void)
{
	device_exit();
	model_stop();
}

module_init(bsdproc_kunit_init);
module_exit(bsdproc_kunit_exit);

MODULE_DESCRIPTION("bsdproc with its KUnit suites");
MODULE_LICENSE("GPL");
