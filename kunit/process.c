// SPDX-License-Identifier: GPL-2.0-only
/* Real processes for the suites, and what the model says of them. */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include "kunit.h"

/* One case at a time, so one list. */
static LIST_HEAD(processes);

static int begin(struct subprocess_info *info, struct cred *new)
{
	struct process *process = info->data;

	process->pid = get_task_pid(current, PIDTYPE_TGID);
	complete(&process->begun);
	return 0;
}

static int run(void *arg)
{
	static char *envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct process *process = arg;
	struct subprocess_info *info = call_usermodehelper_setup(
		process->argv[0], process->argv, envp, GFP_KERNEL, begin, NULL, process);

	process->status = info ? call_usermodehelper_exec(info, UMH_WAIT_PROC) : -ENOMEM;
	/* Of one that could not begin. */
	complete(&process->begun);
	kthread_complete_and_exit(&process->ended, 0);
}

struct process *process_start_program(struct kunit *test, char **argv)
{
	struct process *process = kzalloc(sizeof(*process), GFP_KERNEL);
	struct task_struct *runner;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, process);
	for (i = 0; argv[i]; i++)
		process->argv[i] = argv[i];
	init_completion(&process->begun);
	init_completion(&process->ended);
	runner = kthread_run(run, process, "kunit_process");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, runner);
	list_add(&process->link, &processes);
	wait_for_completion(&process->begun);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, process->pid);
	return process;
}

struct process *process_start(struct kunit *test, const char *script)
{
	char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};

	return process_start_program(test, argv);
}

int process_end(struct process *process, int signal)
{
	int status;

	if (process->pid)
		kill_pid(process->pid, signal, 1);
	wait_for_completion(&process->ended);
	status = process->status;
	put_pid(process->pid);
	list_del(&process->link);
	kfree(process);
	return status;
}

void processes_end(struct kunit *test)
{
	struct process *process, *next;

	list_for_each_entry_safe(process, next, &processes, link) process_end(process, SIGKILL);
}

struct pid *process_child(struct pid *parent)
{
	struct task_struct *task;
	struct pid *child = NULL;

	rcu_read_lock();
	for_each_process(task)
		if (task_tgid(rcu_dereference(task->real_parent)) == parent && pid_alive(task)) {
			child = get_pid(task_tgid(task));
			break;
		}
	rcu_read_unlock();
	return child;
}

int look_at(struct pid *pid, struct core_kproc *kproc, struct core_klwp *lwps, unsigned room)
{
	int error;

	core_settle();
	rcu_read_lock();
	error = core_getproc(pid, kproc, lwps, room);
	rcu_read_unlock();
	return error;
}
