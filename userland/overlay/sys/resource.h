/* SPDX-License-Identifier: BSD-2-Clause */
/* <sys/resource.h> with what wait6 tells. */
#include_next <sys/resource.h>

#ifndef BSDPROC_OVERLAY_SYS_RESOURCE_H
#define BSDPROC_OVERLAY_SYS_RESOURCE_H

#ifndef BSDPROC_WRUSAGE
#define BSDPROC_WRUSAGE
struct __wrusage {
	struct rusage wru_self;
	struct rusage wru_children;
};
#endif

#endif /* BSDPROC_OVERLAY_SYS_RESOURCE_H */
