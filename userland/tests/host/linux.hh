// SPDX-License-Identifier: GPL-2.0-only
// As much of Linux as the core can see, by the rules of kernel/{fork,exit}.c and
// fs/exec.c of 6.1. Each thing that Linux does in more than one step is as many
// functions here, so that a test decides what happens in between.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "host.hh"

inline constexpr int SIGCHLD_NR = 17;

struct pid {
	int nr;
	int refs = 1; // Linux's own, while somebody uses the number, and the model's
	int model_refs = 0;
	int users = 0;
	task_struct *task = nullptr;   // PIDTYPE_PID
	task_struct *leader = nullptr; // PIDTYPE_TGID
};

struct host_waiter {
	task_struct *task;
	core_idtype idtype;
	pid *only;
	bool queued = false, woken = false;
};

namespace sim
{

// Linux's signal_struct.
struct process {
	pid *tgid = nullptr, *pgid = nullptr, *sid = nullptr; // null when released
	std::vector<task_struct *> threads;                   // not yet released
	unsigned tasks = 0;                                   // not yet freed
	int live = 0, quick = 0;
	bool group_exit = false;
	int group_exit_code = 0;
	bool subreaper = false, has_subreaper = false;
	bool ignores_sigchld = false;
	bool namespace_init = false;
	bool killed = false;                // a SIGKILL came
	bool may_be_killed = true;          // by anybody else
	bool may_be_inspected = true;       // by who asks to trace it
	bool gains_rights = false;          // by the program it will exec
	task_struct *exec_task = nullptr;   // has its siblings die
	bool in_exec = false;               // they have; the event is still to come
	bool stopped = false;               // all of it, SIGNAL_STOP_STOPPED
	bool continued = false;             // and nobody was told
	int stop_code = 0;                  // 0: somebody was told
	std::vector<host_waiter *> waiters; // wait_chldexit
	std::vector<host_watch *> watches;  // the same
};

enum class exit_state { none, zombie, dead };

// How far a task is, for checking that a test goes by Linux's order.
enum class stage { linked, running, begun, told, worked, notified, released };

} // namespace sim

struct task_struct {
	sim::process *signal = nullptr;
	pid *thread_pid = nullptr; // null when released
	task_struct *group_leader = nullptr;
	task_struct *real_parent = nullptr;
	task_struct *tracer = nullptr;
	task_struct *maker = nullptr; // until the birth is told
	const char *mm = nullptr;     // null: a kernel thread, or it has left it
	const char *undone = nullptr; // by an exit that leaves out something
	std::vector<task_struct *> children;
	int exit_signal = 0;
	int exit_code = 0;
	sim::exit_state exit_state = sim::exit_state::none;
	bool kthread = false, worker = false, exiting = false, group_dead = false;
	bool on_cpu = false;
	int trap_code = 0; // of a stop for its tracer that the tracer has not collected
	bool vfork = false, stopped = false, asleep = false, signalled = false;
	bool forked = true, privileged = false; // no exec yet; PF_SUPERPRIV
	unsigned tty = 0;
	std::atomic<sim::stage> stage = sim::stage::linked;
	host_work *work = nullptr; // its task_work
	unsigned euid = 0, egid = 0, payer = 0;
	bool admin = false;
	uint64_t released_at = 0;
};

namespace sim
{

struct clone_args {
	int exit_signal = SIGCHLD_NR;
	bool thread = false, parent = false, vfork = false, kthread = false, worker = false;
	bool vm = false; // the maker's address space, as threads and vforked children have it
};

class kernel
{
public:
	kernel();
	~kernel();
	kernel(const kernel &) = delete;
	kernel &operator=(const kernel &) = delete;

	task_struct *idle() const { return idle_; }
	task_struct *init() const { return init_; }
	task_struct *kthreadd() const { return kthreadd_; }

	// ---- linux_fork.cc: births, and what a process says of itself
	task_struct *copy_process(task_struct *maker, const clone_args &args = {});
	void newtask(task_struct *task); // the event
	task_struct *fork(task_struct *maker, int exit_signal = SIGCHLD_NR);
	task_struct *thread(task_struct *maker);
	void set_next_nr(int nr) { next_nr_ = nr; }
	void set_subreaper(task_struct *task);
	void setpgid(task_struct *task, pid *group);
	void setsid(task_struct *task);

	// ---- linux_exec.cc: after the beginning the siblings die as anybody does
	void exec_begin(task_struct *task);
	static bool siblings_gone(const task_struct *task); // so that de_thread() can go on
	void de_thread(task_struct *task);
	void exec_event(task_struct *task);
	void exec(task_struct *task); // all, with the siblings' exits

