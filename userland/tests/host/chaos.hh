// SPDX-License-Identifier: GPL-2.0-only
// Whatever a Linux may do, at random, and on another CPU in the middle of what
// the core is doing.
#pragma once

#include <random>

#include "world.hh"

namespace sim
{

class chaos
{
public:
	chaos(world &world, unsigned seed) : world_{world}, linux_{world.linux_}, random_{seed} {}

	// Something; with `intruding`, perhaps with something else in its middle.
	void act(bool intruding);
	// The same for another CPU.
	void interfere();
	// Everything that was begun is finished.
	void calm();
	// No wait holds a claim.
	void drop_claims();

private:
	using want = std::function<bool(const task_struct *)>;

	unsigned below(unsigned n) { return random_() % n; }
	bool one_in(unsigned n) { return below(n) == 0; }
	std::vector<task_struct *> tasks(const want &wanted);
	task_struct *pick(const want &wanted);
	bool is_busy(const task_struct *task) const;
	bool may_call(const task_struct *task) const;
	bool may_exec(const task_struct *task) const;

	// Nothing that the core hears of; false: nothing to be done.
	bool silent();
	bool birth();
	bool death();
	bool begin_exec();
	bool reap();
	// An event or a call.
	bool heard();
	bool call(task_struct *task);
	void wait_somehow(task_struct *task);
	void ask_all();
	void check_wait(const task_struct *task, const wait_for &what, const waited &got);
	bool look();

	world &world_;
	kernel &linux_;
	std::mt19937 random_;
	bool exec_killed_ = false;
	bool still_ = true;                       // nobody interferes
	std::vector<const task_struct *> busy_;   // in what the core does just now
	std::vector<const task_struct *> doomed_; // have a verdict
};

} // namespace sim
