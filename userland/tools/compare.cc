// SPDX-License-Identifier: BSD-2-Clause
#include "compare.hh"

#include <algorithm>

#include "status.hh"

namespace bsdproc
{

namespace
{

// Running or asleep is motion, not state: the model and /proc are read at
// different moments, and a thread may change between them as it likes.
std::string lwp_state(uint32_t stat)
{
	switch (stat) {
	case BSDPROC_LSRUN:
	case BSDPROC_LSSLEEP:
		return "alive";
	case BSDPROC_LSSTOP:
		return "stopped";
	case BSDPROC_LSZOMB:
		return "zombie";
	}
	return lwp_stat_name(stat);
}

std::string thread_state(char state)
{
	switch (state) {
	case 'T':
	case 't':
		return "stopped";
	case 'Z':
	case 'X':
		return "zombie";
	}
	return "alive";
}

std::string proc_state(uint32_t stat)
{
	switch (stat) {
	case BSDPROC_SIDL:
		return "being created";
	case BSDPROC_SACTIVE:
		return "active";
	case BSDPROC_SSTOP:
		return "stopped";
	case BSDPROC_SZOMB:
		return "zombie";
	}
	return proc_stat_name(stat);
}

// The process's state, as its threads' states have it. Nothing if some live and
// some are stopped: a stop on its way, or one that a tracer made of one thread.
std::string process_state(const LinuxProc &linux)
{
	size_t stopped = 0, alive = 0;

	for (auto [tid, state] : linux.threads) {
		std::string name = thread_state(state);
		stopped += name == "stopped";
		alive += name == "alive";
	}
	if (alive && stopped)
		return "";
	return alive ? "active" : stopped ? "stopped" : "zombie";
}

std::string quoted(std::string_view comm)
{
	std::string text = "\"";

	for (unsigned char c : comm)
		text += c < ' ' || c == 0x7f ? '?' : static_cast<char>(c);
	return text + '"';
}

std::string comm_of(const Proc &proc)
{
	const char *comm = proc.k.comm;
	return quoted({comm, std::find(comm, comm + sizeof(proc.k.comm), '\0')});
}

class Comparison
{
public:
	Comparison(int pid, std::vector<Difference> &out) : pid(pid), out(out) {}

	void differ(std::string field, std::string model, Against against, std::string other)
	{
		out.push_back({pid, std::move(field), std::move(model), against, std::move(other)});
	}

	void equal(const char *field, long long model, Against against, long long other)
	{
		if (model != other)
			differ(field, std::to_string(model), against, std::to_string(other));
	}

