// SPDX-License-Identifier: BSD-2-Clause
// The waits' whole table: what they say for each id, each set of options and a state that
// a child is in; and children in such states.
#ifndef VM_CELLS_H
#define VM_CELLS_H

#include "vm_wait.h"

#include <sys/ptrace.h>

#include <climits>
#include <functional>
#include <utility>
#include <vector>

namespace vm
{

// Real, effective and saved ids that no two of a child's are alike.
inline constexpr uid_t kReal = 4713, kEffective = 4711, kSaved = 4712;

// Where the child is: in our group and session, a user as we are; or nowhere near.
enum class Place { Home, Apart };

inline bool may_be_others()
{
	return geteuid() == 0;
}

inline void move_to(Place place)
{
	if (place == Place::Home)
		return;
	if (setsid() < 0)
		die("setsid");
	if (!may_be_others())
		return;
	if (setresgid(kReal, kEffective, kSaved) != 0 || setresuid(kReal, kEffective, kSaved) != 0)
		die("setresuid");
	prctl(PR_SET_DUMPABLE, 1);
}

inline uid_t real_user(Place place)
{
	return place == Place::Apart && may_be_others() ? kReal : getuid();
}

inline constexpr int kKinds = WEXITED | WUNTRACED | WCONTINUED | WTRAPPED;
inline constexpr int kClone = static_cast<int>(WLINUXCLONE);

// One of the calls, for one id.
struct Way {
	std::string name;
	bool met;    // the child is one that it waits for
	int implied; // kinds that need not be asked for; 0: one must be
	std::function<std::string(int options, const Want &, unsigned without)> call;
};

inline void add(std::vector<Way> &ways, const char *name, idtype_t idtype, id_t id, bool met)
{
	ways.push_back({std::string("wait6 ") + name, met, 0,
			[=](int options, const Want &want, unsigned without) {
				return try_wait6(idtype, id, options, want, without);
			}});
	ways.push_back({std::string("waitid ") + name, met, 0,
			[=](int options, const Want &want, unsigned without) {
				return try_waitid(idtype, id, options, want, without);
			}});
}

inline void add4(std::vector<Way> &ways, const char *name, pid_t pid, bool met)
{
	ways.push_back({std::string("wait4 ") + name, met, WEXITED | WTRAPPED,
			[=](int options, const Want &want, unsigned without) {
				return try_wait4(pid, options, want, without);
			}});
}

inline std::vector<Way> all_ways(pid_t child, Place place)
{
	const bool home = place == Place::Home, alike = home || !may_be_others();
	std::vector<Way> ways;
	add(ways, "P_ALL", P_ALL, 0, true);
	add(ways, "P_ALL with an id", P_ALL, 4711, true);
	add(ways, "P_PID child", P_PID, id_of(child), true);
	add(ways, "P_PID caller", P_PID, id_of(getpid()), false);
	add(ways, "P_PID 1", P_PID, 1, false);
	add(ways, "P_PID -1", P_PID, UINT_MAX, false);
	add(ways, "P_PID 0", P_PID, 0, home);
	add(ways, "P_PGID 0", P_PGID, 0, home);
	add(ways, "P_PGID caller's", P_PGID, id_of(getpgrp()), home);
	add(ways, "P_PGID child", P_PGID, id_of(child), !home);
	add(ways, "P_PGID -1", P_PGID, UINT_MAX, false);
	add(ways, "P_SID 0", P_SID, 0, home);
	add(ways, "P_SID caller's", P_SID, id_of(getsid(0)), home);
	add(ways, "P_SID child", P_SID, id_of(child), !home);
	add(ways, "P_SID -1", P_SID, UINT_MAX, false);
	add(ways, "P_UID caller's", P_UID, geteuid(), alike);
	add(ways, "P_UID effective", P_UID, kEffective, !alike);
	add(ways, "P_UID real", P_UID, kReal, false);
	add(ways, "P_UID saved", P_UID, kSaved, false);
	add(ways, "P_UID -1", P_UID, UINT_MAX, false);
	add(ways, "P_GID caller's", P_GID, getegid(), alike);
	add(ways, "P_GID effective", P_GID, kEffective, !alike);
	add(ways, "P_GID real", P_GID, kReal, false);
	add(ways, "P_GID -1", P_GID, UINT_MAX, false);
	add4(ways, "any", -1, true);
	add4(ways, "child", child, true);
	add4(ways, "caller", getpid(), false);
	add4(ways, "no such pid", INT_MAX, false);
	add4(ways, "0", 0, home);
	add4(ways, "-caller's group", -getpgrp(), home);
	add4(ways, "-child", -child, !home);
	add4(ways, "-no such group", -INT_MAX, false);
	add4(ways, "INT_MIN", INT_MIN, false);
	return ways;
}

// A state that a child can be in.
struct State {
	// What there is to be said of it, but for who it is.
	Want want;
	// A child, in that state when this returns; 0: there is none.
	std::function<pid_t(Place)> make;
	// Has one of which it was said be so again. None: what ends does so once.
	std::function<void(pid_t)> again = nullptr;
	// Before such a child is killed for good.
	std::function<void()> undo = nullptr;
	bool alive = true;  // may yet have something else to say
	bool clone = false; // does not send SIGCHLD
	bool ours = false;  // traced by the calling process
	int within = 0;     // the rule holds for calls that mean these kinds
};

// The rule, in so many words.
inline Want rule(const State &state, pid_t child, bool met, int kinds, bool clones)
{
	// Whom the caller traces it sees, whatever they send.
	if (!met || (!state.ours && state.clone != clones))
		return failed(ECHILD);
	if (kinds & WUNTRACED)
		kinds |= WTRAPPED;
	if (kinds & state.want.kind)
		return state.want.of(child);
	return state.alive ? nothing() : failed(ECHILD);
}

inline std::string name_of(int options)
{
	const std::pair<int, const char *> names[] = {
		{WEXITED, "WEXITED "},    {WUNTRACED, "WUNTRACED "}, {WCONTINUED, "WCONTINUED "},
		{WTRAPPED, "WTRAPPED "},  {WNOHANG, "WNOHANG "},     {WNOWAIT, "WNOWAIT "},
		{kClone, "WLINUXCLONE "},
	};
	std::string text;
	for (const auto &[bit, name] : names)
		if (options & bit)
			text += name;
	return text;
}

// A state, and every call upon a child in it.
class Table
{
public:
	Table(State state, Place place) : state_(std::move(state)), place_(place) { make(); }
	~Table() { drop(); }
	Table(const Table &) = delete;
	Table &operator=(const Table &) = delete;

