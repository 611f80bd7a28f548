// SPDX-License-Identifier: BSD-2-Clause
// storm_all's memory, seen by all processes of a round: who was made, and what each observer
// was told of it.
#ifndef STORM_ALL_H
#define STORM_ALL_H

#include "storm.h"
#include "vm_device.h"

namespace storm
{

// Its numbers are all that a process decides by, and it gives its children theirs.
class Rng
{
public:
	explicit Rng(uint64_t seed) : x_(seed * 0x9e3779b97f4a7c15u | 1) { next(); }
	uint64_t next()
	{
		x_ ^= x_ << 13;
		x_ ^= x_ >> 7;
		x_ ^= x_ << 17;
		return x_ * 0x2545f4914f6cdd1du >> 16;
	}
	int below(int n) { return static_cast<int>(next() % static_cast<uint64_t>(n)); }
	bool one_in(int n) { return below(n) == 0; }

private:
	uint64_t x_;
};

constexpr int kSlots = 90, kPids = 4096, kNotes = 64;

// What can be said of a process when it is made.
struct Kind {
	bool mortal = false; // others may kill it, or take it along
	bool traceable = false;
	bool autoreaped = false; // by the parent it is born to
	bool inner = false;      // in a namespace inside the round's, by whose numbers it goes
};

// Linux writes pid before the maker can be killed, so this counts births.
struct Slot {
	std::atomic<pid_t> pid;
	std::atomic<pid_t> leader; // of the peer that has joined
	Kind kind;
};

// By a process's number in the round's namespace. Statuses are one more than they are; 0 is
// unknown.
struct Life {
	std::atomic<int> plan; // its own intention
	std::atomic<int> waits, waited;
	std::atomic<int> stops, stopped; // read by a holder
	std::atomic<int> zombie;         // read by an observer
};

struct Note {
	std::atomic<int> fd;
	pid_t pid;
	int read;
};

struct Arena {
	std::atomic<int> slots, notes, wrong;
	std::atomic<int> waiting;   // waits begun and not recorded: by whoever was killed in one
	std::atomic<int> acct, few; // descriptors
	std::atomic<int> trace;     // and of KTRACE; -1: the module has none
	int epoll;
	Slot slot[kSlots];
	Life life[kPids];
	Note note[kNotes];
};

inline Arena *arena;
inline bool prefers_bsd;
// Of this process.
inline bool inside; // a namespace of its own
inline bool doomed; // a tracer may take it and what it makes along
inline bool autoreaps;

#define CHECK(right, ...)                           \
	do {                                        \
		if (!(right)) {                     \
			expect(false, __VA_ARGS__); \
			arena->wrong++;             \
		}                                   \
	} while (0)

inline Life &life_of(pid_t pid)
{
	if (pid <= 0 || pid >= kPids)
		die("a number out of range");
	return arena->life[pid];
}

inline void plan(int status)
{
	if (!inside)
		life_of(static_cast<pid_t>(syscall(SYS_getpid))).plan = status + 1;
}

inline Slot *take_slot(Kind kind)
{
	if (arena->slots >= kSlots)
		return nullptr;
	const int i = arena->slots++;
	if (i >= kSlots)
		return nullptr;
	kind.inner |= inside;
	kind.mortal |= doomed;
	kind.autoreaped |= autoreaps;
	arena->slot[i].kind = kind;
	return &arena->slot[i];
}

inline int slots_taken()
{
	return std::min<int>(arena->slots, kSlots);
}

// Somebody of the round, who may have ended; 0: nobody.
template <class F> pid_t pick(Rng &r, F suitable)
{
	if (slots_taken() == 0)
		return 0;
	const Slot &slot = arena->slot[r.below(slots_taken())];
	const pid_t pid = slot.pid;
	return pid > 0 && !slot.kind.inner && suitable(slot.kind) ? pid : 0;
}

// fork(), counted. -1: not made. The body is told its slot.
template <class F> pid_t birth(Kind kind, unsigned long flags, F body)
{
	Slot *slot = take_slot(kind);
	if (!slot)
		return -1;
	const long pid = syscall(SYS_clone, flags | CLONE_PARENT_SETTID, 0, &slot->pid, 0, 0);
	if (pid == 0) {
		doomed |= kind.traceable;
		body(*slot);
		_exit(98);
	}
	return static_cast<pid_t>(pid);
}

// Runs in the maker's memory, on a stack of its own, which is never unmapped.
inline pid_t birth_in_memory(Kind kind, int flags, int (*body)(void *), void *arg, Slot **out)
{
	constexpr size_t size = 32 << 10;
	Slot *slot = take_slot(kind);
	if (!slot)
		return -1;
	*out = slot;
	void *stack = mmap(nullptr, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		die("mmap");
	return clone(body, static_cast<char *>(stack) + size,
		     flags | CLONE_VM | CLONE_PARENT_SETTID | SIGCHLD, arg, &slot->pid);
}

// A leader is a zombie only when its peers have left, which they do in their exits.
inline void check_peers_of(pid_t leader)
{
	for (int i = 0; i < slots_taken(); i++) {
		if (arena->slot[i].leader != leader)
			continue;
		const Device dev;
		const Proc proc = get_proc(dev, arena->slot[i].pid);
		CHECK(proc.error == ESRCH || proc.k.flags & BSDPROC_P_WEXIT,
		      "%d is reaped, and its peer %d lives on", leader, arena->slot[i].pid.load());
	}
}

inline void record_wait(pid_t pid, int status)
{
	if (inside)
		return;
	Life &life = life_of(pid);
	CHECK(life.waits++ == 0, "%d was met twice", pid);
	life.waited = status + 1;
	check_peers_of(pid);
}

// A child that has ended, or an error as wait4() has it.
inline pid_t meet(bool bsd, pid_t id, int *status, int flags = 0)
{
	pid_t pid;
	arena->waiting += !inside;
	do
		pid = bsd ? bsd_wait4(id, status, flags, nullptr)
			  : wait4(id, status, flags | __WALL, nullptr);
	while (pid < 0 && errno == EINTR);
	const int error = errno;
	CHECK(pid >= 0 || error == ECHILD, "waiting for %d by %s", id, bsd ? "BSD" : "Linux");
	if (pid > 0)
		record_wait(pid, *status);
	arena->waiting -= !inside;
	errno = error;
	return pid;
}

// All children, until there are none.
inline void meet_all(Rng &r)
{
	int status;
	for (;;) {
		const bool bsd = prefers_bsd || r.one_in(2);
		if (meet(bsd, -1, &status) < 0 && (!bsd || meet(false, -1, &status) < 0))
			return;
	}
}

} // namespace storm

#endif // STORM_ALL_H
