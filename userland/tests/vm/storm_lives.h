// SPDX-License-Identifier: BSD-2-Clause
// What storm_all's processes are: ordinary ones with families, and those that interfere with
// others. Each ends by itself, after a bounded number of deeds; none waits for what may wait
// for it.
#ifndef STORM_LIVES_H
#define STORM_LIVES_H

#include "storm_all.h"

#include <sys/epoll.h>
#include <sys/ptrace.h>

#include <algorithm>
#include <thread>

namespace storm
{

inline std::string exec_target;

inline void live(Rng r, int depth);

// ---- ends ------------------------------------------------------------------

[[noreturn]] inline void sleep_for_ever()
{
	for (;;)
		syscall(SYS_pause);
}

// All its threads end alike, whoever is first; or one ends all.
[[noreturn]] inline void end_with_threads(Rng &r, int code)
{
	const int way = r.below(4);
	int flag = 0;
	for (int t = r.below(3); t >= 0; t--)
		std::thread([=, &flag] {
			if (way == 0)
				exit_thread_raw(code);
			if (way == 1)
				bsd_extexit(EXTEXIT_LWP | (t ? EXTEXIT_SIMPLE : EXTEXIT_SETINT),
					    code, &flag);
			if (way == 2 && t == 0)
				syscall(SYS_exit_group, code);
			if (way == 3 && t == 0)
				bsd_extexit(EXTEXIT_PROC | EXTEXIT_SIMPLE, code, nullptr);
			sleep_for_ever();
		}).detach();
	if (way == 0)
		exit_thread_raw(code);
	if (way == 1)
		bsd_extexit(EXTEXIT_LWP | EXTEXIT_SIMPLE, code, nullptr);
	sleep_for_ever();
}

[[noreturn]] inline void end(Rng &r)
{
	const int code = 1 + r.below(60), way = r.below(8),
		  signal = r.one_in(2) ? SIGKILL : SIGUSR2;
	static int flag;
	plan(way == 0 ? signal : code << 8);
	switch (way) {
	case 0:
		kill(static_cast<pid_t>(syscall(SYS_getpid)), signal);
		break;
	case 1:
		bsd_extexit(EXTEXIT_PROC | EXTEXIT_SIMPLE, code, nullptr);
		break;
	case 2:
		bsd_extexit(EXTEXIT_PROC | EXTEXIT_SETINT, code, &flag);
		break;
	case 3:
		bsd_extexit(EXTEXIT_LWP | EXTEXIT_SETINT, code, &flag);
		break;
	case 4:
		execl(exec_target.c_str(), "exec_target", "exit", std::to_string(code).c_str(),
		      nullptr);
		break;
	case 5:
	case 6:
		end_with_threads(r, code);
	}
	_exit(way == 7 ? code : 97);
}

// ---- those who interfere -----------------------------------------------------

inline bool anybody(const Kind &)
{
	return true;
}

inline void record_stop(const struct bsd_stop &stop)
{
	CHECK(stop.pid > 0 && stop.event == unsigned(S_EXIT), "stop of %d, event %#x", stop.pid,
	      stop.event);
	Life &life = life_of(stop.pid);
	CHECK(life.stops++ == 0, "%d has stopped twice", stop.pid);
	life.stopped = stop.status + 1;
}

// One more that has stopped, if there is one; else 0.
inline pid_t next_stop(int fd, bool wait)
{
	struct bsd_stop stop;
	struct pollfd p = {fd, POLLIN, 0};
	if (!wait && (poll(&p, 1, 0) != 1 || !(p.revents & POLLIN)))
		return 0;
	const ssize_t n = read(fd, &stop, sizeof(stop));
	CHECK(n == 0 || n == ssize_t(sizeof(stop)), "a holder read %zd", n);
	if (n <= 0)
		return 0;
	record_stop(stop);
	return stop.pid;
}

inline void let_go(int fd, pid_t pid)
{
	CHECK(bsd_hold_cont(fd, pid) == 0, "%d was held and cannot go on", pid);
}

// patient: a child of init's, for which nobody waits who may be held. It sees the last off.
inline void hold_others(Rng &r, bool patient)
{
	int fd = bsd_hold();
	CHECK(fd >= 0, "bsd_hold");
	std::vector<pid_t> held;
	for (int i = 0; i < 60; i++) {
		pid_t pid = pick(r, anybody);
		if (pid == getpid())
			pid = 0; // it would never see the last off
		const unsigned events = r.one_in(8) ? 0 : S_EXIT | (r.one_in(2) ? BSD_S_FORK : 0);
		if (pid > 0 && (events || std::find(held.begin(), held.end(), pid) == held.end()))
			CHECK(bsd_hold_stops(fd, pid, events) == 0 || errno == ESRCH ||
				      errno == EBUSY || errno == EPERM,
			      "asking for %d to stop", pid);
		if (const pid_t stopped = next_stop(fd, false))
			held.push_back(stopped);
		if (!held.empty() && r.one_in(3)) {
			std::swap(held[size_t(r.below(int(held.size())))], held.back());
			let_go(fd, held.back());
			held.pop_back();
		}
		if (r.one_in(50)) {
			close(fd);
			fd = bsd_hold();
			held.clear();
		}
		sched_yield();
	}
	if (!patient && r.one_in(2))
		return;
	for (const pid_t pid : held)
		let_go(fd, pid);
	while (patient) {
		const pid_t pid = next_stop(fd, true);
		if (pid == 0)
			return;
		let_go(fd, pid);
	}
}

inline void kill_others(Rng &r)
{
	for (int i = 0; i < 40; i++) {
		const pid_t pid = pick(r, [](const Kind &kind) { return kind.mortal; });
		if (pid > 0 && r.one_in(3))
			kill(pid, r.one_in(2) ? SIGKILL : SIGUSR1);
		sched_yield();
	}
}

// The stops of whom it traces; they wait until this one looks, or ends. Ends are still to be
// told to the parent, but of its own child.
class Tracer
{
public:
	explicit Tracer(Rng &r)
	{
		own_ = birth({true}, SIGCHLD, [child = Rng(r.next())](Slot &) mutable {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			end(child);
		});
	}
	void seize(pid_t pid) { ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK); }
	// False: nobody has anything to tell, or nobody is left.
	bool look(int flags)
	{
		int status = -1;
		arena->waiting++;
		const pid_t pid = waitpid(-1, &status, flags | __WALL);
		const bool ended = pid > 0 && !WIFSTOPPED(status);
		if (ended && pid == own_) {
			record_wait(pid, status);
			own_ = -1;
		}
		arena->waiting--;
		if (pid > 0 && !ended) {
			const int signal = WSTOPSIG(status);
			// An exec's is no signal of anybody's.
			const bool pass = !(status >> 16) && signal != SIGTRAP;
			ptrace(PTRACE_CONT, pid, 0, pass ? signal : 0);
		}
		return pid > 0;
	}
	bool has_child() const { return own_ > 0; }

private:
	pid_t own_;
};

