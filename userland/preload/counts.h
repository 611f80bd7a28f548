/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the waits of a program and of what it starts: counted by the preload in
 * memory that it shares with `bsdrun --verbose`. C and C++.
 */
#ifndef BSDRUN_COUNTS_H
#define BSDRUN_COUNTS_H

#include <stdint.h>

/*
 * "PID:FD:DEVICE:INODE": a file of sizeof(struct bsdrun_counts), where the process PID has it
 * open. Which file it must be, as a process with that number may be another one: in another
 * pid namespace, or later.
 */
#define BSDRUN_COUNTS "BSDRUN_COUNTS"
#define BSDRUN_COUNTS_FORMAT "%d:%d:%lu:%lu"

struct bsdrun_counts {
	uint64_t served;    /* answered by the module, and collected as it said */
	uint64_t linux_own; /* not the module's to answer: left to Linux */
	uint64_t refused;   /* the module gave an error that is no answer: left to Linux */
	uint64_t disagreed; /* the module knew no child, and Linux did */
	uint64_t again;     /* another wait had been quicker; the module was asked again */
};

#endif /* BSDRUN_COUNTS_H */
