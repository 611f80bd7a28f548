// SPDX-License-Identifier: BSD-2-Clause
/* What programs call: all of libc's names for waits. */
#define _GNU_SOURCE
#include "preload.h"

pid_t __wait(int *stat_loc);
pid_t __waitpid(pid_t pid, int *stat_loc, int options);

pid_t wait(int *stat_loc)
{
	return preload_wait4(-1, stat_loc, 0, NULL);
}

pid_t __wait(int *stat_loc)
{
	return preload_wait4(-1, stat_loc, 0, NULL);
}

pid_t waitpid(pid_t pid, int *stat_loc, int options)
{
	return preload_wait4(pid, stat_loc, options, NULL);
}

pid_t __waitpid(pid_t pid, int *stat_loc, int options)
{
	return preload_wait4(pid, stat_loc, options, NULL);
}

pid_t wait3(int *stat_loc, int options, struct rusage *usage)
{
	return preload_wait4(-1, stat_loc, options, usage);
}

pid_t wait4(pid_t pid, int *stat_loc, int options, struct rusage *usage)
{
	return preload_wait4(pid, stat_loc, options, usage);
}

int waitid(idtype_t idtype, id_t id, siginfo_t *infop, int options)
{
	return preload_waitid(idtype, id, infop, options);
}
