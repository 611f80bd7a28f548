// SPDX-License-Identifier: BSD-2-Clause
/* bsd_procctl: reapers. Linux makes them, the module knows whose they are. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "bsdproc.h"
#include "internal.h"

_Static_assert(REAPER_STAT_OWNED == BSDPROC_REAPER_OWNED &&
		       REAPER_STAT_REALINIT == BSDPROC_REAPER_REALINIT,
	       "the API's numbers are the ABI's");
_Static_assert(sizeof(long) != 8 || sizeof(union reaper_info) == 192, "as it is in DragonFly");

/*
 * Copied by the kernel, which looks at the address. Where it has no such call, or a filter forbids
 * it, another that writes to memory says first whether one can.
 */
static int put(void *to, const union reaper_info *info)
{
	const struct iovec local = {.iov_base = (void *)(uintptr_t)info, .iov_len = sizeof(*info)};
	const struct iovec remote = {.iov_base = to, .iov_len = sizeof(*info)};
	const ssize_t n = process_vm_writev((pid_t)syscall(SYS_getpid), &local, 1, &remote, 1, 0);

	if (n == (ssize_t)sizeof(*info))
		return 0;
	if (n == -1 && errno != EFAULT &&
	    getrandom(to, sizeof(*info), GRND_INSECURE) == (ssize_t)sizeof(*info)) {
		memcpy(to, info, sizeof(*info));
		return 0;
	}
	errno = EFAULT;
	return -1;
}

static int status(void *data)
{
	struct bsdproc_reaper reaper = {0};
	union reaper_info info;

	if (bsdproc_call(BSDPROC_REAPER, &reaper) == -1)
		return -1;
	if (!data)
		return 0;
	memset(&info, 0, sizeof(info));
	info.status.flags = reaper.flags;
	info.status.refs = reaper.refs;
	info.status.pid_head = reaper.pid_head;
	return put(data, &info);
}

static int become(int reaper)
{
	int is = 0;

	if (prctl(PR_GET_CHILD_SUBREAPER, &is) == -1)
		return -1;
	if (is == reaper) {
		errno = reaper ? EALREADY : ENOTCONN;
		return -1;
	}
	return prctl(PR_SET_CHILD_SUBREAPER, reaper);
}

int bsd_procctl(idtype_t idtype, id_t id, int cmd, void *data)
{
	struct bsdproc_version version = {0};
	const int saved = errno;
	int result;

	if (idtype != P_PID || (id != 0 && id != (id_t)syscall(SYS_getpid))) {
		errno = EINVAL;
		return -1;
	}
	/* For all of them there is a module, or there is none. */
	if (bsdproc_call(BSDPROC_VERSION, &version) == -1)
		return -1;
	switch (cmd) {
	case PROC_REAP_ACQUIRE:
	case PROC_REAP_RELEASE:
		result = become(cmd == PROC_REAP_ACQUIRE);
		break;
	case PROC_REAP_STATUS:
		result = status(data);
		break;
	default:
		errno = EINVAL;
		return -1;
	}
	if (result == 0)
		errno = saved;
	return result;
}
