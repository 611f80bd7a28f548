// SPDX-License-Identifier: GPL-2.0-only
// Adoption: tasks older than the module, and those missed when memory was short.
//
// Anything that names an unknown task adopts it, as does the walk over all tasks
// at load and after a loss. One lock serialises adoptions, so that two threads
// of an unknown process cannot make two procs; a birth told by its event does
// not take it, the map decides between the two.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

constinit spinlock adopt_lock{};
static constinit atomic<bool> stopped{};
// How often memory was short, and how many of these the last whole walk made good.
static constinit atomic<unsigned> losses{};
static constinit atomic<unsigned> healed{};

// Memory may be short for long, but nobody waits for ever; then the caller decides.
static constexpr int patience = 16;

int is_known(task_struct *task)
{
	return lwp_find(task) != nullptr;
}

proc *proc_of_group(task_struct *task)
{
	task_struct *sibling = host_group_find(task, is_known);
	lwp *lp = sibling ? lwp_find(sibling) : nullptr;
	return lp ? lp->lwp_proc : nullptr;
}

static int adopt_one(task_struct *task, proc *maker)
{
	guard g(adopt_lock);
	const unsigned bits = host_task_bits(task);
	if (host_task_kthread(task) || (bits & HOST_TASK_RELEASED))
		return err::srch;
	if (is_known(task))
		return 0;
	proc *p = proc_of_group(task);
	return p ? lwp_attach(p, task, bits) : proc_attach(task, bits, CORE_P_ADOPTED, maker);
}

// Whom to adopt before that task, if anybody: the thread that leads its process, as others
// may come and go while it lingers; then the parent.
static task_struct *elder_of(task_struct *task)
{
	pid *pid = host_task_tgid(task);
	task_struct *leader = pid ? host_pid_leader(pid) : nullptr;
	if (leader && leader != task)
		return is_known(leader) ? nullptr : leader;
	task_struct *parent = host_task_real_parent(task);
	return is_known(parent) || host_task_kthread(parent) ? nullptr : parent;
}

int adopt(task_struct *task, proc *maker)
{
	// Elders first. The climb ends at a kernel thread: init's parent is one.
	// A parent that Linux released meanwhile is not a parent any more: climb
	// anew, though not for ever in a place that cannot sleep.
	for (int tries = 0; tries < 64 && !stopped.load();) {
		task_struct *eldest = task;
		while (task_struct *elder = elder_of(eldest))
			eldest = elder;
		const int error = adopt_one(eldest, eldest == task ? maker : nullptr);
		if (eldest == task || error == err::nomem)
			return error;
		tries += error == err::srch;
	}
	return err::srch;
}

static int adopt_from_walk(task_struct *task)
{
	const int error = is_known(task) ? 0 : adopt(task);
	return error == err::srch ? 0 : error;
}

lwp *lwp_find_or_adopt(task_struct *task)
{
	lwp *lp = lwp_find(task);
	if (!lp && adopt(task) == 0)
		lp = lwp_find(task);
	return lp;
}

lwp *lwp_of_current()
{
	for (int tries = 0; tries < patience; tries++) {
		{
			rcu_guard rcu;
			task_struct *task = host_current();
			lwp *lp = lwp_find(task);
			if (lp)
				return lp;
			const int error = adopt(task);
			if (error != err::nomem)
				return error ? nullptr : lwp_find(task);
		}
		host_memory_wait();
	}
	return nullptr;
}

void model_lost_something()
{
	losses.add(1);
	host_heal_later();
}

bool model_is_whole()
{
	return healed.load() == losses.load();
}

bool model_stops()
{
	return stopped.load();
}

static void end_sleep(host_link *link, void *)
{
	peers_stop(static_cast<lwp *>(link)->lwp_proc);
}

static void end_watch(host_link *link, void *)
{
	proc *p = static_cast<lwp *>(link)->lwp_proc;
	guard g(p->p_token);
	// As long as an lwp is left, its task is.
	if (p->p_nthreads || p->p_nleaving)
		watch_close(p);
}

} // namespace bsd

using namespace bsd;

void core_init(void)
{
	adopt_lock.init(HOST_LOCK_ADOPT);
	limbo_init();
	vmspace_init();
	atexit_init();
	stops_init();
	ktrace_init();
	varsym_init();
	proc_init(&proc0);
}

int core_adopt_all(void)
{
	for (int tries = 0; tries < patience; tries++) {
		const unsigned before = losses.load();
		const int error = host_tasks_walk(adopt_from_walk);
		if (error != err::nomem) {
			healed.store(before);
			return error;
		}
		host_memory_wait();
	}
	return err::nomem;
}

void core_stop(void)
{
	stopped.store(true);
	// Who sleeps in its exit for what the model would tell goes on without.
	host_map_walk(end_sleep, nullptr);
}

void core_silence(void)
{
	host_map_walk(end_watch, nullptr);
}

void core_heal(void)
{
	core_settle();
	if (!model_is_whole())
		host_heal_later();
}

void core_settle(void)
{
	if (!model_is_whole())
		core_adopt_all();
	limbo_settle();
}
