// SPDX-License-Identifier: GPL-2.0-only
// The model beside Linux.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "world.hh"

namespace sim
{

namespace
{

struct line {
	int ppid = 0;
	std::string stat;
	int threads = 0, children = 0, zombies = 0, signal = 0, xstat = 0;
	unsigned vmsharers = 0;
	std::map<int, std::string> lwps; // by tid
};

std::string text(const std::map<int, line> &lines)
{
	std::ostringstream out;
	for (const auto &[nr, l] : lines) {
		out << nr << " ppid " << l.ppid << ' ' << l.stat << " threads " << l.threads
		    << " children " << l.children << " zombies " << l.zombies << " signal "
		    << l.signal << " sharers " << l.vmsharers;
		if (l.stat == "zombie")
			out << " xstat " << l.xstat;
		for (const auto &[tid, state] : l.lwps)
			out << " [" << tid << state << ']';
		out << '\n';
	}
	return out.str();
}

const char *mm_of(const process *p)
{
	for (const task_struct *thread : p->threads)
		if (thread->mm)
			return thread->mm;
	return nullptr;
}

bool has_ended(const task_struct *leader)
{
	return leader->exit_state == exit_state::zombie && is_alone(leader);
}

line line_of_linux(const task_struct *leader)
{
	line l;
	const task_struct *parent = leader->real_parent;
	bool running = false, stopped = false;
	l.ppid = parent->kthread ? 0 : parent->signal->tgid->nr;
	l.signal = leader->exit_signal;
	l.xstat = wait_status(leader);
	for (const task_struct *thread : leader->signal->threads) {
		const bool ended = thread->exit_state != exit_state::none;
		l.threads += !ended;
		running |= !ended && !thread->stopped;
		stopped |= !ended && thread->stopped;
		l.lwps[thread->thread_pid->nr] =
			std::string(thread == leader ? " main" : "") + (ended ? " ended" : "");
		for (const task_struct *child : thread->children) {
			l.children++;
			l.zombies += has_ended(child);
		}
	}
	l.stat = has_ended(leader) ? "zombie" : stopped && !running ? "stopped" : "active";
	return l;
}

std::map<int, line> lines_of_linux(kernel &linux_)
{
	std::lock_guard g(linux_.tasklist);
	std::map<int, line> lines;
	std::map<const char *, unsigned> sharers;
	for (const task_struct *leader : linux_.leaders())
		sharers[mm_of(leader->signal)]++;
	sharers[nullptr] = 0;
	for (const task_struct *leader : linux_.leaders())
		if (!leader->kthread && leader->exit_state != exit_state::dead) {
			line &l = lines[leader->signal->tgid->nr] = line_of_linux(leader);
			l.vmsharers = sharers[mm_of(leader->signal)];
		}
	return lines;
}

const char *stat_name(unsigned stat)
{
	switch (stat) {
	case CORE_SACTIVE:
		return "active";
	case CORE_SSTOP:
		return "stopped";
	case CORE_SZOMB:
		return "zombie";
	default:
		return "?";
	}
}

line line_of_model(const view &v)
{
	line l;
	std::set<int> ids;
	l.ppid = v.ppid;
	l.stat = stat_name(v.proc.stat);
	l.threads = v.proc.nthreads;
	l.children = v.proc.nchildren;
	l.zombies = v.proc.nzombies;
	l.signal = v.proc.sigparent;
	l.xstat = v.proc.xstat;
	l.vmsharers = v.proc.vmsharers;
	for (const core_klwp &lwp : v.lwps) {
		EXPECT_GE(lwp.lwpid, 1);
		EXPECT_TRUE(ids.insert(lwp.lwpid).second) << "lwp id " << lwp.lwpid << " twice";
		l.lwps[lwp.tid] = std::string(lwp.flags & CORE_LWP_MAIN ? " main" : "") +
				  (lwp.stat == CORE_LSZOMB ? " ended" : "");
	}
	EXPECT_EQ(v.proc.nlwps, v.lwps.size());
	return l;
}

std::map<int, line> lines_of_model(kernel &linux_)
{
	as looker(linux_.init());
	core_settle();
	std::vector<int> pids(core_list(nullptr, 0));
	pids.resize(std::min<size_t>(core_list(pids.data(), pids.size()), pids.size()));

	std::map<int, line> lines;
	for (const int nr : pids) {
		EXPECT_EQ(lines.count(nr), 0u) << nr << " listed twice";
		pid *pid = linux_.find_pid(nr);
		if (pid->leader->exit_state == exit_state::dead)
			continue; // being reaped: may be shown or not
		const view v = look_at(pid);
		EXPECT_EQ(v.error, 0) << "for the listed process " << nr;
		if (!v.error)
			lines[nr] = line_of_model(v);
	}
	return lines;
}

// Those whose birth is yet to be told may be in the model or not.
std::string parents(kernel &linux_, const std::map<int, line> &lines)
{
	std::ostringstream out;
	for (const auto &[nr, l] : lines)
		if (linux_.find_pid(nr)->leader->stage != stage::linked)
			out << nr << " ppid " << l.ppid << '\n';
	return out.str();
}

} // namespace

view look_at(pid *pid)
{
	view v{};
	as looker(the_kernel->init());
	v.lwps.resize(64);
	host_rcu_read_lock();
	v.error = -core_getproc(pid, &v.proc, v.lwps.data(), v.lwps.size());
	if (!v.error)
		v.ppid = v.proc.ppid ? v.proc.ppid->nr : 0;
	v.lwps.resize(v.error ? 0 : std::min<size_t>(v.proc.nlwps, v.lwps.size()));
	host_rcu_read_unlock();
	return v;
}

view look_at(const task_struct *task)
{
	return look_at(task->signal->tgid);
}

std::string text_of_linux(kernel &linux_)
{
	return text(lines_of_linux(linux_));
}

std::string text_of_model(kernel &linux_)
{
	return text(lines_of_model(linux_));
}

void expect_model_equals_linux(kernel &linux_, const char *file, int line)
{
	testing::ScopedTrace trace(file, line, "the model against Linux");
	EXPECT_EQ(text_of_model(linux_), text_of_linux(linux_));
	if (!linux_.released().empty())
		return;
	for (const task_struct *leader : linux_.leaders()) {
		if (leader->kthread)
			continue;
		EXPECT_EQ(look_at(leader).proc.holds, 0u) << leader->thread_pid->nr;
	}
}

static waited expected_wait(kernel &linux_, task_struct *parent, task_struct *child)
{
	if (child->real_parent->signal != parent->signal || child->exit_state == exit_state::dead)
		return {.error = 10};
	waited w;
	if (linux_.can_reap(parent, child)) {
		w.pid = child->thread_pid->nr;
		w.xstat = wait_status(child);
	}
	return w;
}

void expect_waits_equal_linux(kernel &linux_, const char *file, int line)
{
	testing::ScopedTrace trace(file, line, "the model's wait against Linux's");
	const std::vector<task_struct *> leaders = linux_.leaders();
	for (const task_struct *parent : leaders) {
		task_struct *waiter = nullptr;
		for (task_struct *thread : parent->signal->threads)
			if (thread->stage == stage::running)
				waiter = thread;
		if (!waiter || waiter->kthread)
			continue;
		for (task_struct *child : leaders) {
			if (child->kthread || child->stage == stage::linked)
				continue;
			waited w = wait_nohang(waiter, {CORE_P_PID, child->signal->tgid, false,
							child->exit_signal != SIGCHLD_NR});
			w.shared = false;
			EXPECT_EQ(w, expected_wait(linux_, waiter, child))
				<< waiter->thread_pid->nr << " waits for " << child->thread_pid->nr;
			wait_end(waiter);
		}
	}
}

void expect_parents_equal_linux(kernel &linux_, const char *file, int line)
{
	testing::ScopedTrace trace(file, line, "the model's tree against Linux's");
	EXPECT_EQ(parents(linux_, lines_of_model(linux_)), parents(linux_, lines_of_linux(linux_)));
}

} // namespace sim
