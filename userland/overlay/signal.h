/* SPDX-License-Identifier: BSD-2-Clause */
/* <signal.h> with lwp_kill(), as DragonFly has it there. */
#include_next <signal.h>

#ifndef BSDPROC_OVERLAY_SIGNAL_H
#define BSDPROC_OVERLAY_SIGNAL_H

#include <sys/lwp.h>

#endif /* BSDPROC_OVERLAY_SIGNAL_H */
