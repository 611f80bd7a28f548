// SPDX-License-Identifier: GPL-2.0-only
// What is right, said as plainly as possible: the seed's procs and lwps over
// Linux's events, one thing after the other. It shares nothing with the core nor
// with the simulated Linux, and is told what happens as they are.
//
// What the model holds is kept here only while the module is loaded; what Linux
// holds (threads, parents, tracers, status) always.
#pragma once

#include <list>
#include <optional>
#include <vector>

namespace ref
{

struct proc;

// How far a thread is on its way out of Linux.
enum class way { running, begun, told, worked, ended };

struct lwp {
	proc *of = nullptr;
	int tid = 0; // Linux's
	way where = way::running;
	bool born = false;    // its birth was told
	bool unheard = false; // its exit was told to nobody
	lwp *tracer = nullptr;
	int code = 0; // it ended with
	int trap = 0; // a stop for it that it has not collected

	int id = 0;           // DragonFly's
	bool counted = false; // in nthreads
	bool wexit = false;
	proc *claim = nullptr;
	int *setint = nullptr; // what its end is to store, and where
	int value = 0;
};

struct proc {
	int pid = 0, pgid = 0, sid = 0;
	std::list<lwp> lwps; // whom Linux has not released, in the order of birth
	lwp *leader = nullptr;
	lwp *parent = nullptr; // in Linux children belong to a thread
	int exit_signal = 0;
	bool subreaper = false, ignores_sigchld = false;
	bool group_exit = false; // its status is decided
	bool in_exec = false;    // has the other threads end
	int status = 0;
	int stop = 0;           // the signal of a stop that nobody has collected
	bool stopped = false;   // has stopped
	bool continued = false; // goes on, and nobody has collected that

	bool wexit = false, exec = false, adopted = false;
	bool ended = false; // SZOMB
	int xstat = 0;
	int last_id = 0;
	lwp *claimant = nullptr;
	// Its place in the order of deaths; 0: nothing is said of it, as it died
	// another's child, or before the module came, or it was late.
	unsigned death = 0;
	bool moved = false; // since anybody looked
	bool late = false;  // an lwp came other than by its birth, or went unheard
};

enum class verdict { lwp, proc };

struct target {
	enum { any, pid, group } kind = any;
	int nr = 0;
	bool clone = false;              // WLINUXCLONE
	bool ends = true, stops = false; // WEXITED; WUNTRACED, WCONTINUED and WTRAPPED
};

enum class event { end, stop, trap, cont };
struct change {
	int tid;
	event what;
	int status;
};

struct answer {
	bool children = false;       // else ECHILD
	std::vector<proc *> either;  // one of these is reported as ended; empty: none yet
	std::vector<change> changes; // then one of these; empty: none yet
};

class model
{
public:
	model();
	lwp *init() { return init_; }
	const std::list<proc> &procs() const { return procs_; }
	proc *find(int pid);
	std::vector<const proc *> children(const proc *p) const;

	// ---- what happens in Linux
	lwp *fork(lwp *maker, int pid, bool clone_parent, int exit_signal);
	lwp *thread(lwp *maker, int tid);
	static void born(lwp *l);
	static void group_exit(lwp *l, int status);
	void exit_begin(lwp *l, int status);
	void exit_event(lwp *l);
	void exit_work(lwp *l);
	void exit_notify(lwp *l);
	static void exec_begin(lwp *l);
	static void de_thread(lwp *l);
	static void exec_event(lwp *l);
	void detach(lwp *l);
	static void stop(proc *p, int signal);
	static void cont(proc *p);
	static void collect(lwp *l, event what);
	void gone(proc *p); // reaped

	// ---- what is asked of the module
	static verdict extexit(lwp *l, bool whole_proc, int *setint, int value);
	answer wait(lwp *l, const target &t);
	static void claim(lwp *l, proc *child);
	static void wait_end(lwp *l);

	void load();
	void unload();
	// Someone looked: the model is up to date.
	void looked();

private:
	static bool begin_exit(proc *p);
	void end(proc *p, bool in_order);
	void notice(proc *p);
	static std::optional<change> change_of(const lwp &l, const proc *q, const target &t);
	lwp *reaper_for(const lwp *father);
	void give_away(lwp *father, lwp *reaper);
	void ended_in_linux(proc *p);

	std::list<proc> procs_; // in the order of birth
	lwp *kernel_, *init_;
	unsigned deaths_ = 0;
	bool loaded_ = false;
};

} // namespace ref
