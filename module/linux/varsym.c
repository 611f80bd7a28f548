// SPDX-License-Identifier: GPL-2.0-only
/* Variant symbols: strings in and out. */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "linux.h"

static bool is_level(u32 level)
{
	BUILD_BUG_ON(CORE_VARSYM_PROC != BSDPROC_VARSYM_PROC);
	BUILD_BUG_ON(CORE_VARSYM_USER != BSDPROC_VARSYM_USER);
	BUILD_BUG_ON(CORE_VARSYM_SYS != BSDPROC_VARSYM_SYS);
	BUILD_BUG_ON(CORE_VARSYM_SET != BSDPROC_MAXVARSYM_SET);

	return level >= BSDPROC_VARSYM_PROC && level <= BSDPROC_VARSYM_SYS;
}

/* `size` bytes at most, with the NUL. 0, -EFAULT, -ENAMETOOLONG. */
static int get_string(char *to, u64 from, long size)
{
	const long length = strncpy_from_user(to, u64_to_user_ptr(from), size);

	if (length < 0)
		return -EFAULT;
	return length < size ? 0 : -ENAMETOOLONG;
}

long varsym_set(const struct bsdproc_varsym_set *set)
{
	char name[BSDPROC_MAXVARSYM_NAME], data[BSDPROC_MAXVARSYM_DATA];
	int error;

	if (!is_level(set->level) || set->reserved)
		return -EINVAL;
	error = get_string(name, set->name, sizeof(name));
	if (!error && set->data)
		error = get_string(data, set->data, sizeof(data));
	return error ?: core_varsym_set(set->level, name, set->data ? data : NULL);
}

long varsym_get(struct bsdproc_varsym_get *get)
{
	char name[BSDPROC_MAXVARSYM_NAME], data[BSDPROC_MAXVARSYM_DATA];
	unsigned size;
	int length;

	BUILD_BUG_ON(sizeof(name) != CORE_VARSYM_NAME);
	BUILD_BUG_ON(sizeof(data) != CORE_VARSYM_DATA);
	if ((get->mask & ~BSDPROC_VARSYM_ALL_MASK) || get->reserved)
		return -EINVAL;
	length = get_string(name, get->name, sizeof(name));
	if (length)
		return length;
	length = core_varsym_get(get->mask, name, data);
	if (length < 0)
		return length;
	size = length;
	if (size > get->room) {
		data[0] = '\0';
		size = min(get->room, 1u);
	}
	if (copy_to_user(u64_to_user_ptr(get->data), data, size))
		return -EFAULT;
	get->length = length;
	return 0;
}

long varsym_list(struct bsdproc_varsym_list *list)
{
	const unsigned room = min_t(u32, list->room, CORE_VARSYM_TEXT);
	int length, marker = list->marker;
	char *buf;

	if (!is_level(list->level))
		return -EINVAL;
	buf = kvmalloc(room ?: 1, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	length = core_varsym_list(list->level, &marker, buf, room);
	if (length > 0 && copy_to_user(u64_to_user_ptr(list->buf), buf, length))
		length = -EFAULT;
	kvfree(buf);
	if (length < 0)
		return length;
	list->marker = marker;
	list->length = length;
	return 0;
}
