// SPDX-License-Identifier: BSD-2-Clause
/* Notes: descriptors that tell of what a process does. */
#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

_Static_assert(sizeof(struct bsd_note) == sizeof(struct bsdproc_note), "the module's record");
_Static_assert(NOTE_EXIT == BSDPROC_NOTE_EXIT, "the module's number");

int bsd_knote(pid_t pid, unsigned fflags)
{
	struct bsdproc_knote args = {.pid = pid, .fflags = fflags};

	return bsdproc_call(BSDPROC_KNOTE, &args);
}
