// SPDX-License-Identifier: GPL-2.0-only
/*
 * at_exit, rm_at_exit, the process_exit event and the hooks of stages, as other modules call
 * them; and what Linux has done by then. Other processes may end meanwhile; only the marked
 * one counts.
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "../include/bsdproc_at_exit.h"
#include "../include/bsdproc_exit_stage.h"
#include "kunit.h"

static struct pid *marked;
static char order[16];
static struct completion inside, let_go;

static void note(struct task_struct *task, const char *letter)
{
	if (task_tgid(task) == READ_ONCE(marked))
		strlcat(order, letter, sizeof(order));
}

static void callout_a(struct task_struct *td)
{
	note(td, "a");
}

static void callout_b(struct task_struct *td)
{
	note(td, "b");
}

static void handler(void *letter, struct task_struct *p)
{
	note(p, letter);
}

/* In its own process's context, dead to signals, alive to its parent. */
static void sleeper(struct task_struct *td)
{
	if (task_tgid(td) != READ_ONCE(marked))
		return;
	note(td, td == current && (td->flags & PF_EXITING) && !td->exit_state ? "s" : "?");
	complete(&inside);
	wait_for_completion(&let_go);
	note(td, "S");
}

static void end_marked(struct kunit *test)
{
	struct process *process = process_start(test, "exec sleep infinity");

	order[0] = '\0';
	WRITE_ONCE(marked, process->pid);
	KUNIT_EXPECT_EQ(test, process_end(process, SIGKILL), SIGKILL);
	WRITE_ONCE(marked, NULL);
}

static void handlers_then_callouts(struct kunit *test)
{
	struct exitlist *late, *early, *late_too;

	KUNIT_EXPECT_EQ(test, at_exit(callout_b), 0);
	KUNIT_EXPECT_EQ(test, at_exit(callout_a), 0);
	late = process_exit_register(handler, "2", PROCESS_EXIT_PRI_LAST);
	early = process_exit_register(handler, "1", PROCESS_EXIT_PRI_FIRST);
	late_too = process_exit_register(handler, "3", PROCESS_EXIT_PRI_LAST);
	end_marked(test);
	KUNIT_EXPECT_STREQ(test, order, "123ba");
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_b), 1);
	process_exit_deregister(late);
	end_marked(test);
	KUNIT_EXPECT_STREQ(test, order, "13a");
	process_exit_deregister(early);
	process_exit_deregister(late_too);
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_a), 1);
	end_marked(test);
	KUNIT_EXPECT_STREQ(test, order, "");
}

static void twice_counts_once(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_a), 0);
	KUNIT_EXPECT_EQ(test, at_exit(callout_a), 0);
	KUNIT_EXPECT_EQ(test, at_exit(callout_a), 0);
	end_marked(test);
	KUNIT_EXPECT_STREQ(test, order, "a");
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_a), 1);
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_a), 0);
}

static int remove_sleeper(void *data)
{
	const int removed = rm_at_exit(sleeper);

	complete(data);
	return removed;
}

static void removal_waits_for_who_is_inside(struct kunit *test)
{
	struct process *process = process_start(test, "exec sleep infinity");
	DECLARE_COMPLETION_ONSTACK(removed);
	struct task_struct *remover;
	struct core_kproc kproc;
	struct core_klwp lwp;

	init_completion(&inside);
	init_completion(&let_go);
	order[0] = '\0';
	WRITE_ONCE(marked, process->pid);
	KUNIT_ASSERT_EQ(test, at_exit(sleeper), 0);
	KUNIT_EXPECT_EQ(test, at_exit(callout_b), 0);
	kill_pid(process->pid, SIGTERM, 1);
	eventually(test, try_wait_for_completion(&inside));

	remover = kthread_create(remove_sleeper, &removed, "remover");
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, remover);
	if (!IS_ERR(remover)) {
		get_task_struct(remover);
		wake_up_process(remover);
		eventually(test, READ_ONCE(remover->__state) == (TASK_IDLE | TASK_FREEZABLE));
		KUNIT_EXPECT_FALSE(test, completion_done(&removed));
	}
	KUNIT_EXPECT_EQ(test, look_at(process->pid, &kproc, &lwp, 1), 0);
	KUNIT_EXPECT_EQ(test, kproc.stat, CORE_SACTIVE);
	KUNIT_EXPECT_EQ(test, kproc.flags & CORE_P_WEXIT, CORE_P_WEXIT);
	complete(&let_go);
	if (!IS_ERR(remover)) {
		wait_for_completion(&removed);
		put_task_struct(remover);
	}
	KUNIT_EXPECT_EQ(test, process_end(process, SIGKILL), SIGTERM);
	KUNIT_EXPECT_STREQ(test, order, "sSb");
	WRITE_ONCE(marked, NULL);
	rm_at_exit(sleeper); /* if there was no remover */
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_b), 1);
}

static void caps(struct task_struct *td)
{
	note(td, "c");
}

static void upcalls(struct task_struct *td)
{
	note(td, "u");
}

static void vkernel_lwp(struct task_struct *td)
{
	note(td, td == current && (td->flags & PF_EXITING) && !td->exit_state ? "l" : "?");
}

static void vkernel(struct task_struct *td)
{
	note(td, "v");
}

