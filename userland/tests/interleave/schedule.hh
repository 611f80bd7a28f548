// SPDX-License-Identifier: GPL-2.0-only
// One run of a scenario: who goes on at each step, and the threads that take turns.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "host.hh"
#include "races.hh"

namespace sim
{

// Where there was a choice.
struct decision {
	unsigned step;
	unsigned enabled; // a bit for each thread that could go on
	int from;         // who ran; -1: nobody yet
	int to;
	bool free() const { return from < 0 || !(enabled & 1u << from); }
	bool preempts() const { return !free() && from != to; }
};

// The choices that are not the usual ones: the running thread goes on, else the lowest.
using plan = std::vector<std::pair<unsigned, int>>; // step, thread
std::string to_string(const plan &plan);
plan plan_of(const std::string &text);

class schedule
{
public:
	// With `random`, beyond the plan a switch at every so many steps.
	schedule(const plan &plan, std::mt19937 *random, bool aloud);
	~schedule();
	void run(const std::vector<std::function<void()>> &threads);

	const std::vector<decision> &decisions() const { return decisions_; }
	// The plan by which this very run can be had again.
	plan as_run() const;

private:
	class actor;

	void next(int from);
	int choose(int from, unsigned enabled);
	void say_switch(int from, int to);

	const plan plan_;
	size_t planned_ = 0;
	std::mt19937 *random_;
	const bool aloud_;
	unsigned step_ = 0;
	std::vector<decision> decisions_;
	std::vector<std::unique_ptr<actor>> actors_;
	std::binary_semaphore done_{0};
	races races_;
};

} // namespace sim
