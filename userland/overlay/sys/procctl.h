/* SPDX-License-Identifier: BSD-2-Clause */
/* <sys/procctl.h>, which Linux does not have. */
#ifndef BSDPROC_OVERLAY_SYS_PROCCTL_H
#define BSDPROC_OVERLAY_SYS_PROCCTL_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h> /* idtype_t */

#ifndef PROC_REAP_ACQUIRE
#define PROC_REAP_ACQUIRE 1
#define PROC_REAP_RELEASE 2
#define PROC_REAP_STATUS 3
#define REAPER_STAT_OWNED 1
#define REAPER_STAT_REALINIT 2

struct reaper_status {
	uint32_t flags;
	uint32_t refs;
	long reserved1[15];
	pid_t pid_head;
	int reserved2[15];
};
union reaper_info {
	struct reaper_status status;
};
#endif

__BEGIN_DECLS

extern int procctl(idtype_t __idtype, id_t __id, int __cmd, void *__data) __asm__("bsd_procctl");

__END_DECLS

#endif /* BSDPROC_OVERLAY_SYS_PROCCTL_H */