	void presence(const Proc *proc, const LinuxProc *linux);
	void process(const Proc &proc, const LinuxProc &linux);
	void threads(const Proc &proc, const LinuxProc &linux);
	void lwps(const Proc &proc);

private:
	int pid;
	std::vector<Difference> &out;
};

void Comparison::presence(const Proc *proc, const LinuxProc *linux)
{
	if (proc && linux && linux->kernel)
		differ("kernel thread", comm_of(*proc), Against::Expected, "none");
	else if (proc && !linux)
		differ("process", comm_of(*proc), Against::Linux, "none");
	else if (!proc && linux && !linux->kernel)
		differ("process", "none", Against::Linux, quoted(linux->leader.comm));
}

void Comparison::process(const Proc &proc, const LinuxProc &linux)
{
	const TaskStat &leader = linux.leader;
	std::string state = process_state(linux);

	// The model keeps the children of kernel threads, which it does not have,
	// under its own root: their parent is 0 for it.
	equal("parent", proc.k.ppid, Against::Linux, linux.kernel_parent ? 0 : leader.ppid);
	equal("process group", proc.k.pgid, Against::Linux, leader.pgrp);
	equal("session", proc.k.sid, Against::Linux, leader.session);
	if (!state.empty() && proc_state(proc.k.stat) != state)
		differ("state", proc_state(proc.k.stat), Against::Linux, state);
}

void Comparison::threads(const Proc &proc, const LinuxProc &linux)
{
	std::map<int, uint32_t> stats;
	bool same = true;

	for (const bsdproc_klwp &lwp : proc.lwps)
		stats.emplace(lwp.tid, lwp.stat);
	for (auto [tid, stat] : stats) {
		std::string thread = "thread " + std::to_string(tid);
		auto found = linux.threads.find(tid);
		if (found == linux.threads.end()) {
			differ(thread, lwp_state(stat), Against::Linux, "none");
			same = false;
		} else if (lwp_state(stat) != thread_state(found->second)) {
			differ(thread + " state", lwp_state(stat), Against::Linux,
			       thread_state(found->second));
		}
	}
	for (auto [tid, state] : linux.threads) {
		if (stats.contains(tid))
			continue;
		differ("thread " + std::to_string(tid), "none", Against::Linux,
		       thread_state(state));
		same = false;
	}
	// Linux's own count, where it says no more than the threads already did.
	if (same)
		equal("threads", proc.k.nlwps, Against::Linux, linux.leader.num_threads);
}

// What holds in a proc by itself.
void Comparison::lwps(const Proc &proc)
{
	std::map<int, int> by_lwpid, by_tid;
	int mains = 0, living = 0;

	for (const bsdproc_klwp &lwp : proc.lwps) {
		by_lwpid[lwp.lwpid]++;
		by_tid[lwp.tid]++;
		living += lwp.stat != BSDPROC_LSZOMB;
		if (lwp.lwpid < 1)
			differ("lwp id of thread " + std::to_string(lwp.tid),
			       std::to_string(lwp.lwpid), Against::Expected, "1 or more");
		if (lwp.flags & BSDPROC_LWP_MAIN) {
			mains++;
			equal("main lwp's thread", lwp.tid, Against::Expected, pid);
		}
	}
	for (auto [lwpid, count] : by_lwpid)
		equal(("lwps with id " + std::to_string(lwpid)).c_str(), count, Against::Expected,
		      1);
	for (auto [tid, count] : by_tid)
		equal(("lwps of thread " + std::to_string(tid)).c_str(), count, Against::Expected,
		      1);
	equal("pid", proc.k.pid, Against::Expected, pid);
	equal("main lwps", mains, Against::Expected, 1);
	equal("nlwps", proc.k.nlwps, Against::Counted, proc.lwps.size());
	equal("nthreads", proc.k.nthreads, Against::Counted, living);
	if (proc.k.stat != BSDPROC_SZOMB && proc.k.nthreads == 0)
		differ("nthreads", "0", Against::Expected, "1 or more, as it is not a zombie");
	if (proc.k.stat == BSDPROC_SZOMB)
		equal("vmsharers", proc.k.vmsharers, Against::Expected, 0);
	else if (!proc.k.vmsharers && !(proc.k.flags & BSDPROC_P_WEXIT))
		differ("vmsharers", "0", Against::Expected, "1 or more, as it is not exiting");
	if (proc.k.nzombies > proc.k.nchildren)
		differ("nzombies", std::to_string(proc.k.nzombies), Against::Expected,
		       "at most nchildren, " + std::to_string(proc.k.nchildren));
}

void compare_one(int pid, const Model &model, const LinuxModel &linux, std::vector<Difference> &out)
{
	Comparison comparison(pid, out);
	auto proc = model.procs.find(pid);
	auto process = linux.find(pid);
	const Proc *ours = proc == model.procs.end() ? nullptr : &proc->second;
	const LinuxProc *theirs = process == linux.end() ? nullptr : &process->second;

	comparison.presence(ours, theirs);
	if (ours)
		comparison.lwps(*ours);
	if (ours && theirs && !theirs->kernel) {
		comparison.process(*ours, *theirs);
		comparison.threads(*ours, *theirs);
	}
}

// What was wrong with the list itself.
void compare_list(const Model &model, const std::set<int> *pids, std::vector<Difference> &out)
{
	auto differ = [&](const std::vector<int> &found, const char *what, const char *expected) {
		for (int pid : found)
			if (!pids || pids->contains(pid))
				Comparison(pid, out).differ("list", what, Against::Expected,
							    expected);
	};
	differ(model.twice, "listed twice", "once");
	differ(model.gone, "listed, but there is no such proc", "both or neither");
	differ(model.impossible, "listed", "no such pid");
}

void sort_by_pid(std::vector<Difference> &differences)
{
	std::stable_sort(differences.begin(), differences.end(),
			 [](const Difference &a, const Difference &b) { return a.pid < b.pid; });
}

} // namespace

const char *against_name(Against against)
{
	switch (against) {
	case Against::Linux:
		return "/proc";
	case Against::Counted:
		return "counted";
	case Against::Expected:
		break;
	}
	return "expected";
}

std::string Difference::text() const
{
	return "pid " + std::to_string(pid) + ": " + field + ": model " + model + ", " +
	       against_name(against) + " " + other;
}

std::vector<Difference> compare(const Model &model, const LinuxModel &linux)
{
	std::vector<Difference> out;

	for (auto &[pid, proc] : model.procs)
		compare_one(pid, model, linux, out);
	for (auto &[pid, process] : linux)
		if (!model.procs.contains(pid))
			compare_one(pid, model, linux, out);
	compare_list(model, nullptr, out);
	sort_by_pid(out);
	return out;
}

std::vector<Difference> compare(const Model &model, const LinuxModel &linux,
				const std::set<int> &pids)
{
	std::vector<Difference> out;

	for (int pid : pids)
		compare_one(pid, model, linux, out);
	compare_list(model, &pids, out);
	sort_by_pid(out);
	return out;
}

std::vector<Difference> compare_families(const Model &model)
{
	struct Count {
		long long children = 0, zombies = 0;
	};
	std::map<int, Count> counts;
	std::vector<Difference> out;

	for (auto &[pid, proc] : model.procs) {
		counts[proc.k.ppid].children++;
		counts[proc.k.ppid].zombies += proc.k.stat == BSDPROC_SZOMB;
	}
	for (auto &[pid, proc] : model.procs) {
		Comparison comparison(pid, out);
		const Count &count = counts[pid];

		comparison.equal("nchildren", proc.k.nchildren, Against::Counted, count.children);
		// A zombie may be there that its parent cannot wait for (yet).
		if (proc.k.nzombies > count.zombies)
			comparison.differ("nzombies", std::to_string(proc.k.nzombies),
					  Against::Counted, std::to_string(count.zombies));
		if (proc.k.ppid != 0 && !model.procs.contains(proc.k.ppid))
			comparison.differ("parent", std::to_string(proc.k.ppid), Against::Expected,
					  "one that the model has");
	}
	return out;
}

} // namespace bsdproc
