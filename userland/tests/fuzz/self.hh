// SPDX-License-Identifier: BSD-2-Clause
// What a fuzzing process knows of itself and its relatives, to ask for them and to judge
// what the module says.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>

#include "random.hh"

namespace fuzz
{

// One for each process, shared by its threads.
class Self
{
public:
	explicit Self(bool threads) : pid(getpid()), has_threads(threads) {}

	void add_child(pid_t id)
	{
		children_[next_++ % kRing] = id;
		add_relative(id);
	}
	void add_relative(pid_t id) { relatives_[next_++ % kRing] = id; }
	// A child, or what lately was one; 0: none yet.
	pid_t child(Random &random) const { return children_[random.below(kRing)]; }
	// The same, or a thread's.
	pid_t relative(Random &random) const { return relatives_[random.below(kRing)]; }
	// Any number that may name a process, or cannot.
	int64_t any_id(Random &random) const;

	const pid_t pid;
	const bool has_threads; // more than one at some time
	// Descriptors are closed, and come to be something else, at any moment.
	bool moves_descriptors = false;
	std::atomic<int> hold{-1};               // a descriptor of HOLD
	std::atomic<int> trace{-1};              // and of KTRACE
	std::atomic<bool> process_ends{false};   // a verdict was that it should
	std::atomic<bool> verdict_missed{false}; // or there was one that we could not read

private:
	static constexpr unsigned kRing = 32;
	std::atomic<pid_t> children_[kRing] = {}, relatives_[kRing] = {};
	std::atomic<unsigned> next_{0};
};

// All children end with this code, so whoever hears of an end can tell whether it is that
// child's: by pid, and whether it is a clone without SIGCHLD.
constexpr int kCloneCode = 0x40;
constexpr int exit_code(pid_t pid, bool clone)
{
	return (pid & 0x3f) | (clone ? kCloneCode : 0);
}

} // namespace fuzz
