/* SPDX-License-Identifier: BSD-2-Clause */
/* What the library's files share. Nothing of this is exported. */
#ifndef BSDPROC_INTERNAL_H
#define BSDPROC_INTERNAL_H

#define BSDPROC_INTERNAL __attribute__((visibility("hidden")))

/*
 * One request to the module, on a handle that is opened when there is none.
 * request: a BSDPROC_* number of bsdproc_ioctl.h; arg: its struct.
 * Returns what the request does, most often 0, and leaves errno alone; or -1 and errno: ENOSYS (no module, or one
 * that does not know the request), what open() says (EACCES, EMFILE ...), or
 * what the module says. Async-signal-safe, no cancellation point.
 */
BSDPROC_INTERNAL int bsdproc_call(unsigned long request, void *arg);

#endif /* BSDPROC_INTERNAL_H */
