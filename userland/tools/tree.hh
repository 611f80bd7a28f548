// SPDX-License-Identifier: BSD-2-Clause
// Processes in the order of their tree, with the lines that draw it.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace bsdproc
{

struct Branches {
	const char *child; // before a child that has siblings after it
	const char *last;  // before a last child
	const char *bar;   // past the descendants of the former
	const char *blank; // past those of the latter
};

extern const Branches ascii_branches;
extern const Branches utf8_branches;

struct TreeLine {
	int pid;
	std::string head; // before the process's name
	std::string body; // before further lines about it
};

// parents: by pid, the parent's pid. One whose parent is not a key is a root.
// Siblings and roots are sorted by pid. All keys are in the result, once.
std::vector<TreeLine> tree_lines(const std::map<int, int> &parents, const Branches &branches);

} // namespace bsdproc
