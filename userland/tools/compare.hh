// SPDX-License-Identifier: BSD-2-Clause
// Where the model and /proc, or two parts of the model, do not agree. Pure:
// nothing is read here.
#pragma once

#include <compare>
#include <set>
#include <string>
#include <vector>

#include "model.hh"
#include "procfs.hh"

namespace bsdproc
{

enum class Against {
	Linux,    // what /proc says
	Counted,  // what the rest of the model comes to
	Expected, // what must hold in any model
};

const char *against_name(Against against); // "/proc", "counted", "expected"

struct Difference {
	int pid;
	std::string field; // "parent", "thread 77 state" ...
	std::string model; // the model's word
	Against against;
	std::string other; // the word that it should agree with

	// "pid 123: parent: model 1, /proc 77"
	std::string text() const;

	auto operator<=>(const Difference &) const = default;
};

// Each proc beside Linux's process, and in itself; only those of `pids`, if
// given. Sorted by pid.
std::vector<Difference> compare(const Model &model, const LinuxModel &linux);
std::vector<Difference> compare(const Model &model, const LinuxModel &linux,
				const std::set<int> &pids);

// The procs beside each other: parents and counts of children. Needs all procs
// that there are. Sorted by pid.
std::vector<Difference> compare_families(const Model &model);

} // namespace bsdproc
