// SPDX-License-Identifier: BSD-2-Clause
/* The counts, in the memory that bsdrun shares out if it was asked to tell of them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload.h"

/* For nobody to see. */
static struct bsdrun_counts own;
struct bsdrun_counts *preload_counts = &own;

/* Who cannot reach the memory, as another user or in another pid namespace, is not counted. */
__attribute__((constructor)) static void find_counts(void)
{
	const char *where = secure_getenv(BSDRUN_COUNTS);
	unsigned long device, inode;
	char path[64];
	struct stat st;
	void *shared;
	int pid, fd;

	if (!where || sscanf(where, BSDRUN_COUNTS_FORMAT, &pid, &fd, &device, &inode) != 4)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	/* Looked at before it is opened: that may mean something to a device or a pipe. */
	if (stat(path, &st) == -1 || st.st_dev != device || st.st_ino != inode)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return;
	shared = mmap(NULL, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared != MAP_FAILED)
		preload_counts = shared;
}
