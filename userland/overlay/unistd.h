/* SPDX-License-Identifier: BSD-2-Clause */
/* <unistd.h> with the calls that DragonFly has there. Those names are new to libc. */
#include_next <unistd.h>

#ifndef BSDPROC_OVERLAY_UNISTD_H
#define BSDPROC_OVERLAY_UNISTD_H

#include <sys/types.h>
#include <sys/unistd.h>

__BEGIN_DECLS

#define _HAVE_EXTEXIT 1
/* int, as it comes back with -1 when it fails; what takes it for void can do so. */
extern int extexit(int __how, int __status, void *__addr) __asm__("bsd_extexit");
extern lwpid_t lwp_gettid(void) __asm__("bsd_lwp_gettid");
extern pid_t rfork_thread(int __flags, void *__stack, int (*__function)(void *),
			  void *__arg) __asm__("bsd_rfork_thread");

__END_DECLS

#endif /* BSDPROC_OVERLAY_UNISTD_H */
