// SPDX-License-Identifier: BSD-2-Clause
/* The calls about the calling lwp. */
#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

int bsd_lwp_gettid(void)
{
	struct bsdproc_gettid args = {0};

	if (bsdproc_call(BSDPROC_GETTID, &args) == -1)
		return -1;
	return args.lwpid;
}
