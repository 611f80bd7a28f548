/* SPDX-License-Identifier: BSD-2-Clause */
/* <sys/types.h> with the BSDs' type of lwp ids. */
#include_next <sys/types.h>

#ifndef BSDPROC_OVERLAY_SYS_TYPES_H
#define BSDPROC_OVERLAY_SYS_TYPES_H

/* What glibc's <sys/procfs.h> makes it too. */
typedef __pid_t lwpid_t;

#endif /* BSDPROC_OVERLAY_SYS_TYPES_H */