	void all()
	{
		for (int more : {0, WNOHANG, WNOWAIT, WNOWAIT | WNOHANG})
			for (int clones : {0, kClone})
				for (int kinds = 0; kinds <= kKinds; kinds++)
					if ((kinds & ~kKinds) == 0)
						each_way(kinds, more | clones);
		EXPECT_GT(calls_, 1000);
	}

private:
	void each_way(int kinds, int more)
	{
		for (size_t i = 0; i < ways_.size() && wrong_ < kEnough; i++)
			// What is implied is not said.
			if (!(kinds & ways_[i].implied))
				cell(i, kinds, more);
	}

	void cell(size_t i, int kinds, int more)
	{
		const Way &way = ways_[i];
		const int meant = kinds | way.implied;
		if ((meant & state_.within) != state_.within)
			return;
		Want want = rule(state_, child_, way.met && child_, meant, more & kClone);
		if (!meant)
			want = failed(EINVAL);
		want.uid = real_user(place_);
		// It would sleep.
		if (want.result == 0 && !(more & WNOHANG))
			return;
		const bool takes = want.result > 0 && !(more & WNOWAIT);
		// A new child takes milliseconds. The number is no divisor of how many ways meet
		// the child, so each of them has its turn.
		if (takes && !state_.again && turn_++ % 5)
			return;
		call(way, kinds | more, want);
		if (!takes)
			return;
		// Once.
		call(way, kinds | more | WNOHANG, state_.alive ? nothing() : failed(ECHILD));
		make();
	}

	void call(const Way &way, int options, const Want &want)
	{
		const std::string complaint =
			way.call(options, want, static_cast<unsigned>(calls_) % 8);
		calls_++;
		if (complaint.empty())
			return;
		wrong_++;
		ADD_FAILURE() << way.name << " " << name_of(options)
			      << (place_ == Place::Home ? "at home: " : "apart: ") << complaint;
	}

	void make()
	{
		if (child_ && state_.again) {
			state_.again(child_);
			return;
		}
		drop();
		child_ = state_.make(place_);
		ways_ = all_ways(child_ ? child_ : getppid(), place_);
	}

	void drop()
	{
		if (!child_)
			return;
		if (state_.undo)
			state_.undo();
		// One that has ended was reported, or what is wrong has been said.
		kill(child_, SIGKILL);
		waitpid(child_, nullptr, __WALL);
		child_ = 0;
	}

	static constexpr int kEnough = 10;
	State state_;
	Place place_;
	pid_t child_ = 0;
	std::vector<Way> ways_;
	int calls_ = 0, wrong_ = 0, turn_ = 0;
};

inline void every_cell(const State &state)
{
	for (Place place : {Place::Home, Place::Apart})
		Table(state, place).all();
}

// ---- children in the states ----------------------------------------------------

// A child in its place; it says so before it goes on.
template <class F> pid_t child_at(Place place, F body, unsigned long flags = SIGCHLD)
{
	Tokens there;
	pid_t pid = spawn_flags(flags, [&]() -> int {
		move_to(place);
		there.give();
		body();
		rest();
	});
	there.take();
	return pid;
}

inline pid_t running(Place place, unsigned long flags = SIGCHLD)
{
	return child_at(
		place, [] {}, flags);
}

// With a signal that ends it, or by itself.
inline pid_t ended(Place place, int sig, unsigned long flags = SIGCHLD)
{
	pid_t pid = running(place, flags);
	kill(pid, sig);
	native_peek(pid);
	return pid;
}

inline pid_t stopped_child(Place place, unsigned long flags = SIGCHLD)
{
	pid_t pid = running(place, flags);
	stop(pid);
	return pid;
}

inline void stop_again(pid_t pid)
{
	kill(pid, SIGCONT);
	stop(pid);
}

inline void continue_again(pid_t pid)
{
	stop(pid);
	kill(pid, SIGCONT);
}

// Stopped by a signal on its way to it, for its tracer: us.
inline void trap(pid_t pid)
{
	kill(pid, SIGUSR1);
	until_halted(pid);
}

inline void trap_again(pid_t pid)
{
	if (ptrace(PTRACE_CONT, pid, 0, 0) != 0)
		die("PTRACE_CONT");
	trap(pid);
}

inline pid_t traced(Place place, unsigned long flags = SIGCHLD)
{
	pid_t pid = running(place, flags);
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0)
		die("PTRACE_SEIZE");
	return pid;
}

inline pid_t trapped_child(Place place, unsigned long flags = SIGCHLD)
{
	pid_t pid = traced(place, flags);
	trap(pid);
	return pid;
}

} // namespace vm

#endif // VM_CELLS_H
