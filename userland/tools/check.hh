// SPDX-License-Identifier: BSD-2-Clause
// The check of a living system: look, and look again at what differed.
#pragma once

#include <map>
#include <vector>

#include "compare.hh"
#include "model.hh"
#include "procfs.hh"

namespace bsdproc
{

struct Report {
	size_t procs = 0; // in the model, at the first look
	size_t lwps = 0;
	unsigned rounds = 0;                           // that were needed after it
	std::vector<Difference> differences;           // that stay
	std::map<int, std::vector<Difference>> moving; // by pid: in motion to the end
};

// rounds: how often to look again, at most; 0: what the first look finds stays.
// Throws Failure.
Report check(Device &device, Procfs &procfs, unsigned rounds);

} // namespace bsdproc
