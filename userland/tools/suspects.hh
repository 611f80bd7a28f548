// SPDX-License-Identifier: BSD-2-Clause
// Which differences stay, and which were only motion. Pure: fed by check.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "compare.hh"

namespace bsdproc
{

// One look at one pid: the model, and /proc right after it.
struct Sight {
	std::optional<uint64_t> start; // /proc's start time; none: not in /proc
	std::vector<Difference> differences;
};

class Suspects
{
public:
	// What the first look found becomes the set.
	explicit Suspects(const std::vector<Difference> &found, const LinuxModel &linux);

	// The pids that must be looked at again.
	std::set<int> pids() const;

	// Two looks in a row. A pid is dropped if one of them found nothing, or if
	// it is another process's by now. What both found, word for word, held in
	// between as well: it stays, with a run that is longer by one; any other
	// difference was motion.
	void look(int pid, const Sight &first, const Sight &second);

	// Differences that were found in each of the last `rounds` rounds.
	std::vector<Difference> settled(unsigned rounds) const;

	// Pids that differed to the end but have nothing that settled, with what
	// was last seen of them.
	std::map<int, std::vector<Difference>> moving(unsigned rounds) const;

private:
	struct Suspect {
		std::optional<uint64_t> start;
		std::map<Difference, unsigned> runs;
		std::vector<Difference> last;
	};
	std::map<int, Suspect> suspects;
};

} // namespace bsdproc
