// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints that tell the core what happens, and the task_work by which a
 * dying thread comes back to it where it may sleep.
 */
#include <linux/binfmts.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/task_work.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>
#include <trace/events/signal.h>
#include <trace/events/task.h>

#include "linux.h"

/*
 * Held by each thread between its exit event and the end of its task_work. A
 * static one: threads may be in there while the module loads or goes.
 */
DEFINE_STATIC_SRCU(exit_srcu);

/*
 * The exit's other work goes first, also what comes of that: among it are the last closings
 * of files, and the core may sleep until somebody closes one. True: called again then.
 */
static bool comes_again(struct callback_head *head)
{
	return (head->next || task_work_pending(current)) &&
	       !task_work_add(current, head, TWA_NONE);
}

/* The index that unlocking wants is in the choice of the function. */
OFTEN static void exit_work_0(struct callback_head *head) __releases(&exit_srcu)
{
	if (comes_again(head)) {
		__release(&exit_srcu); /* for sparse: by the next call */
		return;
	}
	core_task_exit((struct host_work *)head);
	__srcu_read_unlock(&exit_srcu, 0);
}

OFTEN static void exit_work_1(struct callback_head *head) __releases(&exit_srcu)
{
	if (comes_again(head)) {
		__release(&exit_srcu); /* for sparse: by the next call */
		return;
	}
	core_task_exit((struct host_work *)head);
	__srcu_read_unlock(&exit_srcu, 1);
}

/*
 * With preemption off an event is a section of RCU's as it is, for a tenth of the price; only
 * PROVE_RCU, and locks that sleep, have to be told.
 */
#if defined(CONFIG_PROVE_RCU) || defined(CONFIG_PREEMPT_RT)
#define event_begin rcu_read_lock
#define event_end rcu_read_unlock
#else
#define event_begin preempt_disable
#define event_end preempt_enable
#endif

static void on_exit(struct task_struct *task)
{
	struct callback_head *head;
	int idx;

	BUILD_BUG_ON(sizeof(struct callback_head) != sizeof(struct host_work));
	event_begin();
	head = (struct callback_head *)core_task_exiting(task);
	event_end();
	if (!head)
		return;
	idx = __srcu_read_lock(&exit_srcu);
	init_task_work(head, idx ? exit_work_1 : exit_work_0);
	/* do_exit() runs it in exit_task_work(), which is yet to come. */
	if (WARN_ON_ONCE(task_work_add(task, head, TWA_NONE)))
		__srcu_read_unlock(&exit_srcu, idx);
	else
		__release(&exit_srcu); /* for sparse: it is exit_work's now */
}

OFTEN static void on_free(void *data, struct task_struct *task)
{
	event_begin();
	core_task_free(task);
	event_end();
}

static void on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	event_begin();
	core_task_exec(task, bprm->secureexec);
	event_end();
}

static void on_new(struct task_struct *task)
{
	event_begin();
	core_task_new(task);
	event_end();
}

/* Two events have changed their arguments over time; both forms are here. */
OFTEN static void on_exit_task(void *data, struct task_struct *task)
{
	on_exit(task);
}

OFTEN static void __maybe_unused on_exit_dead(void *data, struct task_struct *task, bool group_dead)
{
	on_exit(task);
}

OFTEN static void on_new_long(void *data, struct task_struct *task, unsigned long clone_flags)
{
	on_new(task);
}

OFTEN static void __maybe_unused on_new_u64(void *data, struct task_struct *task, u64 clone_flags)
{
	on_new(task);
}

/* clang-format off */
#define ON_EXIT                                                                        \
	_Generic(&check_trace_callback_type_sched_process_exit,                        \
		 void (*)(void (*)(void *, struct task_struct *)): on_exit_task,       \
		 void (*)(void (*)(void *, struct task_struct *, bool)): on_exit_dead)
