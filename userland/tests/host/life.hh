// SPDX-License-Identifier: GPL-2.0-only
// A scripted life: births, threads, exec, waits and deaths, in the smallest steps
// there are, so that a test can have something happen after any of them.
#pragma once

#include "world.hh"

namespace sim
{

class life
{
public:
	explicit life(world &world);
	unsigned length() const { return steps_.size(); }
	// The next step; the module need not be there.
	void step() { steps_[next_++](); }
	bool over() const { return next_ == steps_.size(); }
	// Whether no task is between two steps of its birth, exec or exit.
	bool quiet() const;
	// All that the memory's owner saw.
	int stored = 0;

private:
	void births();
	void exec();
	void threads_end();
	void wait_for_one();
	void orphans();

	void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
	// The task is known only when its steps come.
	using who = task_struct *life::*;
	void add_fork(who child, who maker, const clone_args &args = {});
	void add_exit(who task, int code);
	void add_free(who task);

	world &world_;
	kernel &linux_;
	steps steps_;
	unsigned next_ = 0;
	task_struct *init_;
	task_struct *shell_ = nullptr, *second_ = nullptr, *job_ = nullptr, *clone_ = nullptr;
	task_struct *sibling_ = nullptr, *loader_ = nullptr, *helper_ = nullptr, *leaf_ = nullptr;
};

} // namespace sim
