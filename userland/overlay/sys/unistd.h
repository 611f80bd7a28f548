/* SPDX-License-Identifier: BSD-2-Clause */
/* <sys/unistd.h> with the flags of extexit and rfork_thread; those that are not here are not
 * known to these. */
#include_next <sys/unistd.h>

#ifndef BSDPROC_OVERLAY_SYS_UNISTD_H
#define BSDPROC_OVERLAY_SYS_UNISTD_H

#ifndef EXTEXIT_SIMPLE
#define EXTEXIT_SIMPLE 0
#define EXTEXIT_SETINT 1
#define EXTEXIT_PROC (0 << 16)
#define EXTEXIT_LWP (1 << 16)
#define EXTEXIT_ACTION(how) (0xffff & (how))
#define EXTEXIT_WHO(how) ((how) & ~0xffff)
#endif

#ifndef RFPROC
#define RFFDG (1 << 2)
#define RFPROC (1 << 4)
#define RFMEM (1 << 5)
#define RFCFDG (1 << 12)
#define RFTHREAD (1 << 13)
#define RFSIGSHARE (1 << 14)
#define RFLINUXTHPN (1 << 16)
#endif

#endif /* BSDPROC_OVERLAY_SYS_UNISTD_H */
