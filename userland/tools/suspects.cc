// SPDX-License-Identifier: BSD-2-Clause
#include "suspects.hh"

#include <algorithm>

namespace bsdproc
{

Suspects::Suspects(const std::vector<Difference> &found, const LinuxModel &linux)
{
	for (const Difference &difference : found) {
		Suspect &suspect = suspects[difference.pid];
		suspect.runs.emplace(difference, 0);
		suspect.last.push_back(difference);
		if (auto process = linux.find(difference.pid); process != linux.end())
			suspect.start = process->second.leader.starttime;
	}
}

std::set<int> Suspects::pids() const
{
	std::set<int> pids;

	for (auto &[pid, suspect] : suspects)
		pids.insert(pid);
	return pids;
}

void Suspects::look(int pid, const Sight &first, const Sight &second)
{
	auto found = suspects.find(pid);
	if (found == suspects.end())
		return;
	Suspect &suspect = found->second;

	for (const Sight *sight : {&first, &second}) {
		if (sight->start && !suspect.start)
			suspect.start = sight->start;
		bool other = sight->start && sight->start != suspect.start;
		if (other || sight->differences.empty()) {
			suspects.erase(found);
			return;
		}
	}

	std::map<Difference, unsigned> runs;
	for (const Difference &difference : first.differences) {
		auto &now = second.differences;
		if (std::find(now.begin(), now.end(), difference) == now.end())
			continue;
		auto before = suspect.runs.find(difference);
		runs[difference] = 1 + (before == suspect.runs.end() ? 0 : before->second);
	}
	suspect.runs = std::move(runs);
	suspect.last = second.differences;
}

std::vector<Difference> Suspects::settled(unsigned rounds) const
{
	std::vector<Difference> settled;

	for (auto &[pid, suspect] : suspects)
		for (auto &[difference, run] : suspect.runs)
			if (run >= rounds)
				settled.push_back(difference);
	return settled;
}

std::map<int, std::vector<Difference>> Suspects::moving(unsigned rounds) const
{
	std::map<int, std::vector<Difference>> moving;

	for (auto &[pid, suspect] : suspects) {
		bool any = std::any_of(suspect.runs.begin(), suspect.runs.end(),
				       [&](auto &run) { return run.second >= rounds; });
		if (!any)
			moving[pid] = suspect.last;
	}
	return moving;
}

} // namespace bsdproc