inline void trace_others(Rng &r)
{
	if (r.one_in(2))
		CHECK(bsd_tracekill(1) == 0, "bsd_tracekill");
	Tracer tracer(r);
	for (int i = 0; i < 40; i++) {
		const pid_t pid = pick(r, [](const Kind &kind) { return kind.traceable; });
		if (pid > 0)
			tracer.seize(pid);
		while (tracer.look(WNOHANG))
			;
		sched_yield();
	}
	while (tracer.has_child() && tracer.look(0))
		;
}

// Notes of strangers, into descriptors that the round's maker has, too.
inline void take_notes(Rng &r)
{
	for (int i = 0; i < 60; i++) {
		const pid_t pid = pick(r, anybody);
		sched_yield();
		const int fd = pid > 0 ? bsd_knote(pid, NOTE_EXIT) : -1;
		CHECK(fd >= 0 || pid <= 0 || errno == ESRCH, "a note of %d", pid);
		if (fd < 0)
			continue;
		const int n = arena->notes++;
		if (n >= kNotes) {
			close(fd);
			return;
		}
		fcntl(fd, F_SETFL, O_NONBLOCK);
		arena->note[n].pid = pid;
		arena->note[n].fd = fd;
		struct epoll_event event = {};
		event.events = EPOLLIN | EPOLLET;
		event.data.u32 = static_cast<uint32_t>(n);
		CHECK(epoll_ctl(arena->epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
	}
}

inline void look_at(const Device &dev, pid_t pid)
{
	const Proc proc = get_proc(dev, pid);
	const struct bsdproc_kproc &k = proc.k;
	CHECK(proc.error == 0 || proc.error == ESRCH, "looking at %d: %d", pid, proc.error);
	if (proc.error)
		return;
	CHECK(k.pid == pid && k.stat >= BSDPROC_SACTIVE && k.stat <= BSDPROC_SZOMB &&
		      k.nthreads <= k.nlwps && k.nzombies <= k.nchildren && !k.reserved,
	      "%d: pid %d, stat %u, %u threads of %u", pid, k.pid, k.stat, k.nthreads, k.nlwps);
	CHECK(!k.oppid || (k.oppid == k.ppid && k.oppid != k.tracer), "%d: oppid %d", pid, k.oppid);
	CHECK(k.stat != BSDPROC_SZOMB || !k.vmsharers, "%d has ended and memory", pid);
	if (k.stat == BSDPROC_SZOMB && !(k.flags & BSDPROC_P_HIDDEN))
		life_of(pid).zombie = k.xstat + 1;
	struct bsdproc_getpgrp group = {};
	group.pgid = k.pgid;
	CHECK(dev(BSDPROC_GETPGRP, &group) == 0 ? group.members > 0 : errno == ESRCH, "group %d",
	      k.pgid);
	struct bsdproc_getsession session = {};
	session.sid = k.sid;
	CHECK(dev(BSDPROC_GETSESSION, &session) == 0 ? session.processes > 0 : errno == ESRCH,
	      "session %d", k.sid);
	struct bsdproc_getuser user = {};
	user.uid = k.ruid;
	CHECK(dev(BSDPROC_GETUSER, &user) == 0, "user %u", k.ruid);
}

inline void look_at_all()
{
	const Device dev;
	for (int i = 0; i < 6; i++) {
		int32_t pids[256];
		struct bsdproc_list list = {};
		list.pids = reinterpret_cast<uint64_t>(pids);
		list.room = 256;
		CHECK(dev(BSDPROC_LIST, &list) == 0 && list.count <= 256 && list.count > 0, "LIST");
		for (uint32_t p = 0; p < std::min(list.count, 256u); p++)
			look_at(dev, pids[p]);
		sched_yield();
	}
}

// ---- families ----------------------------------------------------------------

struct Peer {
	Slot *slot;
	int device;
	pid_t parent;
	bool sleeps;
	int code;
};

inline int peer(void *arg)
{
	const Peer &self = *static_cast<Peer *>(arg);
	struct bsdproc_join join = {};
	join.parent = self.parent;
	// Who is refused is killed.
	if (syscall(SYS_ioctl, self.device, BSDPROC_JOIN, &join) == 0) {
		self.slot->leader = self.parent;
		if (self.sleeps)
			sleep_for_ever();
	}
	plan(self.code << 8);
	syscall(SYS_exit_group, self.code);
	return 0;
}

// True: some of them end only with us.
inline bool lead_peers(Rng &r)
{
	bool sleepers = false;
	const int device = open(BSDPROC_DEVICE, O_RDWR | O_CLOEXEC);
	for (int i = r.below(3); i >= 0; i--) {
		// Never freed: the peer may read it at any time.
		auto *p = new Peer{nullptr, device, getpid(), r.one_in(2), 1 + r.below(60)};
		if (birth_in_memory({true}, CLONE_FILES, peer, p, &p->slot) > 0)
			sleepers |= p->sleeps;
	}
	return sleepers;
}

inline int short_life(void *arg)
{
	const int code = *static_cast<int *>(arg);
	plan(code << 8);
	syscall(SYS_exit_group, code);
	return 0;
}

inline int execs(void *arg)
{
	char code[16];
	snprintf(code, sizeof(code), "%d", *static_cast<int *>(arg));
	plan(*static_cast<int *>(arg) << 8);
	execl(exec_target.c_str(), "exec_target", "exit", code, nullptr);
	_exit(97);
}

// vfork, as well as clones that run beside their maker.
inline void share_memory(Rng &r)
{
	Slot *slot;
	auto *code = new int(1 + r.below(60));
	const bool vforked = r.one_in(2);
	birth_in_memory({true}, vforked ? CLONE_VFORK : 0,
			vforked && r.one_in(2) ? execs : short_life, code, &slot);
}

// A namespace in ours: its children go with its init, which may not have met them.
inline void enclose(Rng &r)
{
	Rng inner(r.next());
	birth({true}, CLONE_NEWPID | SIGCHLD, [&](Slot &self) {
		const int code = 1 + inner.below(60);
		life_of(self.pid).plan = (code << 8) + 1;
		inside = true;
		for (int i = 0; i < 3; i++) {
			Rng child(inner.next());
			birth({}, SIGCHLD, [&](Slot &) { live(child, 2); });
		}
		if (inner.one_in(2))
			meet_all(inner);
		_exit(code);
	});
}

// Its note, then its status, without a sleep in between.
inline void meet_by_note(bool bsd, pid_t pid)
{
	const int fd = bsd_knote(pid, NOTE_EXIT);
	struct bsd_note note = {};
	int status = -1;
	CHECK(fd >= 0, "a note of the child %d", pid);
	CHECK(read(fd, &note, sizeof(note)) == ssize_t(sizeof(note)) && note.ident == pid,
	      "the note of %d", pid);
	CHECK(meet(bsd, pid, &status, WNOHANG) == pid && status == note.data,
	      "%d: status %#x, noted %#llx", pid, static_cast<unsigned>(status), note.data);
	CHECK(read(fd, &note, sizeof(note)) == 0, "a second note of %d", pid);
	close(fd);
}

// The process's symbol, as it must be by now; "": it has none.
inline void check_symbol(const char *want)
{
	char got[MAXVARSYM_DATA] = "";
	const int length = bsd_varsym_get(VARSYM_PROC_MASK, "life", got, sizeof(got));
	CHECK(*want ? !strcmp(got, want) : length == -1 && errno == ENOENT,
	      "the symbol is %s, not %s", got, want);
}

// A user's, which others of the same change at any time.
inline void use_symbols(Rng &r)
{
	char got[MAXVARSYM_DATA];
	const std::string own = "u" + std::to_string(geteuid());
	if (r.one_in(3))
		CHECK(bsd_varsym_set(VARSYM_USER, "storm", nullptr) == 0 || errno == ENOENT,
		      "deleting");
	else
		CHECK(bsd_varsym_set(VARSYM_USER, "storm", own.c_str()) == 0, "setting");
	const int length = bsd_varsym_get(VARSYM_USER_MASK, "storm", got, sizeof(got));
	CHECK(length == -1 ? errno == ENOENT : own == got, "the symbol of %s is %s", own.c_str(),
	      length == -1 ? "" : got);
}

inline void change_oneself(Rng &r)
{
	if (r.one_in(5))
		setsid();
	else if (r.one_in(3))
		setpgid(0, 0);
	autoreaps = r.one_in(10);
	signal(SIGCHLD, autoreaps ? SIG_IGN : SIG_DFL);
	if (!autoreaps && r.one_in(5))
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (r.one_in(6))
		CHECK(bsd_tracekill(r.below(2)) == 0, "bsd_tracekill");
	const int undo = open("/dev/bsdproc_undo", O_WRONLY | O_CLOEXEC);
	if (undo >= 0) {
		CHECK(write(undo, "3", 1) == 1, "undo");
		close(undo);
	}
	if (r.one_in(8)) {
		const uid_t uid = 2000 + uid_t(r.below(3));
		setresuid(uid, uid, uid); // a second time it has no right to
	}
	if (r.one_in(2))
		use_symbols(r);
}

// Leaves met by threads of ours, while other threads of ours make such.
inline void meet_by_threads(Rng &r)
{
	std::vector<std::thread> threads;
	for (int t = 0; t < 3; t++)
		threads.emplace_back([t, own = Rng(r.next())]() mutable {
			const int code = 1 + own.below(60);
			if (t < 2)
				birth({}, SIGCHLD, [code](Slot &) {
					plan(code << 8);
					_exit(code);
				});
			meet_all(own);
		});
	for (auto &thread : threads)
		thread.join();
}

// An ordinary process.
inline void live(Rng r, int depth)
{
	static char symbol[32];
	bool sleepers = false;
	std::vector<pid_t> children;
	check_symbol(symbol);
	change_oneself(r);
	for (int i = depth < 3 ? r.below(5 - depth) : 0; i > 0; i--) {
		Kind kind;
		kind.mortal = r.one_in(2);
		kind.traceable = kind.mortal && r.one_in(2);
		const bool sibling = r.one_in(6) && !inside;
		if (r.one_in(2)) {
			snprintf(symbol, sizeof(symbol), "%d.%d", getpid(), i);
			CHECK(bsd_varsym_set(VARSYM_PROC, "life", symbol) == 0, "setting");
		} else if (*symbol && r.one_in(3)) {
			CHECK(bsd_varsym_set(VARSYM_PROC, "life", nullptr) == 0, "deleting");
			*symbol = 0;
		}
		if (sibling)
			kind.autoreaped = true; // perhaps, by whoever is its parent
		Rng child(r.next());
		const pid_t pid = birth(kind, sibling ? CLONE_PARENT | SIGCHLD : SIGCHLD,
					[&](Slot &) { live(child, depth + 1); });
		if (pid > 0 && !sibling)
			children.push_back(pid);
		if (r.one_in(5))
			share_memory(r);
		if (r.one_in(10) && geteuid() == 0 && !inside)
			enclose(r);
	}
	if (r.one_in(4) && !inside)
		sleepers = lead_peers(r);
	if (!autoreaps && !children.empty() && r.one_in(2))
		meet_by_note(prefers_bsd || r.one_in(2), children.front());
	if (!sleepers && r.one_in(3))
		meet_by_threads(r);
	else if (!sleepers && !r.one_in(4))
		meet_all(r);
	end(r);
}

} // namespace storm

#endif // STORM_LIVES_H
