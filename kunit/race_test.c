// SPDX-License-Identifier: GPL-2.0-only
/* Kernel threads that look at everything while processes come and go. */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "kunit.h"

static char *storms = "";
module_param(storms, charp, 0444);
MODULE_PARM_DESC(storms, "the folder with storm_fork and the others");

static unsigned rounds = 30;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how often each looker looks at everything");

#define MANY 4096

struct looker {
	struct completion done;
	int pids[MANY];
	struct core_klwp lwps[64];
	unsigned seen, wrong;
};

/* Whether what was read at one moment can be true at one. */
static bool sane(const struct core_kproc *kproc, const struct core_klwp *lwps, unsigned room)
{
	const unsigned n = min(kproc->nlwps, room);
	unsigned i;

	for (i = 0; i < n; i++)
		if (lwps[i].lwpid <= (i ? lwps[i - 1].lwpid : 0) || lwps[i].stat < CORE_LSRUN ||
		    lwps[i].stat > CORE_LSZOMB)
			return false;
	return kproc->stat >= CORE_SACTIVE && kproc->stat <= CORE_SZOMB &&
	       kproc->nzombies <= kproc->nchildren && kproc->nthreads <= kproc->nlwps &&
	       (int)kproc->holds >= 0;
}

static void look_at_all(struct looker *looker)
{
	struct core_kproc kproc;
	unsigned i, n;

	core_settle();
	n = min_t(unsigned, core_list(looker->pids, MANY), MANY);
	for (i = 0; i < n; i++) {
		struct pid *pid = find_get_pid(looker->pids[i]);

		rcu_read_lock();
		if (pid && core_getproc(pid, &kproc, looker->lwps, ARRAY_SIZE(looker->lwps)) == 0) {
			looker->seen++;
			looker->wrong += !sane(&kproc, looker->lwps, ARRAY_SIZE(looker->lwps));
		}
		rcu_read_unlock();
		put_pid(pid);
		cond_resched();
	}
}

/* What the map finds stays as long as the section does, and is that task's. */
static void find_all(struct looker *looker)
{
	struct task_struct *leader, *task;
	struct host_link *link;

	rcu_read_lock();
	for_each_process_thread(leader, task) {
		link = host_map_find(task);
		cpu_relax();
		if (link)
			looker->wrong += READ_ONCE(link->task) != task;
	}
	rcu_read_unlock();
}

static int look(void *arg)
{
	struct looker *looker = arg;
	unsigned i;

	for (i = 0; i < rounds; i++) {
		look_at_all(looker);
		find_all(looker);
		cond_resched();
	}
	kthread_complete_and_exit(&looker->done, 0);
}

/* Reads the same of all processes from both, while nothing moves. */
static bool same_as_linux(void)
{
	static int pids[MANY];
	struct task_struct *leader;
	struct core_kproc kproc;
	unsigned n = 0;
	bool same = true;

	core_settle();
	rcu_read_lock();
	for_each_process(leader) {
		struct task_struct *parent = rcu_dereference(leader->real_parent);

		if (leader->flags & PF_KTHREAD)
			continue;
		n++;
		same &= core_getproc(task_tgid(leader), &kproc, NULL, 0) == 0 &&
			kproc.nlwps == get_nr_threads(leader) &&
			kproc.ppid == (parent->flags & PF_KTHREAD ? NULL : task_tgid(parent));
	}
	rcu_read_unlock();
	return core_list(pids, MANY) == n && same;
}

static const char *const programs[] = {"storm_fork", "storm_threads", "storm_exec", "storm_tree"};

static void lookers_beside_storms(struct kunit *test)
{
	struct looker *lookers;
	struct process *storm[ARRAY_SIZE(programs)];
	struct core_kproc kproc;
	unsigned cpu, i;

	if (!*storms)
		kunit_skip(test, "no folder of storms was given");
	lookers = kunit_kcalloc(test, nr_cpu_ids, sizeof(*lookers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, lookers);
	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		char *path = kunit_kzalloc(test, PATH_MAX, GFP_KERNEL);
		char *argv[] = {path, "--procs", "2", "--rounds", "1000000", NULL};

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
		snprintf(path, PATH_MAX, "%s/%s", storms, programs[i]);
		storm[i] = process_start_program(test, argv);
		/* It has its handler for SIGTERM before it has children. */
		eventually(test, look_at(storm[i]->pid, &kproc, NULL, 0) == 0 && kproc.nchildren);
	}
	for_each_online_cpu(cpu) {
		struct task_struct *task;

		init_completion(&lookers[cpu].done);
		task = kthread_create_on_cpu(look, &lookers[cpu], cpu, "kunit_look/%u");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
		wake_up_process(task);
	}
	for_each_online_cpu(cpu) {
		wait_for_completion(&lookers[cpu].done);
		KUNIT_EXPECT_EQ(test, lookers[cpu].wrong, 0);
		KUNIT_EXPECT_GT(test, lookers[cpu].seen, rounds);
	}
	for (i = 0; i < ARRAY_SIZE(programs); i++)
		KUNIT_EXPECT_EQ_MSG(test, process_end(storm[i], SIGTERM), 0, "%s", programs[i]);
	eventually(test, same_as_linux());
}

static struct kunit_case cases[] = {
	KUNIT_CASE(lookers_beside_storms),
	{},
};

struct kunit_suite race_suite = {
	.name = "bsdproc_race",
	.exit = processes_end,
	.test_cases = cases,
};
