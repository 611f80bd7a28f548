// SPDX-License-Identifier: GPL-2.0-only
// The whole model as the core tells of it, beside the reference.
//
// They are compared whenever the module is ready and someone looks, with these
// exceptions, in each of which the core says only later what is so at once:
//
// - An lwp that came into the model other than by its birth (memory was short, or
//   the module just being loaded) has whatever number it got; until the process's
//   next exec, numbers of that process need only differ, and its flags are not
//   compared. Nor, while a thread of it is inside do_exit, how far the process is
//   and how many threads it has: such exits may have passed in silence.
// - Between de_thread and its event the lwps are the old program's, and so is the
//   signal for the parent. If the process dies before the event, the old leader
//   stays until its task is freed.
// - A process that is being reaped natively may be shown until Linux releases it.
//
// Of zombies that did not die as children of whom they belong to now, no order is
// laid down; see ref::proc::death.
#include <algorithm>

#include "trial.hh"

namespace sim
{

struct trial::row {
	int ppid = 0;
	bool zombie = false, wexit = false, exec = false, claimed = false, adopted = false;
	bool traced = false;
	int nthreads = 0, nchildren = 0, nzombies = 0, sigparent = 0, xstat = 0;
	struct lwp {
		int id = 0;
		bool wexit = false, main = false, ended = false;
		bool operator==(const lwp &) const = default;
	};
	std::map<int, lwp> lwps; // by Linux's number

	bool operator==(const row &) const = default;
	std::string text() const;
};

std::string trial::row::text() const
{
	std::ostringstream out;
	out << "ppid " << ppid << (zombie ? " zombie" : "") << (wexit ? " P_WEXIT" : "")
	    << (exec ? " exec" : "") << (claimed ? " claimed" : "") << (adopted ? " adopted" : "")
	    << (traced ? " traced" : "") << " threads " << nthreads << " children " << nchildren
	    << " zombies " << nzombies << " signal " << sigparent << " xstat " << xstat;
	for (const auto &[tid, l] : lwps)
		out << " [" << tid << ": lwp " << l.id << (l.main ? " main" : "")
		    << (l.wexit ? " LWP_WEXIT" : "") << (l.ended ? " ended" : "") << ']';
	return out.str();
}

std::map<int, trial::row> trial::rows_of_core()
{
	as looker(linux_.init());
	core_settle();
	std::vector<int> pids(core_list(nullptr, 0));
	core_list(pids.data(), pids.size());

	std::map<int, row> rows;
	for (const int nr : pids) {
		pid *pid = linux_.find_pid(nr);
		if (pid->leader->exit_state == exit_state::dead)
			continue;
		const view v = look_at(pid);
		if (v.error || rows.count(nr)) {
			wrong(std::to_string(nr) + " is listed twice, or not there");
			continue;
		}
		const unsigned flags = v.proc.flags;
		row &r = rows[nr];
		r.ppid = v.ppid;
		r.zombie = v.proc.stat == CORE_SZOMB;
		r.wexit = flags & CORE_P_WEXIT;
		r.exec = flags & CORE_P_EXEC;
		r.claimed = flags & CORE_P_CLAIMED;
		r.adopted = flags & CORE_P_ADOPTED;
		r.traced = flags & CORE_P_TRACED;
		r.nthreads = v.proc.nthreads;
		r.nchildren = v.proc.nchildren;
		r.nzombies = v.proc.nzombies;
		r.sigparent = v.proc.sigparent;
		r.xstat = v.proc.xstat;
		std::set<int> ids;
		for (const core_klwp &l : v.lwps) {
			r.lwps[l.tid] = {l.lwpid, bool(l.flags & CORE_LWP_WEXIT),
					 bool(l.flags & CORE_LWP_MAIN), l.stat == CORE_LSZOMB};
			if (l.lwpid < 1 || !ids.insert(l.lwpid).second)
				wrong(std::to_string(nr) + " has an lwp id twice, or below 1");
		}
	}
	return rows;
}

std::map<int, trial::row> trial::rows_of_reference()
{
	std::map<int, row> rows;
	for (const ref::proc &p : model_.procs()) {
		if (!p.pid || !p.lwps.front().born)
			continue;
		row &r = rows[p.pid];
		r.ppid = p.parent->of->pid;
		r.zombie = p.ended;
		r.wexit = p.wexit;
		r.exec = p.exec;
		r.claimed = p.claimant;
		r.adopted = p.adopted;
		r.xstat = p.xstat;
		r.sigparent = p.exit_signal;
		for (const ref::proc *child : model_.children(&p)) {
			r.nchildren++;
			r.nzombies += child->ended;
		}
		for (const ref::lwp &l : p.lwps) {
			r.nthreads += l.counted;
			const bool main = &l == p.leader;
			if (!l.counted && !main)
				continue;
			r.traced |= l.tracer != nullptr;
			r.lwps[l.tid] = {l.id, l.wexit, main, l.where == ref::way::ended};
		}
	}
	return rows;
}

// Exits of it may have passed in silence, and the last word is not said.
bool trial::is_vague(const ref::proc &p) const
{
	return p.late && std::any_of(p.lwps.begin(), p.lwps.end(), [](const ref::lwp &l) {
		       return l.where != ref::way::running && l.where != ref::way::ended;
	       });
}

void trial::forgive(std::map<int, row> &rows)
{
	for (const ref::proc &p : model_.procs()) {
		const auto at = rows.find(p.pid);
		if (at == rows.end())
			continue;
		row &r = at->second;
		if (adopters_)
			r.adopted = false;
		if (p.late) {
			r.wexit = r.exec = false;
			for (auto &[tid, l] : r.lwps)
				l.id = l.wexit = 0;
		}
		if (is_vague(p)) {
			r.zombie = false;
			r.nthreads = r.xstat = 0;
			r.traced = false;
			r.lwps.clear();
			if (const auto parent = rows.find(p.parent->of->pid); parent != rows.end())
				parent->second.nzombies = 0;
		}
		const pid *pid = linux_.find_pid(p.pid);
		const bool in_exec = pid && pid->leader && pid->leader->signal->in_exec;
		const bool has_old = std::any_of(old_leaders_.begin(), old_leaders_.end(),
						 [&](auto &old) { return old.second == p.pid; });
		if (in_exec && !p.ended)
			r.sigparent = 0;
		if (in_exec && (has_old || cut_execs_.count(p.pid))) {
			r.lwps.clear();
			r.traced = false;
		}
	}
}

void trial::look()
{
	std::map<int, row> core = rows_of_core(), right = rows_of_reference();
	model_.looked();
	whole_ = true;
	forgive(core);
	forgive(right);
	if (core == right)
		return;
	std::ostringstream out;
	for (const auto &[nr, r] : right)
		if (!core.count(nr))
			out << "the core lacks " << nr << ' ' << r.text() << '\n';
		else if (core.at(nr) != r)
			out << "the core has   " << nr << ' ' << core.at(nr).text()
			    << "\n  and right is " << nr << ' ' << r.text() << '\n';
	for (const auto &[nr, r] : core)
		if (!right.count(nr))
			out << "the core has   " << nr << ' ' << r.text() << ", and it is gone\n";
	wrong(out.str());
}

void trial::compare_stores()
{
	if (stores_ != right_stores_)
		wrong("SETINT's stores are not what they should be");
}

} // namespace sim
