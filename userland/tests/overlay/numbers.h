/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the overlay's names are worth, for C99 and C++17, in whatever order its headers come. To
 * be included after these. IS(condition) is a static assertion.
 */
#ifndef NUMBERS_H
#define NUMBERS_H

#ifdef __cplusplus
#define IS(condition) static_assert(condition, #condition)
#else
#define IS(condition) __extension__ _Static_assert(condition, #condition)
#endif

/* DragonFly's numbers for what Linux does not have. */
IS(EXTEXIT_SIMPLE == 0 && EXTEXIT_SETINT == 1);
IS(EXTEXIT_PROC == 0 && EXTEXIT_LWP == 0x10000);
IS(EXTEXIT_ACTION(EXTEXIT_LWP | EXTEXIT_SETINT) == EXTEXIT_SETINT);
IS(EXTEXIT_WHO(EXTEXIT_LWP | EXTEXIT_SETINT) == EXTEXIT_LWP);
IS(_HAVE_EXTEXIT == 1);
IS(WLINUXCLONE == 0x80000000 && WTRAPPED == 0x20);
IS(WAIT_ANY == -1 && WAIT_MYPGRP == 0);
IS(RFFDG == 0x4 && RFPROC == 0x10 && RFMEM == 0x20 && RFCFDG == 0x1000);
IS(RFTHREAD == 0x2000 && RFSIGSHARE == 0x4000 && RFLINUXTHPN == 0x10000);
IS(PROC_REAP_ACQUIRE == 1 && PROC_REAP_RELEASE == 2 && PROC_REAP_STATUS == 3);
IS(REAPER_STAT_OWNED == 1 && REAPER_STAT_REALINIT == 2);

/* Linux's for what it has. */
IS(WNOHANG == 1 && WUNTRACED == 2 && WSTOPPED == 2 && WEXITED == 4 && WCONTINUED == 8);
IS(WNOWAIT == 0x01000000);
IS(P_ALL == 0 && P_PID == 1 && P_PGID == 2);

/* And clear of Linux's. */
IS((int)P_SID == 19 && (int)P_UID == 21 && (int)P_GID == 22);

/* DragonFly's layout, where long has 64 bits. */
IS(sizeof(long) != 8 || sizeof(union reaper_info) == 192);
IS(sizeof(union reaper_info) == sizeof(struct reaper_status));
IS(offsetof(struct reaper_status, flags) == 0 && offsetof(struct reaper_status, refs) == 4);
IS(sizeof(long) != 8 || offsetof(struct reaper_status, pid_head) == 128);
IS(sizeof(struct __wrusage) == 2 * sizeof(struct rusage));
IS(offsetof(struct __wrusage, wru_children) == sizeof(struct rusage));
IS(sizeof(lwpid_t) == sizeof(int));

/* A status word is one of four things. */
#define KIND(status)                                                   \
	((WIFEXITED(status) ? 1 : 0) | (WIFSIGNALED(status) ? 2 : 0) | \
	 (WIFSTOPPED(status) ? 4 : 0) | (WIFCONTINUED(status) ? 8 : 0))
IS(KIND(0) == 1 && KIND(0x100) == 1 && KIND(0xff00) == 1);
IS(WEXITSTATUS(0) == 0 && WEXITSTATUS(0x100) == 1 && WEXITSTATUS(0xff00) == 255);
IS(KIND(SIGKILL) == 2 && KIND(SIGSEGV | 0x80) == 2 && KIND(64) == 2);
IS(WTERMSIG(SIGKILL) == SIGKILL && WTERMSIG(SIGSEGV | 0x80) == SIGSEGV);
IS(!WCOREDUMP(SIGSEGV) && WCOREDUMP(SIGSEGV | 0x80));
IS(KIND(SIGSTOP << 8 | 0x7f) == 4 && KIND(SIGTRAP << 8 | 0x7f) == 4);
IS(WSTOPSIG(SIGTSTP << 8 | 0x7f) == SIGTSTP);
IS(KIND(SIGCONT) == 8);
IS(KIND(SIGCONT << 8) == 1 && KIND(SIGCONT << 8 | 0x7f) == 4);
IS(WEXITSTATUS(W_EXITCODE(3, 0)) == 3 && WSTOPSIG(W_STOPCODE(SIGTTIN)) == SIGTTIN);

#endif /* NUMBERS_H */