#define ON_NEW                                                                                \
	_Generic(&check_trace_callback_type_task_newtask,                                     \
		 void (*)(void (*)(void *, struct task_struct *, unsigned long)): on_new_long, \
		 void (*)(void (*)(void *, struct task_struct *, u64)): on_new_u64)
/* clang-format on */

/*
 * In the order of connecting: who is born after the first three are heard is
 * heard to the end. Births come from task_newtask, not sched_process_fork: that
 * one does not tell of the threads that io_uring and vhost make.
 */
static struct probe {
	const char *name;
	void *function;
	bool for_traces; /* connected when somebody first opens a trace */
	struct tracepoint *tracepoint;
	bool connected;
} probes[] = {
	{.name = "sched_process_free", .function = on_free},
	{.name = "sched_process_exit", .function = ON_EXIT},
	{.name = "sched_process_exec", .function = on_exec},
	{.name = "task_newtask", .function = ON_NEW},
#ifdef KTRACE
	{.name = "signal_generate", .function = ktrace_on_generate, .for_traces = true},
	{.name = "signal_deliver", .function = ktrace_on_deliver, .for_traces = true},
	{.name = "sched_process_wait", .function = ktrace_on_wait, .for_traces = true},
#endif
};

/* A changed signature shall be a compile error. */
static void __maybe_unused check_signatures(void)
{
	check_trace_callback_type_sched_process_free(on_free);
	check_trace_callback_type_sched_process_exit(ON_EXIT);
	check_trace_callback_type_sched_process_exec(on_exec);
	check_trace_callback_type_task_newtask(ON_NEW);
#ifdef KTRACE
	check_trace_callback_type_signal_generate(ktrace_on_generate);
	check_trace_callback_type_signal_deliver(ktrace_on_deliver);
	check_trace_callback_type_sched_process_wait(ktrace_on_wait);
#endif
}

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(tracepoint->name, probes[i].name))
			probes[i].tracepoint = tracepoint;
}

static void disconnect(struct probe *probe)
{
	if (probe->connected)
		tracepoint_probe_unregister(probe->tracepoint, probe->function, NULL);
	probe->connected = false;
}

static int connect(struct probe *probe)
{
	int error;

	if (probe->connected)
		return 0;
	error = tracepoint_probe_register(probe->tracepoint, probe->function, NULL);
	if (error)
		pr_err_ratelimited("cannot connect to tracepoint %s: %d\n", probe->name, error);
	probe->connected = !error;
	return error;
}

int probes_connect(void)
{
	int i, error;

	for_each_kernel_tracepoint(find_tracepoint, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		struct probe *probe = &probes[i];

		if (!probe->tracepoint) {
			pr_err("this kernel has no tracepoint %s\n", probe->name);
			return -EOPNOTSUPP;
		}
		error = probe->for_traces ? 0 : connect(probe);
		if (error)
			return error;
	}
	return 0;
}

#ifdef KTRACE
int probes_connect_traces(void)
{
	static DEFINE_MUTEX(mutex);
	int i, error = 0;

	mutex_lock(&mutex);
	for (i = 0; i < ARRAY_SIZE(probes) && !error; i++)
		if (probes[i].for_traces)
			error = connect(&probes[i]);
	mutex_unlock(&mutex);
	return error;
}
#endif

/* After it nothing of the core runs in any thread, nor will. Undoes also half a connect. */
void probes_disconnect(void)
{
	int i;

	core_stop();
	for (i = ARRAY_SIZE(probes) - 1; i > 0; i--)
		disconnect(&probes[i]);
	tracepoint_synchronize_unregister();
	/* Whoever is between exit event and task_work comes through. */
	synchronize_srcu(&exit_srcu);
	/* It looks into tasks, so it must end while frees are still heard of. */
	host_heal_exit();
	core_silence();
	disconnect(&probes[0]);
	tracepoint_synchronize_unregister();
	/*
	 * The last instructions of exit_work come after its unlocking: wait
	 * until no task is preempted there.
	 */
	synchronize_rcu_tasks();
}
