// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of those who are traced. */
#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

int bsd_tracekill(int on)
{
	struct bsdproc_tracekill args = {.on = (unsigned)on};

	return bsdproc_call(BSDPROC_TRACEKILL, &args);
}
