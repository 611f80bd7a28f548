// SPDX-License-Identifier: BSD-2-Clause
#include "tree.hh"

#include <set>

namespace bsdproc
{

const Branches ascii_branches = {"|- ", "`- ", "|  ", "   "};
const Branches utf8_branches = {"├─ ", "└─ ", "│  ", "   "};

std::vector<TreeLine> tree_lines(const std::map<int, int> &parents, const Branches &branches)
{
	std::map<int, std::vector<int>> children;
	std::vector<int> roots;
	std::set<int> seen;
	std::vector<TreeLine> lines;

	for (auto [pid, parent] : parents) {
		if (parent != pid && parents.contains(parent))
			children[parent].push_back(pid);
		else
			roots.push_back(pid);
	}

	struct Todo {
		int pid;
		std::string head, rest;
	};
	// Not by recursion: the tree may be as deep as there are processes.
	auto walk = [&](int root) {
		std::vector<Todo> stack{{root, "", ""}};
		while (!stack.empty()) {
			Todo todo = std::move(stack.back());
			stack.pop_back();
			if (!seen.insert(todo.pid).second)
				continue;
			auto &below = children[todo.pid];
			lines.push_back(
				{todo.pid, todo.head,
				 todo.rest + (below.empty() ? branches.blank : branches.bar)});
			for (size_t i = below.size(); i-- > 0;) {
				bool last = i + 1 == below.size();
				stack.push_back(
					{below[i],
					 todo.rest + (last ? branches.last : branches.child),
					 todo.rest + (last ? branches.blank : branches.bar)});
			}
		}
	};
	for (int root : roots)
		walk(root);
	// Processes were read one by one: a pid used twice meanwhile could make a
	// circle of parents, which has no root.
	for (auto [pid, parent] : parents)
		if (!seen.contains(pid))
			walk(pid);
	return lines;
}

} // namespace bsdproc
