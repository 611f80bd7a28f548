// SPDX-License-Identifier: BSD-2-Clause
/* Traces of what processes do. */
#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

_Static_assert(KTRFAC_PSIG == BSDPROC_KTRFAC_SIG, "the module's numbers");
_Static_assert(KTRFAC_INHERIT == BSDPROC_KTRFAC_INHERIT, "the module's numbers");
_Static_assert(BSD_KTRFAC_FORK == BSDPROC_KTRFAC_FORK, "the module's numbers");
_Static_assert(BSD_KTRFAC_EXEC == BSDPROC_KTRFAC_EXEC, "the module's numbers");
_Static_assert(BSD_KTRFAC_EXIT == BSDPROC_KTRFAC_EXIT, "the module's numbers");
_Static_assert(BSD_KTRFAC_WAIT == BSDPROC_KTRFAC_WAIT, "the module's numbers");

int bsd_ktrace(unsigned records)
{
	struct bsdproc_ktrace args = {.records = records};

	return bsdproc_call(BSDPROC_KTRACE, &args);
}

int bsd_ktrace_set(int fd, pid_t pid, unsigned facs)
{
	struct bsdproc_ktrset args = {.fd = fd, .pid = pid, .facs = facs};

	return bsdproc_call(BSDPROC_KTRSET, &args);
}
