// SPDX-License-Identifier: GPL-2.0-only
// A shell and its descendants: threads that make others, wait, exec, stop, join, keep symbols
// and end in any way there is, each as fast as it can.
#pragma once

#include "storm_machine.hh"

namespace sim
{

class family
{
public:
	family(machine &machine, unsigned seed)
	    : machine_{machine}, linux_{machine.linux_}, seed_{seed}
	{
		shell_ = linux_.fork(linux_.init());
		shell_->admin = true;
		linux_.set_subreaper(shell_);
	}

	const task_struct *shell() const { return shell_; }

	// The shell makes one process at a time, and meets whatever comes of it.
	void rounds(unsigned rounds)
	{
		dice random(seed_);
		may_block = true;
		while (rounds-- && !testing::Test::HasFailure()) {
			left_ = 3 + random() % 8;
			begin(fork(shell_, {}));
			while (wait_as_shell(random))
				;
		}
	}

	// And one more, most of which stays, for the model to be compared.
	void leave_a_tree()
	{
		stays_ = true;
		left_ = 30;
		begin(fork(shell_, {}));
	}

private:
	// ---- births

	task_struct *fork(task_struct *td, const clone_args &args)
	{
		task_struct *child = linux_.copy_process(td, args);
		if (!args.thread && !stays_)
			machine_.people.born(child);
		linux_.newtask(child);
		return child;
	}
	void begin(task_struct *td)
	{
		machine_.lives.put([this, td](dice &random) { live(td, random); });
	}
	void bear(task_struct *td, dice &random)
	{
		if (left_.fetch_sub(1) <= 0)
			return;
		clone_args args;
		args.thread = one_in(random, 2);
		args.parent = one_in(random, 6);
		args.vm = one_in(random, 3);
		args.vfork = !args.thread && one_in(random, 8);
		if (one_in(random, 5))
			args.exit_signal = 0;
		begin(fork(td, args));
	}

	// ---- lives

	void live(task_struct *td, dice &random)
	{
		for (unsigned n = random() % 8; n && !is_dying(td); n--)
			call(td, random);
		if (!stays_)
			end(td, random);
		else if (one_in(random, 3))
			linux_.exit(td);
		else
			return;
		machine_.off_cpu(td);
	}

	void call(task_struct *td, dice &random)
	{
		switch (random() % 11) {
		case 0:
			return stays_ ? bear(td, random) : exec(td, random);
		case 1:
			return wait_as_parent(td, random);
		case 2:
			return stop_and_continue(td);
		case 3:
			return stays_ ? bear(td, random) : join(td);
		case 4:
			return symbols(td, random);
		case 5:
			return linux_.set_subreaper(td);
		case 6:
			return reap_any(td);
		case 7:
			return what_only_traces_hear(td);
		default:
			return bear(td, random);
		}
	}

	// By a sibling, or by its leader.
	bool is_dying(const task_struct *td)
	{
		std::lock_guard g(linux_.tasklist);
		const process *p = td->signal;
		return p->group_exit || p->killed || (p->exec_task && p->exec_task != td);
	}

	void stop_and_continue(task_struct *td)
	{
		linux_.stop(td, 19);
		std::this_thread::yield();
		linux_.cont(td);
	}

	void join(task_struct *td)
	{
		int parent;
		{
			std::lock_guard g(linux_.tasklist);
			parent = td->real_parent->signal->tgid->nr;
		}
		as self(td);
		const int error = core_join(parent);
		EXPECT_TRUE(is_one_of(error, {0, -esrch, -ealready, -enomem})) << error;
	}

	// A signal, and a native wait.
	static void what_only_traces_hear([[maybe_unused]] task_struct *td)
	{
#ifdef KTRACE
		core_signal signal{};
		signal.signo = 10;
		as self(td);
		host_rcu_read_lock();
		core_task_signal(td, &signal);
		core_task_wait(nullptr);
		host_rcu_read_unlock();
#endif
	}

	// All values are of one letter, so that a mixture shows.
	void symbols(task_struct *td, dice &random)
	{
		const auto level = core_varsym_level(CORE_VARSYM_PROC + random() % 3);
		const std::string name(1, char('k' + random() % 3));
		const std::string data(1 + random() % 20, char('a' + random() % 26));
		const int set = varsym_set(td, level, name, data);
		EXPECT_TRUE(is_one_of(set, {0, enomem})) << set;
		const std::string got = varsym_get(td, name);
		EXPECT_EQ(got.find_first_not_of(got[0]), got[0] == '?' ? 1 : got.npos) << got;
		varsym_list(td, level);
		const int gone = one_in(random, 2) ? varsym_delete(td, level, name) : 0;
		EXPECT_TRUE(is_one_of(gone, {0, enoent, enomem})) << gone;
	}

	// ---- exec

	// Fails when the process is being killed, or another thread was quicker.
	bool exec_begin(task_struct *td)
	{
		tasklist_guard g(linux_);
		process *p = td->signal;
		if (p->group_exit || p->killed || p->exec_task)
			return false;
		p->exec_task = td;
		interrupt_others(td);
		return true;
	}
	bool siblings_gone(const task_struct *td)
	{
		std::lock_guard g(linux_.tasklist);
		return kernel::siblings_gone(td);
	}
	bool is_killed(const task_struct *td)
	{
		std::lock_guard g(linux_.tasklist);
		return td->signal->killed;
	}
	void exec(task_struct *td, dice &random)
	{
		if (!exec_begin(td))
			return;
		while (!siblings_gone(td))
			breathe();
		linux_.de_thread(td);
		// One that is killed may come to the end of its exec, or not.
		if (is_killed(td) && one_in(random, 2))
			return;
		exec_event(td, one_in(random, 8));
		const int tid = lwp_tid(td);
		EXPECT_TRUE(is_one_of(tid, {1, -enomem})) << tid;
	}
	// kernel::exec_event() writes without the tasklist.
	void exec_event(task_struct *td, bool secure)
	{
		{
			tasklist_guard g(linux_);
			td->signal->in_exec = false;
			td->signal->may_be_killed &= !secure;
			td->forked = false;
		}
		as self(td);
		host_rcu_read_lock();
		core_task_exec(td, secure);
		host_rcu_read_unlock();
	}

