/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For other kernel modules: the stages of DragonFly's exit whose subsystems Linux does not
 * have. The pipeline has each in its place, and runs there what hooks are registered for it;
 * whoever builds such a subsystem cleans up after a process there.
 *
 * A hook is called in the context of the thread that ends, like a callout of
 * bsdproc_at_exit.h and under the same rules: memory, descriptors and System V undo lists of
 * the process are gone; it may sleep, out of reach of signals, and must come to an end by
 * itself; it may take itself away, but no other one. Of one stage the hooks are called in the
 * order in which they were registered. Who is not seen by callouts is not seen here.
 *
 * All functions here: process context, may sleep, no locks held. When a hook has been taken
 * away no thread is in it nor will be, so its module may go; but for who takes itself away
 * from inside, see bsdproc_at_exit.h.
 */
#ifndef BSDPROC_EXIT_STAGE_H
#define BSDPROC_EXIT_STAGE_H

#ifdef __cplusplus
extern "C" {
#endif

struct task_struct;

/* In the order of the pipeline. */
enum exit_stage {
	/*
	 * caps_exit: the last thread's; all others are through their exits here. The process
	 * has not killed its peers yet, nor stopped for a tracer.
	 */
	EXIT_CAPS_EXIT,
	/* upc_release: the last thread's, after the callouts; it is nobody's peer any more. */
	EXIT_UPC_RELEASE,
	/*
	 * vkernel_lwp_exit: each thread's. The last one's is here, in the pipeline. All others
	 * do it as they end, side by side, and the pipeline does not begin until they have. So
	 * a thread that sleeps in it also keeps an exec of its process from going on, and is
	 * counted among the threads of its process meanwhile.
	 */
	EXIT_VKERNEL_LWP_EXIT,
	/* vkernel_exit: the last thread's; no thread of the process has vkernel_lwp_exit ahead. */
	EXIT_VKERNEL_EXIT,
	EXIT_STAGES
};

/* td: the current thread. */
typedef void (*exit_stage_fn)(struct task_struct *td);

/*
 * Adds a hook to a stage (EXIT_*). 0, -EINVAL (no such stage), -ENOMEM. One that is there
 * already stays in its place, with a warning in the log. The same function may be in several
 * stages.
 */
int at_exit_stage(unsigned stage, exit_stage_fn function);

/*
 * Takes a hook away from a stage, and waits until no thread is in it: how many there were,
 * 0 or 1; -EINVAL (no such stage).
 */
int rm_at_exit_stage(unsigned stage, exit_stage_fn function);

#ifdef __cplusplus
}
#endif

#endif /* BSDPROC_EXIT_STAGE_H */
