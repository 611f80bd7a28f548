/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <sys/wait.h> whose calls are libbsdproc's, with what Linux's lacks.
 *
 * A name that libc has declared is bound to libbsdproc's function by a label. That changes what
 * it links to and nothing else: its address, its type and pointers to it are right, and a
 * struct wait4, a variable or a method called wait are left alone. A macro would rename all of
 * these, in C++ also std::condition_variable's. A label is taken until the name is first used;
 * no header uses these, and here they are declared.
 */
#include_next <sys/wait.h>

#ifndef BSDPROC_OVERLAY_SYS_WAIT_H
#define BSDPROC_OVERLAY_SYS_WAIT_H

#include <sys/types.h>

struct rusage;
struct __wrusage;

__BEGIN_DECLS

extern pid_t __REDIRECT(wait, (int *__status), bsd_wait);
extern pid_t __REDIRECT(waitpid, (pid_t __pid, int *__status, int __options), bsd_waitpid);
extern pid_t __REDIRECT_NTHNL(wait3, (int *__status, int __options, struct rusage *__usage),
			      bsd_wait3);
extern pid_t __REDIRECT_NTHNL(wait4,
			      (pid_t __pid, int *__status, int __options, struct rusage *__usage),
			      bsd_wait4);
extern int __REDIRECT(waitid, (idtype_t __idtype, id_t __id, siginfo_t *__info, int __options),
		      bsd_waitid);
extern pid_t wait6(idtype_t __idtype, id_t __id, int *__status, int __options,
		   struct __wrusage *__usage, siginfo_t *__info) __asm__("bsd_wait6");

__END_DECLS

/* Names that Linux has keep its numbers, for native calls beside these. */
#ifndef WTRAPPED
#define WTRAPPED 0x20
#endif
#ifndef WLINUXCLONE
#define WLINUXCLONE 0x80000000
#endif
#ifndef WAIT_ANY
#define WAIT_ANY (-1)
#define WAIT_MYPGRP 0
#endif
#ifndef P_SID
#define P_SID ((idtype_t)19)
#define P_UID ((idtype_t)21)
#define P_GID ((idtype_t)22)
#endif

/*
 * One that goes on is told as BSD does, by the bare SIGCONT, which would be taken for a kill by
 * libc's macros (<stdlib.h> has them too). It is no signal to be killed by.
 */
#undef WIFEXITED
#undef WEXITSTATUS
#undef WIFSIGNALED
#undef WTERMSIG
#undef WCOREDUMP
#undef WIFSTOPPED
#undef WSTOPSIG
#undef WIFCONTINUED
#define WIFEXITED(status) ((0x7f & (status)) == 0)
#define WEXITSTATUS(status) (0xff & ((status) >> 8))
#define WIFSIGNALED(status) \
	((0x7f & (status)) != 0 && (0x7f & (status)) != 0x7f && !WIFCONTINUED(status))
#define WTERMSIG(status) (0x7f & (status))
#define WCOREDUMP(status) (0x80 & (status))
#define WIFSTOPPED(status) ((0xff & (status)) == 0x7f)
#define WSTOPSIG(status) (0xff & ((status) >> 8))
#define WIFCONTINUED(status) ((status) == SIGCONT)

#endif /* BSDPROC_OVERLAY_SYS_WAIT_H */
