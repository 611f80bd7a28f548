// SPDX-License-Identifier: GPL-2.0-only
// A string of bytes as a sequence of what happens to processes: done with the core
// on its simulated Linux and with the reference model, and both compared.
//
// The first byte's lowest bit says whether someone looks at the model only when a
// step says so (limbo is settled late then), or after each step. Four bytes are a
// step: what, who, and two for how. A step that is not possible does nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "reference.hh"
#include "world.hh"

namespace sim
{

using script = std::vector<uint8_t>;

// What went wrong, with the steps that led there, a line each; empty: nothing.
std::string try_out(const script &bytes);
// The same failing with as few steps as can be had by leaving out.
script shrink(script bytes);
// Of what runs at this moment, for a message when the program dies in it.
std::string steps_so_far();

class trial
{
public:
	explicit trial(const script &bytes);
	std::string run();
	std::string steps() const { return log_.str(); }

private:
	using want = std::function<bool(const task_struct *)>;
	struct kind {
		const char *name;
		void (trial::*step)();
	};
	static const kind kinds[];

	// ---- trial.cc
	bool one_step(size_t at);
	void finish();
	void drain(task_struct *task);
	std::vector<task_struct *> tasks(const want &wanted);
	task_struct *pick(const want &wanted, unsigned which);
	task_struct *pick(const want &wanted) { return pick(wanted, who_); }
	bool is_busy(const task_struct *task) const;
	bool may_call(const task_struct *task) const;
	bool may_make(const task_struct *task) const;
	bool may_exit(const task_struct *task) const;
	bool may_exec(const task_struct *task) const;
	ref::lwp *twin(const task_struct *task) { return twins_.at(task); }
	std::ostream &say();
	void wrong(const std::string &what);

	// ---- trial_life.cc: each does the same to both
	void birth();
	void end_of_birth();
	void begin_exit();
	void next_of_exit();
	void whole_exit();
	void begin_group_exit();
	void process_exit();
	void begin_exec();
	void next_of_exec();
	void whole_exec();
	void tell_birth(task_struct *task, unsigned failing);
	void exit_begin(task_struct *task, int code);
	void exit_step(task_struct *task);
	void exit_rest(task_struct *task);
	void de_thread(task_struct *task);
	void exec_event(task_struct *task);
	void detach(task_struct *task);

	// ---- trial_call.cc
	void extexit();
	void wait();
	void end_wait();
	void ask_lwp_tid();
	void native_reap();
	void end_reap();
	void attach();
	void stop_trace();
	void set_group();
	void set_session();
	void set_subreaper();
	void signal();
	void job_control(task_struct *task);
	void load_or_unload();
	void load_end();
	void heal();
	void free_one();
	void free_all();
	void renumber();
	void look_now();
	std::optional<ref::proc *> check_wait(const waited &got, const ref::answer &right,
					      const ref::lwp *waiter);
	bool check_change(const waited &got, const ref::answer &right);
	void collect(task_struct *reaper, const waited &got);
	void reap(task_struct *reaper, task_struct *child, bool release);

	// ---- trial_compare.cc
	struct row;
	void look();
	std::map<int, row> rows_of_core();
	std::map<int, row> rows_of_reference();
	void forgive(std::map<int, row> &rows);
	bool is_vague(const ref::proc &p) const;
	void compare_stores();

	const script &bytes_;
	bool lazy_;
	unsigned who_ = 0, how_ = 0, more_ = 0; // of this step
	world world_;
	kernel &linux_{world_.linux_};
	ref::model model_;
	std::unordered_map<const task_struct *, ref::lwp *> twins_;
	std::set<const task_struct *> doomed_; // have a verdict
	// The old leaders of execs by others, until they are freed.
	std::map<const task_struct *, int> old_leaders_;
	std::set<int> cut_execs_; // processes that died between de_thread and the event
	bool loading_ = false;
	bool whole_ = true;     // no birth was missed since the last look
	bool adopters_ = false; // nor since load: else P_ADOPTED says little
	std::deque<int> stores_, right_stores_;
	std::ostringstream log_;
	std::string wrong_;
};

} // namespace sim
