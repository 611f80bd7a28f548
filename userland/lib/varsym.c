// SPDX-License-Identifier: BSD-2-Clause
/* Variant symbols. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

_Static_assert(VARSYM_PROC == BSDPROC_VARSYM_PROC, "the module's number");
_Static_assert(VARSYM_USER == BSDPROC_VARSYM_USER, "the module's number");
_Static_assert(VARSYM_SYS == BSDPROC_VARSYM_SYS, "the module's number");
_Static_assert(VARSYM_ALL_MASK == BSDPROC_VARSYM_ALL_MASK, "the module's number");
_Static_assert(MAXVARSYM_NAME == BSDPROC_MAXVARSYM_NAME, "the module's limit");
_Static_assert(MAXVARSYM_DATA == BSDPROC_MAXVARSYM_DATA, "the module's limit");
_Static_assert(MAXVARSYM_SET == BSDPROC_MAXVARSYM_SET, "the module's limit");

static uint32_t room(int size)
{
	return size > 0 ? (uint32_t)size : 0;
}

int bsd_varsym_set(int level, const char *name, const char *data)
{
	struct bsdproc_varsym_set args = {
		.level = (uint32_t)level,
		.name = (uintptr_t)name,
		.data = (uintptr_t)data,
	};

	return bsdproc_call(BSDPROC_VARSYM_SET, &args);
}

int bsd_varsym_get(int mask, const char *wild, char *buf, int bufsize)
{
	struct bsdproc_varsym_get args = {
		.mask = (uint32_t)mask,
		.room = room(bufsize),
		.name = (uintptr_t)wild,
		.data = (uintptr_t)buf,
	};

	if (bsdproc_call(BSDPROC_VARSYM_GET, &args) == -1)
		return -1;
	return (int)args.length;
}

int bsd_varsym_list(int level, char *buf, int maxsize, int *marker)
{
	struct bsdproc_varsym_list args = {
		.level = (uint32_t)level,
		.room = room(maxsize),
		.buf = (uintptr_t)buf,
	};

	if (!marker) {
		errno = EFAULT;
		return -1;
	}
	args.marker = *marker;
	if (bsdproc_call(BSDPROC_VARSYM_LIST, &args) == -1)
		return -1;
	*marker = args.marker;
	return (int)args.length;
}
