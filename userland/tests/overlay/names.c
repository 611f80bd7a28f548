// SPDX-License-Identifier: BSD-2-Clause
/* The overlay in C99: its numbers, its calls' addresses, and other uses of their names. */
#include <stdlib.h> /* which has status macros of its own */
#include <sys/lwp.h>
#include <sys/procctl.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/unistd.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "names.h"
#include "numbers.h"

const struct call calls_of_c[] = {CALLS, {NULL, NULL, NULL}};

/* Their types are what the BSDs have. */
int (*const p_extexit)(int, int, void *) = extexit;
pid_t (*const p_wait)(int *) = wait;
pid_t (*const p_waitpid)(pid_t, int *, int) = waitpid;
pid_t (*const p_wait3)(int *, int, struct rusage *) = wait3;
pid_t (*const p_wait4)(pid_t, int *, int, struct rusage *) = wait4;
pid_t (*const p_wait6)(idtype_t, id_t, int *, int, struct __wrusage *, siginfo_t *) = wait6;
int (*const p_waitid)(idtype_t, id_t, siginfo_t *, int) = waitid;
pid_t (*const p_rfork)(int, void *, int (*)(void *), void *) = rfork_thread;
int (*const p_procctl)(idtype_t, id_t, int, void *) = procctl;
lwpid_t (*const p_gettid)(void) = lwp_gettid;
int (*const p_kill)(pid_t, lwpid_t, int) = lwp_kill;

/* The names are free for what is no function. */
struct wait4 {
	int wait, waitid;
};
union wait6 {
	struct wait4 wait3;
};
enum { procctl_is = 1 };

/* And may be declared once more. */
pid_t wait4(pid_t, int *, int, struct rusage *);

int other_uses(int waitpid);
int other_uses(int waitpid)
{
	const struct wait4 wait = {waitpid, procctl_is};
	const union wait6 extexit = {wait};

	return extexit.wait3.wait + extexit.wait3.waitid;
}
