// SPDX-License-Identifier: BSD-2-Clause
/*
 * The library's handle of the device, for waits in which a thread may be cancelled; and with
 * a number where programs do not meet it: above those that they and shells use by name, below
 * those for which Linux makes a process's table of descriptors larger.
 */
#define _GNU_SOURCE
#include "preload.h"

#define BSDPROC_LOWEST 250
#define BSDPROC_IOCTL preload_ioctl
#include "../lib/device.c"
