/* SPDX-License-Identifier: BSD-2-Clause */
/* <sys/lwp.h>, which Linux does not have. */
#ifndef BSDPROC_OVERLAY_SYS_LWP_H
#define BSDPROC_OVERLAY_SYS_LWP_H

#include <sys/types.h>

__BEGIN_DECLS

extern int lwp_kill(pid_t __pid, lwpid_t __lwp, int __sig) __asm__("bsd_lwp_kill");
extern lwpid_t lwp_gettid(void) __asm__("bsd_lwp_gettid");

__END_DECLS

#endif /* BSDPROC_OVERLAY_SYS_LWP_H */
