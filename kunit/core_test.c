// SPDX-License-Identifier: GPL-2.0-only
/* Lives of real processes, as the model tells them. */
#include <linux/sched/signal.h>
#include <linux/stringify.h>
#include <asm/unistd.h>

#include "kunit.h"

static struct core_kproc kproc;
static struct core_klwp lwp;

/* In a condition for eventually(): what the model says fits. */
#define told(pid, condition) (look_at(pid, &kproc, &lwp, 1) == 0 && (condition))
#define forgotten(pid) (look_at(pid, &kproc, &lwp, 1) == -ESRCH)

/* The process that Linux says is the parent. */
static struct pid *linux_parent(struct pid *pid)
{
	struct task_struct *task;
	struct pid *parent = NULL;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		parent = task_tgid(rcu_dereference(task->real_parent));
	rcu_read_unlock();
	return parent;
}

/* Linux links a child before it tells of its birth. */
static struct pid *its_child(struct kunit *test, struct pid *parent)
{
	struct pid *child = NULL;

	eventually(test, (child = child ?: process_child(parent)) && told(child, true));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
	return child;
}

static void birth_and_exec(struct kunit *test)
{
	struct process *process = process_start(test, "exec sleep infinity");

	eventually(test, told(process->pid, kproc.flags & CORE_P_EXEC));
	KUNIT_EXPECT_EQ(test, kproc.flags, CORE_P_EXEC);
	KUNIT_EXPECT_EQ(test, kproc.stat, CORE_SACTIVE);
	KUNIT_EXPECT_EQ(test, kproc.nthreads, 1);
	KUNIT_EXPECT_EQ(test, kproc.nlwps, 1);
	KUNIT_EXPECT_EQ(test, kproc.nchildren, 0);
	KUNIT_EXPECT_EQ(test, kproc.sigparent, SIGCHLD);
	KUNIT_EXPECT_EQ(test, kproc.holds, 0);
	KUNIT_EXPECT_EQ(test, lwp.lwpid, 1);
	KUNIT_EXPECT_EQ(test, lwp.tid, pid_nr(process->pid));
	KUNIT_EXPECT_EQ(test, lwp.flags, CORE_LWP_MAIN);
	/* A kernel thread started it. */
	KUNIT_EXPECT_PTR_EQ(test, kproc.ppid, (struct pid *)NULL);
}

static void death_and_release(struct kunit *test)
{
	struct process *process = process_start(test, "exec sleep infinity");
	struct pid *pid = get_pid(process->pid);

	eventually(test, told(pid, kproc.flags & CORE_P_EXEC));
	KUNIT_EXPECT_EQ(test, process_end(process, SIGKILL), SIGKILL);
	KUNIT_EXPECT_EQ(test, look_at(pid, &kproc, &lwp, 1), -ESRCH);
	put_pid(pid);
}

static void zombie_waits_for_its_parent(struct kunit *test)
{
	struct process *process = process_start(test, "exit 7 & exec sleep infinity");
	struct pid *child = its_child(test, process->pid);

	eventually(test, told(child, kproc.stat == CORE_SZOMB && kproc.nthreads == 0));
	KUNIT_EXPECT_EQ(test, kproc.xstat, 7 << 8);
	KUNIT_EXPECT_EQ(test, kproc.flags, CORE_P_WEXIT | CORE_P_VMLAST);
	KUNIT_EXPECT_EQ(test, kproc.nlwps, 1);
	KUNIT_EXPECT_PTR_EQ(test, kproc.ppid, process->pid);
	eventually(test, told(child, lwp.stat == CORE_LSZOMB));
	KUNIT_EXPECT_EQ(test, lwp.flags, CORE_LWP_MAIN | CORE_LWP_WEXIT);

	KUNIT_EXPECT_EQ(test, look_at(process->pid, &kproc, &lwp, 1), 0);
	KUNIT_EXPECT_EQ(test, kproc.nchildren, 1);
	KUNIT_EXPECT_EQ(test, kproc.nzombies, 1);
	put_pid(child);
}

