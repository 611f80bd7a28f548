/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For other kernel modules: work to be done at the end of each process, as DragonFly's
 * kern_exit.c offers it.
 *
 * All of it is called by the last thread of a process, in its own context, when its memory,
 * descriptors and System V undo lists are gone, and before its parent is told: the process
 * can be seen, and has not been waited for. The process handlers run first, in the order of
 * their priorities, then the callouts in the order in which they were registered. Each
 * process that ends while one is registered is seen once, but for those whose end had begun
 * when bsdproc was loaded, and those that bsdproc could not learn of for want of memory.
 *
 * A callout may sleep; its own process waits for it, and who waits for that: its parent,
 * the init of its pid namespace, those who use what files it had mapped. It must come to an
 * end by itself, as the process is past all signals; and it must not sleep in a way that
 * signals end, as one may be pending since before. It may take itself away, but no other
 * one.
 *
 * All functions here: process context, may sleep, no locks held. When one that takes away
 * returns, no process is in there nor will be; so the module may go. Only who takes itself
 * away from inside is still there; its module takes it away once more before it goes, which
 * waits.
 */
#ifndef BSDPROC_AT_EXIT_H
#define BSDPROC_AT_EXIT_H

#ifdef __cplusplus
extern "C" {
#endif

struct task_struct;

/* td: the current thread, the process's last. */
typedef void (*exitlist_fn)(struct task_struct *td);

/*
 * Adds a callout. 0, or -ENOMEM. One that is there already stays in its place, with a warning
 * in the log: who registers twice has lost track of things.
 */
int at_exit(exitlist_fn function);

/* Takes a callout away, and waits until no process is in it: how many there were, 0 or 1. */
int rm_at_exit(exitlist_fn function);

/* p: the current thread, the process's last. */
typedef void (*process_exit_fn)(void *arg, struct task_struct *p);

#define PROCESS_EXIT_PRI_FIRST 0
#define PROCESS_EXIT_PRI_ANY 10000
#define PROCESS_EXIT_PRI_LAST 20000

/*
 * Adds a handler of the process_exit event; smaller priorities are called first, equal ones
 * as they came. What it returns takes it away again; null: no memory.
 */
struct exitlist;
struct exitlist *process_exit_register(process_exit_fn function, void *arg, int priority);

/*
 * Takes a handler away, and waits until no process is in it. Once for each: what was
 * returned for it means nothing after that. So not from inside.
 */
void process_exit_deregister(struct exitlist *handler);

#ifdef __cplusplus
}
#endif

#endif /* BSDPROC_AT_EXIT_H */
