// SPDX-License-Identifier: BSD-2-Clause
#include "check.hh"

#include <algorithm>
#include <chrono>
#include <thread>

#include "suspects.hh"

namespace bsdproc
{

namespace
{

// A difference must be there in so many last rounds to stay: a process that
// only just began to move, at the end of the rounds, is not judged.
constexpr unsigned settling_rounds = 10;
constexpr unsigned longest_pause_ms = 100;

// Differences of some pids, by pid.
using Found = std::map<int, std::vector<Difference>>;

struct Look {
	LinuxModel linux;
	Found found;

	Sight sight(int pid) const
	{
		Sight sight;
		if (auto process = linux.find(pid); process != linux.end())
			sight.start = process->second.leader.starttime;
		if (auto differences = found.find(pid); differences != found.end())
			sight.differences = differences->second;
		return sight;
	}
};

Look look(Device &device, Procfs &procfs, const std::set<int> &pids, bool families)
{
	Model model = families ? device.read() : device.read(pids);
	Look look{procfs.read(pids), {}};

	for (Difference &difference : compare(model, look.linux, pids))
		look.found[difference.pid].push_back(std::move(difference));
	if (families)
		for (Difference &difference : compare_families(model))
			if (pids.contains(difference.pid))
				look.found[difference.pid].push_back(std::move(difference));
	return look;
}

} // namespace

Report check(Device &device, Procfs &procfs, unsigned rounds)
{
	Report report;
	Model model = device.read();
	LinuxModel linux = procfs.read();
	std::vector<Difference> found = compare(model, linux);
	std::vector<Difference> in_families = compare_families(model);
	std::set<int> families; // reading all procs again is dear: only for these

	report.procs = model.procs.size();
	for (auto &[pid, proc] : model.procs)
		report.lwps += proc.lwps.size();
	for (const Difference &difference : in_families)
		families.insert(difference.pid);
	found.insert(found.end(), in_families.begin(), in_families.end());

	Suspects suspects(found, linux);
	for (unsigned round = 0; round < rounds; round++) {
		std::set<int> pids = suspects.pids();
		if (pids.empty())
			break;
		report.rounds = round + 1;
		unsigned pause = round < 7 ? 1u << round : longest_pause_ms;
		std::this_thread::sleep_for(std::chrono::milliseconds(pause));

		bool whole = std::any_of(pids.begin(), pids.end(),
					 [&](int pid) { return families.contains(pid); });
		Look first = look(device, procfs, pids, whole);
		Look second = look(device, procfs, pids, whole);
		for (int pid : pids)
			suspects.look(pid, first.sight(pid), second.sight(pid));
	}

	unsigned settling = std::min(rounds, settling_rounds);
	report.differences = suspects.settled(settling);
	report.moving = suspects.moving(settling);
	return report;
}

} // namespace bsdproc