	// ---- linux_exit.cc
	// exit_group(), or a deadly signal: the code is that of all threads.
	void group_exit(task_struct *task, int code);
	void exit_begin(task_struct *task, int code = 0); // up to PF_EXITING and the rest
	void exit_event(task_struct *task);
	void exit_work(task_struct *task);
	void exit_notify(task_struct *task);
	bool exit_step(task_struct *task); // whichever is next; false: none was
	void exit_until(task_struct *task, stage stage, int code = 0);
	void exit(task_struct *task, int code = 0);
	void exit_process(task_struct *task, int code = 0);

	// ---- linux_mm.cc, under the tasklist
	void mm_get(task_struct *task, const char *mm); // null: a new one
	void mm_put(task_struct *task);
	const std::map<const char *, unsigned> &mm_users() const { return mm_users_; }
	void mm_hold(const task_struct *task); // as /proc's readers do
	void mm_drop(const task_struct *task);

	// ---- linux_wait.cc
	bool can_reap(const task_struct *reaper, const task_struct *child);
	int reap_begin(task_struct *reaper, task_struct *child); // it is EXIT_DEAD
	void reap_end(task_struct *child);                       // and released
	int reap(task_struct *reaper, task_struct *child);
	void attach(task_struct *tracer, task_struct *task);
	void detach(task_struct *task);
	// The tracer has seen the end; false: nor is it for the parent to see.
	bool reap_traced(task_struct *task);
	void signal(task_struct *task); // makes it look up from its sleep

	// ---- linux_stop.cc
	void stop(task_struct *task, int signal); // its process has stopped
	void cont(task_struct *task);             // and goes on
	void trap(task_struct *task, int code);   // it has stopped for its tracer
	void resume(task_struct *task);           // and was let go
	// A native wait collects one of CORE_W*; the status word's code, 0: it is not there.
	int collect(task_struct *task, unsigned what);

	// ---- linux_pid.cc
	// The last of a released task: the event, then its memory.
	void free(task_struct *task);
	bool may_free(const task_struct *task);
	const std::vector<task_struct *> &released() const { return released_; }
	// All that waits for time alone: frees, grace periods, the work queue.
	void idle_a_while();

	// Which events the module hears of.
	struct probes {
		bool free = false, exit = false, exec = false, fresh = false;
	} probes;

	// ---- for host_*.cc: under the tasklist
	std::mutex tasklist;
	std::condition_variable wakeups;
	const std::vector<task_struct *> &leaders() const { return leaders_; }
	pid *find_pid(int nr);
	pid *pid_from(int nr); // with the lowest number from nr on
	void pid_get(pid *pid);
	void pid_put(pid *pid);
	void wake(process *parent, const task_struct *key);
	int model_pid_refs();

private:
	pid *alloc_pid();
	void use(pid *pid);
	void unuse(pid *pid);
	void switch_pid(pid *&place, pid *to);
	void make_leader(task_struct *task, pid *number);
	task_struct *alive_thread(process *process);
	task_struct *new_reaper(task_struct *father);
	void forget_original_parent(task_struct *father, std::vector<task_struct *> &dead);
	bool notify_parent(task_struct *task);
	void release(task_struct *task);
	void want(const task_struct *task, stage stage, const char *what);

	task_struct *idle_, *init_, *kthreadd_, *child_reaper_;
	std::vector<task_struct *> leaders_;  // Linux's list of tasks
	std::vector<task_struct *> released_; // not yet freed
	std::map<int, pid *> pids_;
	std::map<const char *, unsigned> mm_users_;
	std::vector<pid *> all_pids_;
	int next_nr_ = 1;
};

// For what Linux does under its tasklist_lock; looking only, as the host does, takes the
// mutex alone, which orders nothing by Linux's rules.
class tasklist_guard
{
	kernel &kernel_;
	std::lock_guard<std::mutex> guard_;

	static std::mutex &come_to(kernel &kernel)
	{
		if (turns_here)
			turns_here->point();
		return kernel.tasklist;
	}

public:
	explicit tasklist_guard(kernel &kernel) : kernel_{kernel}, guard_{come_to(kernel)}
	{
		turns_acquire(&kernel_);
	}
	~tasklist_guard() { turns_release(&kernel_); }
	tasklist_guard(const tasklist_guard &) = delete;
	tasklist_guard &operator=(const tasklist_guard &) = delete;
};

// The one that the host speaks for.
extern kernel *the_kernel;

// The calling OS thread runs as that task.
class as
{
public:
	explicit as(task_struct *task);
	~as();
	as(const as &) = delete;
	as &operator=(const as &) = delete;

private:
	task_struct *before_;
};
task_struct *current_task();

// Whether the calling OS thread may be put to sleep in wait.
extern thread_local bool may_block;
// Far beyond what any machine needs: only a wake-up that was lost takes as long.
inline constexpr std::chrono::seconds lost_wakeup{20};

// host_watch.cc; under the tasklist. That task has woken its parent or tracer.
void watch_wake(host_watch *watch, const task_struct *key);

bool leads_group(const task_struct *task);
bool is_alone(const task_struct *task);
int wait_status(const task_struct *task);

} // namespace sim