static void orphans_go_where_linux_puts_them(struct kunit *test)
{
	struct process *process =
		process_start(test, "sh -c 'exec sleep infinity' & exec sleep infinity");
	struct pid *child = its_child(test, process->pid);

	KUNIT_EXPECT_EQ(test, look_at(child, &kproc, &lwp, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, kproc.ppid, process->pid);
	KUNIT_EXPECT_EQ(test, process_end(process, SIGKILL), SIGKILL);
	/* At once: looking settles it. */
	KUNIT_EXPECT_EQ(test, look_at(child, &kproc, &lwp, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, kproc.ppid, linux_parent(child));
	KUNIT_EXPECT_EQ(test, pid_nr(kproc.ppid), 1);

	kill_pid(child, SIGKILL, 1);
	eventually(test, forgotten(child));
	put_pid(child);
}

static void stop_and_continue(struct kunit *test)
{
	struct process *process = process_start(test, "exec sleep infinity");

	eventually(test, told(process->pid, kproc.flags & CORE_P_EXEC));
	kill_pid(process->pid, SIGSTOP, 1);
	eventually(test, told(process->pid, kproc.stat == CORE_SSTOP));
	KUNIT_EXPECT_EQ(test, lwp.stat, CORE_LSSTOP);
	kill_pid(process->pid, SIGCONT, 1);
	eventually(test, told(process->pid, kproc.stat == CORE_SACTIVE));
	KUNIT_EXPECT_NE(test, lwp.stat, CORE_LSSTOP);
}

static void tree_of_three(struct kunit *test)
{
	struct process *process = process_start(
		test, "(sh -c 'exec sleep infinity' & exec sleep infinity) & exec sleep infinity");
	struct pid *child = its_child(test, process->pid);
	struct pid *grandchild = its_child(test, child);

	KUNIT_EXPECT_EQ(test, look_at(grandchild, &kproc, &lwp, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, kproc.ppid, child);

	/* The middle one goes, and stays as a zombie: its child is no longer its. */
	kill_pid(child, SIGKILL, 1);
	eventually(test, told(child, kproc.stat == CORE_SZOMB && !kproc.nchildren));
	KUNIT_EXPECT_EQ(test, kproc.xstat, SIGKILL);
	eventually(test, told(grandchild, kproc.ppid == linux_parent(grandchild)));
	KUNIT_EXPECT_PTR_NE(test, kproc.ppid, child);

	kill_pid(grandchild, SIGKILL, 1);
	put_pid(grandchild);
	put_pid(child);
}

/* In perl; no library shall know of these. */
#define AWAIT "syscall(" __stringify(__NR_rt_sigtimedwait) ", $set, 0, 0, 8);"
#define END_THREAD "syscall(" __stringify(__NR_exit) ", shift);"

/* A child with three threads, each of which waits until it is told, and then does that. */
#define THREADS(then)                                                 \
	"perl -MPOSIX -Mthreads -e '"                                 \
	"sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1));"        \
	"sub await { my $set = pack(\"Q\", 1 << 9); " AWAIT then " }" \
	"threads->create(\\&await, $_) for 2, 3;"                     \
	"await(1)' & exec sleep infinity"

static struct core_klwp lwps[4];

#define told_all(pid, condition) (look_at(pid, &kproc, lwps, ARRAY_SIZE(lwps)) == 0 && (condition))

/* Its threads are there, and listed in the order of their numbers. */
static struct pid *with_threads(struct kunit *test, const char *script)
{
	struct process *process = process_start(test, script);
	struct pid *child = its_child(test, process->pid);

	eventually(test, told_all(child, kproc.nthreads == 3));
	KUNIT_EXPECT_EQ(test, kproc.nlwps, 3);
	KUNIT_EXPECT_EQ(test, kproc.stat, CORE_SACTIVE);
	KUNIT_EXPECT_EQ(test, kproc.flags, CORE_P_EXEC);
	KUNIT_EXPECT_EQ(test, lwps[0].lwpid, 1);
	KUNIT_EXPECT_EQ(test, lwps[0].tid, pid_nr(child));
	KUNIT_EXPECT_EQ(test, lwps[0].flags, CORE_LWP_MAIN);
	KUNIT_EXPECT_EQ(test, lwps[1].lwpid, 2);
	KUNIT_EXPECT_EQ(test, lwps[1].flags, 0);
	KUNIT_EXPECT_EQ(test, lwps[2].lwpid, 3);
	KUNIT_EXPECT_EQ(test, lwps[2].flags, 0);
	return child;
}

static void tell(struct kunit *test, const struct core_klwp *thread)
{
	struct task_struct *task;
	int error = -ESRCH;

	rcu_read_lock();
	task = pid_task(find_vpid(thread->tid), PIDTYPE_PID);
	if (task)
		error = send_sig(SIGUSR1, task, 1);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, error, 0);
}

static void threads_go_alone_and_together(struct kunit *test)
{
	struct pid *child = with_threads(test, THREADS(END_THREAD));

	tell(test, &lwps[1]);
	eventually(test, told_all(child, kproc.nlwps == 2));
	KUNIT_EXPECT_EQ(test, kproc.nthreads, 2);
	KUNIT_EXPECT_EQ(test, kproc.stat, CORE_SACTIVE);
	KUNIT_EXPECT_EQ(test, kproc.flags, CORE_P_EXEC);
	KUNIT_EXPECT_EQ(test, lwps[0].lwpid, 1);
	KUNIT_EXPECT_EQ(test, lwps[1].lwpid, 3);

	kill_pid(child, SIGKILL, 1);
	eventually(test, told_all(child, kproc.stat == CORE_SZOMB && kproc.nlwps == 1));
	KUNIT_EXPECT_EQ(test, kproc.nthreads, 0);
	KUNIT_EXPECT_EQ(test, kproc.xstat, SIGKILL);
	KUNIT_EXPECT_EQ(test, lwps[0].lwpid, 1);
	put_pid(child);
}

static void leader_ends_first(struct kunit *test)
{
	struct pid *child = with_threads(test, THREADS(END_THREAD));

	tell(test, &lwps[0]);
	eventually(test, told_all(child, kproc.nthreads == 2 && lwps[0].stat == CORE_LSZOMB));
	KUNIT_EXPECT_EQ(test, kproc.nlwps, 3);
	KUNIT_EXPECT_EQ(test, kproc.stat, CORE_SACTIVE);
	KUNIT_EXPECT_EQ(test, kproc.flags, CORE_P_EXEC);
	KUNIT_EXPECT_EQ(test, lwps[0].tid, pid_nr(child));
	KUNIT_EXPECT_EQ(test, lwps[0].flags, CORE_LWP_MAIN | CORE_LWP_WEXIT);

	tell(test, &lwps[2]);
	eventually(test, told_all(child, kproc.nlwps == 2));
	KUNIT_EXPECT_EQ(test, kproc.nthreads, 1);
	KUNIT_EXPECT_EQ(test, kproc.stat, CORE_SACTIVE);
	KUNIT_EXPECT_EQ(test, lwps[0].lwpid, 1);
	KUNIT_EXPECT_EQ(test, lwps[1].lwpid, 2);

	/* Neither the leader's status nor that of the youngest. */
	tell(test, &lwps[1]);
	eventually(test, told_all(child, kproc.stat == CORE_SZOMB && kproc.nlwps == 1));
	KUNIT_EXPECT_EQ(test, kproc.nthreads, 0);
	KUNIT_EXPECT_EQ(test, kproc.xstat, 2 << 8);
	KUNIT_EXPECT_EQ(test, kproc.flags, CORE_P_EXEC | CORE_P_WEXIT | CORE_P_VMLAST);
	KUNIT_EXPECT_EQ(test, lwps[0].lwpid, 1);
	put_pid(child);
}

/* It takes the leader's place and number, and is the only one. */
static void exec_by_another_thread(struct kunit *test)
{
	struct pid *child = with_threads(test, THREADS("exec qw(sleep infinity)"));

	tell(test, &lwps[2]);
	/* Before that it is the third, or not alone. */
	eventually(test, told_all(child, kproc.nlwps == 1 && lwps[0].lwpid == 1));
	KUNIT_EXPECT_EQ(test, kproc.nthreads, 1);
	KUNIT_EXPECT_EQ(test, kproc.stat, CORE_SACTIVE);
	KUNIT_EXPECT_EQ(test, kproc.flags, CORE_P_EXEC);
	KUNIT_EXPECT_EQ(test, kproc.holds, 0);
	KUNIT_EXPECT_EQ(test, lwps[0].tid, pid_nr(child));
	KUNIT_EXPECT_EQ(test, lwps[0].flags, CORE_LWP_MAIN);

	kill_pid(child, SIGKILL, 1);
	put_pid(child);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(birth_and_exec),
	KUNIT_CASE(death_and_release),
	KUNIT_CASE(zombie_waits_for_its_parent),
	KUNIT_CASE(orphans_go_where_linux_puts_them),
	KUNIT_CASE(stop_and_continue),
	KUNIT_CASE(tree_of_three),
	KUNIT_CASE(threads_go_alone_and_together),
	KUNIT_CASE(leader_ends_first),
	KUNIT_CASE(exec_by_another_thread),
	{},
};

struct kunit_suite core_suite = {
	.name = "bsdproc_core",
	.exit = processes_end,
	.test_cases = cases,
};
