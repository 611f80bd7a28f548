// SPDX-License-Identifier: BSD-2-Clause
/* Holding processes at their exit. */
#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

_Static_assert(sizeof(struct bsd_stop) == sizeof(struct bsdproc_stop), "the module's record");
_Static_assert(S_EXIT == BSDPROC_S_EXIT && BSD_S_FORK == BSDPROC_S_FORK, "the module's numbers");

int bsd_hold(void)
{
	struct bsdproc_hold args = {};

	return bsdproc_call(BSDPROC_HOLD, &args);
}

int bsd_hold_stops(int fd, pid_t pid, unsigned events)
{
	struct bsdproc_stops args = {.fd = fd, .pid = pid, .events = events};

	return bsdproc_call(BSDPROC_STOPS, &args);
}

int bsd_hold_cont(int fd, pid_t pid)
{
	struct bsdproc_cont args = {.fd = fd, .pid = pid};

	return bsdproc_call(BSDPROC_CONT, &args);
}