static void stages_in_the_seeds_order(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, at_exit_stage(EXIT_VKERNEL_EXIT, vkernel), 0);
	KUNIT_EXPECT_EQ(test, at_exit_stage(EXIT_VKERNEL_LWP_EXIT, vkernel_lwp), 0);
	KUNIT_EXPECT_EQ(test, at_exit_stage(EXIT_UPC_RELEASE, upcalls), 0);
	KUNIT_EXPECT_EQ(test, at_exit_stage(EXIT_CAPS_EXIT, caps), 0);
	KUNIT_EXPECT_EQ(test, at_exit_stage(EXIT_STAGES, caps), -EINVAL);
	KUNIT_EXPECT_EQ(test, at_exit(callout_a), 0);
	end_marked(test);
	KUNIT_EXPECT_STREQ(test, order, "caulv");
	KUNIT_EXPECT_EQ(test, rm_at_exit_stage(EXIT_UPC_RELEASE, caps), 0);
	KUNIT_EXPECT_EQ(test, rm_at_exit_stage(EXIT_STAGES, caps), -EINVAL);
	KUNIT_EXPECT_EQ(test, rm_at_exit_stage(EXIT_CAPS_EXIT, caps), 1);
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_a), 1);
	end_marked(test);
	KUNIT_EXPECT_STREQ(test, order, "ulv");
	KUNIT_EXPECT_EQ(test, rm_at_exit_stage(EXIT_UPC_RELEASE, upcalls), 1);
	KUNIT_EXPECT_EQ(test, rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, vkernel_lwp), 1);
	KUNIT_EXPECT_EQ(test, rm_at_exit_stage(EXIT_VKERNEL_EXIT, vkernel), 1);
}

/* What host_exit_undone() says of the marked process, as it is and with something left. */
static const char *undone[5];

static const char *undone_with(void *field, const void *left)
{
	void **place = field;
	const char *said;

	/* As /proc locks it. */
	task_lock(current);
	WRITE_ONCE(*place, (void *)left);
	task_unlock(current);
	said = host_exit_undone();
	task_lock(current);
	WRITE_ONCE(*place, NULL);
	task_unlock(current);
	return said;
}

static void look_for_what_is_left(struct task_struct *td)
{
	if (task_tgid(td) != READ_ONCE(marked))
		return;
	undone[0] = host_exit_undone();
	undone[1] = undone_with(&td->files, init_task.files);
	undone[2] = undone_with(&td->fs, init_task.fs);
#ifdef CONFIG_SYSVIPC
	undone[3] = undone_with(&td->sysvsem.undo_list, td);
#endif
#ifdef CONFIG_POSIX_TIMERS
	hrtimer_start(&td->signal->real_timer, ns_to_ktime(3600 * NSEC_PER_SEC), HRTIMER_MODE_REL);
	undone[4] = host_exit_undone();
	hrtimer_cancel(&td->signal->real_timer);
#endif
	note(td, host_exit_undone() ? "?" : "n");
}

static void linux_has_done_its_part(struct kunit *test)
{
	memset(undone, 0, sizeof(undone));
	KUNIT_ASSERT_EQ(test, at_exit(look_for_what_is_left), 0);
	end_marked(test);
	KUNIT_EXPECT_EQ(test, rm_at_exit(look_for_what_is_left), 1);
	KUNIT_EXPECT_STREQ(test, order, "n");
	KUNIT_EXPECT_STREQ(test, undone[0] ?: "", "");
	KUNIT_EXPECT_STREQ(test, undone[1] ?: "", "exit1: descriptors are still there");
	KUNIT_EXPECT_STREQ(test, undone[2] ?: "", "exit1: the working directory is still there");
#ifdef CONFIG_SYSVIPC
	KUNIT_EXPECT_STREQ(test, undone[3] ?: "", "exit1: System V undo lists are still there");
#endif
#ifdef CONFIG_POSIX_TIMERS
	KUNIT_EXPECT_STREQ(test, undone[4] ?: "", "exit1: the interval timer is still there");
#endif
}

#ifdef CONFIG_FAILSLAB
static void without_memory(struct kunit *test)
{
	WRITE_ONCE(current->fail_nth, 1);
	KUNIT_EXPECT_EQ(test, at_exit(callout_a), -ENOMEM);
	WRITE_ONCE(current->fail_nth, 1);
	KUNIT_EXPECT_PTR_EQ(test, process_exit_register(handler, "x", 0), (struct exitlist *)NULL);
	WRITE_ONCE(current->fail_nth, 1);
	KUNIT_EXPECT_EQ(test, at_exit_stage(EXIT_CAPS_EXIT, caps), -ENOMEM);
	WRITE_ONCE(current->fail_nth, 0);
	end_marked(test);
	KUNIT_EXPECT_STREQ(test, order, "");
	KUNIT_EXPECT_EQ(test, rm_at_exit(callout_a), 0);
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(handlers_then_callouts),
	KUNIT_CASE(twice_counts_once),
	KUNIT_CASE(removal_waits_for_who_is_inside),
	KUNIT_CASE(stages_in_the_seeds_order),
	KUNIT_CASE(linux_has_done_its_part),
#ifdef CONFIG_FAILSLAB
	KUNIT_CASE(without_memory),
#endif
	{},
};

struct kunit_suite atexit_suite = {
	.name = "bsdproc_atexit",
	.exit = processes_end,
	.test_cases = cases,
};