	// Under the tasklist. Others of its process who sleep in wait look up.
	void interrupt_others(const task_struct *td)
	{
		for (task_struct *other : td->signal->threads)
			if (other != td)
				other->signalled = true;
		linux_.wakeups.notify_all();
	}

	// ---- waits

	// Under the tasklist: an ended child of the process, that one if nr is not 0.
	static task_struct *find_zombie(const process *p, int nr)
	{
		for (const task_struct *thread : p->threads)
			for (task_struct *child : thread->children)
				if (child->exit_state == exit_state::zombie && is_alone(child) &&
				    (!nr || child->signal->tgid->nr == nr))
					return child;
		return nullptr;
	}
	// Natively: who marks it first has it. False: nobody is there.
	bool reap(const task_struct *td, int nr, int *status)
	{
		task_struct *child;
		{
			tasklist_guard g(linux_);
			child = find_zombie(td->signal, nr);
			if (!child)
				return false;
			nr = child->signal->tgid->nr;
			*status = wait_status(child);
			child->exit_state = exit_state::dead;
		}
		linux_.reap_end(child);
		if (!stays_)
			machine_.people.met(nr);
		return true;
	}
	void reap_any(const task_struct *td)
	{
		int status;
		while (reap(td, 0, &status))
			;
	}
	// What the library does about what its wait has found, which others may be quicker to have.
	void collect(task_struct *td, const waited &w)
	{
		int status;
		if (w.what) {
			host_rcu_read_lock();
			if (task_struct *child = host_pid_task(linux_.find_pid(w.pid)))
				linux_.collect(child, w.what);
			host_rcu_read_unlock();
		} else if (w.pid) {
			if (reap(td, w.pid, &status)) {
				EXPECT_EQ(status, w.xstat);
			}
			wait_end(td);
		}
	}
	bool wait_as_shell(dice &random)
	{
		const waited w = wait(shell_, {.options = options(random)});
		EXPECT_TRUE(is_one_of(w.error, {0, echild, enomem})) << w;
		collect(shell_, w);
		return w.error != echild;
	}
	void wait_as_parent(task_struct *td, dice &random)
	{
		const bool one = one_in(random, 3);
		wait_for what{.idtype = one ? CORE_P_PID : CORE_P_ALL,
			      .id = one ? hold_child(td) : nullptr,
			      .nohang = stays_ || one_in(random, 2),
			      .linuxclone = one_in(random, 4),
			      .options = options(random)};
		if (!one && one_in(random, 3)) {
			what.idtype = CORE_P_PGID;
			what.id = shell_->signal->pgid; // which all have
		}
		const waited w = wait(td, what);
		EXPECT_TRUE(is_one_of(w.error, {0, echild, enomem, restartsys})) << w;
		if (!one_in(random, 4)) // else it keeps its claim for a while
			collect(td, w);
		if (one && what.id)
			linux_.pid_put(what.id);
	}
	static unsigned options(dice &random)
	{
		unsigned options = CORE_WEXITED;
		if (one_in(random, 2))
			options |= CORE_WUNTRACED | CORE_WCONTINUED;
		if (one_in(random, 8))
			options |= CORE_WNOWAIT;
		return options;
	}
	// The number of one of its children, with a reference.
	pid *hold_child(const task_struct *td)
	{
		pid *id = nullptr;
		host_rcu_read_lock();
		{
			std::lock_guard g(linux_.tasklist);
			if (!td->children.empty())
				id = td->children.back()->signal->tgid;
		}
		if (id)
			linux_.pid_get(id);
		host_rcu_read_unlock();
		return id;
	}

	// ---- ends

	void group_exit(task_struct *td, int code)
	{
		linux_.group_exit(td, code);
		tasklist_guard g(linux_);
		if (td->signal->group_exit)
			interrupt_others(td);
	}
	// As the library's: a verdict, and what has to follow. False: no memory.
	bool ask_to_end(task_struct *td, int code, int *stored, dice &random)
	{
		const core_who who = one_in(random, 3) ? CORE_WHO_PROC : CORE_WHO_LWP;
		const int verdict = extexit(td, who, setint_make(stored, 1));
		EXPECT_TRUE(is_one_of(verdict, {CORE_VERDICT_LWP, CORE_VERDICT_PROC, -enomem}));
		if (verdict == CORE_VERDICT_PROC)
			group_exit(td, code);
		return verdict > 0;
	}
	void end(task_struct *td, dice &random)
	{
		const int code = int(random() % 100) << 8;
		int stored = 0;
		bool stores = false;
		if (!is_dying(td)) {
			if (one_in(random, 2))
				stores = ask_to_end(td, code, &stored, random);
			else if (one_in(random, 2))
				group_exit(td, code);
		}
		linux_.exit(td, code);
		EXPECT_EQ(stored, int(stores));
	}

	machine &machine_;
	kernel &linux_;
	const unsigned seed_;
	task_struct *shell_;
	std::atomic<int> left_{0}; // that may be born in this round
	bool stays_ = false; // of whom nobody ends by another's doing, or waits for another's end
};

} // namespace sim
