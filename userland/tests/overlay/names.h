/* SPDX-License-Identifier: BSD-2-Clause */
/* What the overlay's calls are to a file that was compiled with it. */
#ifndef NAMES_H
#define NAMES_H

#ifdef __cplusplus
extern "C" {
#endif

/* The calls of the overlay, by names that BSD source has, each taken with & and without. */
struct call {
	const char *name;
	void (*function)(void), (*address)(void);
};

/* As C has them; the last one's name is null. */
extern const struct call calls_of_c[];

#ifdef __cplusplus
}
#endif

#define ANY_FUNCTION(function) ((void (*)(void))(function))
#define CALL(name)                                               \
	{                                                        \
#name, ANY_FUNCTION(name), ANY_FUNCTION(&(name)) \
	}
#define CALLS                                                                            \
	CALL(extexit), CALL(wait), CALL(waitpid), CALL(wait3), CALL(wait4), CALL(wait6), \
		CALL(waitid), CALL(rfork_thread), CALL(procctl), CALL(lwp_gettid), CALL(lwp_kill)

#endif /* NAMES_H */
