// SPDX-License-Identifier: BSD-2-Clause
// All that there is to an exit at once. Each round has a pid namespace, in which processes of
// every kind are made, held, traced, killed and looked at. Whatever happens to one, all who
// are told of its end (parent, holder, note, accounting, who looks at the zombie) must be
// told the same, once.
//
// BSDPROC_STORM_SEED   what is printed, to have the same decisions again (not the same order)
// BSDPROC_UNDO_KO      bsdproc_undo.ko, which then takes part
#include "storm_lives.h"

using namespace storm;

namespace
{

constexpr int kInitsCode = 11;

// What came about in all rounds, to be seen by who runs the program by hand.
struct Totals {
	std::atomic<int> rounds, zapped, ended, inner, killed, met, notes, held, zombies, peers,
		lost;
};
Totals *totals;

// What a round's maker watches besides the notes.
enum Watched : uint32_t { kAll = kNotes, kFew, kTrace, kInit };

int acct_open(uint32_t records)
{
	const Device dev;
	struct bsdproc_acct_open args = {records, 0};
	const int fd = dev(BSDPROC_ACCT, &args);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

// This process and all that come of it. Exact: each birth and each end is told.
int trace_all([[maybe_unused]] bool exact)
{
#ifdef KTRACE
	const int fd = bsd_ktrace(exact ? 16384 : 64);
	const unsigned facs = exact ? BSD_KTRFAC_FORK | BSD_KTRFAC_EXIT : BSDPROC_KTRFAC_ALL;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	CHECK(bsd_ktrace_set(fd, 0, facs | KTRFAC_INHERIT) == 0, "init cannot be traced");
	return fd;
#else
	return -1;
#endif
}

// ---- inside ------------------------------------------------------------------

template <class F> void helper(Rng &r, bool mortal, F deeds)
{
	Rng own(r.next());
	birth({mortal}, SIGCHLD, [&](Slot &) {
		deeds(own);
		end(own);
	});
}

[[noreturn]] void init(Rng r, bool waits, bool exact, Tokens &open)
{
	plan(kInitsCode << 8);
	signal(SIGCHLD, SIG_DFL);
	arena->acct = acct_open(1024);
	arena->few = acct_open(4);
	arena->trace = trace_all(exact);
	open.give();
	// Shares the descriptors, for the notes to stay when it has ended.
	Rng noter(r.next());
	birth({}, CLONE_FILES | SIGCHLD, [&](Slot &) {
		take_notes(noter);
		end(noter);
	});
	helper(r, true, [](Rng &own) { hold_others(own, false); });
	helper(r, false, [](Rng &own) { hold_others(own, true); });
	for (int i = 0; i < 5; i++) {
		Rng child(r.next());
		birth({}, SIGCHLD, [&](Slot &) { live(child, 0); });
		if (i == 1) {
			helper(r, true, kill_others);
			helper(r, true, trace_others);
		}
		if (i == 3) {
			helper(r, true, trace_others);
			helper(r, false, [](Rng &) { look_at_all(); });
		}
	}
	if (waits) {
		Rng other(r.next());
		std::thread second([&] { meet_all(other); });
		meet_all(r);
		second.join();
	}
	if (r.one_in(2))
		bsd_extexit(EXTEXIT_PROC | EXTEXIT_SIMPLE, kInitsCode, nullptr);
	_exit(kInitsCode);
}

// ---- outside -----------------------------------------------------------------

struct Accounts {
	std::map<pid_t, int> status;
	uint64_t records = 0, lost = 0;

	void read(int fd)
	{
		struct bsdproc_acct some[32];
		for (ssize_t n; (n = ::read(fd, some, sizeof(some))) > 0;)
			for (size_t i = 0; i < size_t(n) / sizeof(some[0]); i++) {
				lost += some[i].lost;
				if (!some[i].pid)
					continue;
				records++;
				CHECK(status.emplace(some[i].pid, some[i].xstat).second,
				      "%d is accounted for twice", some[i].pid);
			}
	}
};

struct Trace {
	std::map<pid_t, int> status;
	uint64_t forks = 0, lost = 0;
	bool over = false;

	void read(int fd)
	{
		struct bsdproc_ktr some[32];
		ssize_t n;
		while ((n = ::read(fd, some, sizeof(some))) > 0)
			for (size_t i = 0; i < size_t(n) / sizeof(some[0]); i++)
				add(some[i]);
		over = n == 0;
	}

private:
	void add(const struct bsdproc_ktr &r)
	{
		lost += r.lost;
		forks += r.type == BSDPROC_KTR_FORK;
		CHECK(r.type != BSDPROC_KTR_STOP, "%d is traced no more", r.pid);
		if (r.type == BSDPROC_KTR_EXIT)
			CHECK(status.emplace(r.pid, r.xstat).second, "%d has two ends", r.pid);
	}
};

void read_note(Note &note)
{
	struct bsd_note got;
	const ssize_t n = read(note.fd, &got, sizeof(got));
	if (n <= 0)
		return;
	note.read++;
	CHECK(n == ssize_t(sizeof(got)) && got.ident == note.pid && got.fflags == NOTE_EXIT,
	      "a note of %d reads %d, %#x", note.pid, got.ident, got.fflags);
	Life &life = life_of(note.pid);
	const int status = static_cast<int>(got.data);
	CHECK(life.zombie == 0 || life.zombie == status + 1, "the note of %d: %#x, seen %#x",
	      note.pid, static_cast<unsigned>(status), static_cast<unsigned>(life.zombie - 1));
	life.zombie = status + 1;
}

void watch(int fd, uint32_t what, uint32_t how)
{
	struct epoll_event event = {};
	event.events = EPOLLIN | how;
	event.data.u32 = what;
	CHECK(epoll_ctl(arena->epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

// Until the note of init's end has come.
void read_until_its_end(Accounts &all, Accounts &few, Trace &trace)
{
	for (bool ended = false; !ended;) {
		struct epoll_event events[16];
		const int n = epoll_wait(arena->epoll, events, 16, -1);
		for (int i = 0; i < n; i++) {
			const uint32_t what = events[i].data.u32;
			if (what == kAll)
				all.read(arena->acct);
			else if (what == kFew)
				few.read(arena->few);
			else if (what == kTrace)
				trace.read(arena->trace);
			else if (what == kInit)
				ended = true;
			else
				read_note(arena->note[what]);
		}
	}
	all.read(arena->acct);
	few.read(arena->few);
	if (arena->trace >= 0)
		trace.read(arena->trace);
}

// What was told of ends is what was accounted for, and in an exact round all of it.
void judge_trace(const Trace &trace, const Accounts &all, bool exact)
{
	CHECK(trace.over, "somebody is traced still");
	for (auto [pid, status] : trace.status)
		CHECK(all.status.count(pid) && all.status.at(pid) == status,
		      "the trace has %d end with %#x", pid, static_cast<unsigned>(status));
	if (!exact)
		return;
	CHECK(trace.lost == 0 && trace.status.size() == all.status.size() &&
		      trace.forks == all.status.size() - 1,
	      "%d ended; the trace tells of %d births, %d ends, %d lost", int(all.records),
	      int(trace.forks), int(trace.status.size()), int(trace.lost));
}

void judge_notes(const Accounts &all)
{
	for (int i = 0; i < std::min<int>(arena->notes, kNotes); i++) {
		Note &note = arena->note[i];
		if (note.fd <= 0)
			continue; // its taker was killed at that moment
		read_note(note);
		CHECK(note.read == 1 && all.status.count(note.pid), "%d notes of %d", note.read,
		      note.pid);
		totals->notes++;
		char more[sizeof(struct bsd_note)];
		CHECK(read(note.fd, more, sizeof(more)) == 0, "a second note of %d", note.pid);
	}
}

// A status that somebody was told is the one that was accounted for.
void same(pid_t pid, const char *who, int told, int status)
{
	CHECK(told == 0 || told == status + 1, "%d: %s was told %#x, accounted for is %#x", pid,
	      who, static_cast<unsigned>(told - 1), static_cast<unsigned>(status));
}

void judge_status(pid_t pid, const Kind *kind, bool zapped, int status)
{
	const Life &life = life_of(pid);
	same(pid, "who waits", life.waited, status);
	same(pid, "a holder", life.stopped, status);
	same(pid, "an observer", life.zombie, status);
	totals->held += life.stopped > 0;
	totals->zombies += life.zombie > 0;
	if (!kind)
		return; // of an inner namespace
	const bool killed = (zapped && status == SIGKILL) ||
			    (kind->mortal && (status == SIGKILL || status == SIGUSR1));
	totals->killed += life.plan != status + 1;
	CHECK(killed || life.plan == status + 1, "%d ended with %#x, and meant to with %#x", pid,
	      static_cast<unsigned>(status), static_cast<unsigned>(life.plan - 1));
}

void judge(const Accounts &all, const Accounts &few, bool zapped)
{
	static const Kind usual;
	std::map<pid_t, const Kind *> kinds{{1, &usual}};
	int births = 1, known = 0, met = 0, autoreaped = 0;
	for (int i = 0; i < slots_taken(); i++) {
		const Slot &slot = arena->slot[i];
		const pid_t pid = slot.pid;
		births += pid > 0;
		if (pid <= 0 || slot.kind.inner)
			continue;
		kinds[pid] = &slot.kind;
		known++;
		autoreaped += slot.kind.autoreaped;
		totals->peers += slot.leader > 0;
		met += life_of(pid).waits;
		CHECK(all.status.count(pid), "%d is not accounted for", pid);
	}
	CHECK(all.lost == 0 && all.records == uint64_t(births),
	      "%d ended, accounted for %d, lost %d", births, int(all.records), int(all.lost));
	CHECK(few.records + few.lost == uint64_t(births), "%d ended, accounted for %d, lost %d",
	      births, int(few.records), int(few.lost));
	for (auto [pid, status] : all.status)
		judge_status(pid, kinds.count(pid) ? kinds[pid] : nullptr, zapped, status);
	for (auto [pid, status] : few.status)
		CHECK(all.status.count(pid) && all.status.at(pid) == status, "two records of %d",
		      pid);
	totals->rounds++;
	totals->zapped += zapped;
	totals->ended += births;
	totals->inner += births - 1 - known;
	totals->met += met;
	totals->lost += int(few.lost);
	CHECK(met <= known && (zapped || known - met <= arena->waiting + autoreaped),
	      "%d ended, %d were met, %d waits were cut off, %d needed none", known, met,
	      arena->waiting.load(), autoreaped);
}

void round_of(const Options &options, unsigned seed, int n)
{
	prefers_bsd = options.bsd;
	bsd_lwp_gettid(); // the library's descriptor is there before what is closed below
	Shared<Arena> memory;
	arena = &*memory;
	arena->epoll = epoll_create1(EPOLL_CLOEXEC);
	Accounts all, few;
	Trace trace;
	{
		Tokens open;
		Rng r(seed + unsigned(n) * 7919u);
		const bool waits = !r.one_in(4), exact = !r.one_in(3);
		const pid_t pid = spawn_flags(CLONE_NEWPID | CLONE_FILES | SIGCHLD, [&] {
			init(r, waits, exact, open);
			return 0;
		});
		const int note = bsd_knote(pid, NOTE_EXIT);
		open.take();
		watch(arena->acct, kAll, 0);
		if (n & 1) // else most of it is lost
			watch(arena->few, kFew, 0);
		if (arena->trace >= 0 && (n & 2))
			watch(arena->trace, kTrace, EPOLLET);
		watch(note, kInit, 0);
		read_until_its_end(all, few, trace);
		int status = -1;
		CHECK(bsd_waitpid(pid, &status, WNOHANG) == pid && status == kInitsCode << 8,
		      "init ended with %#x", static_cast<unsigned>(status));
		judge_notes(all);
		judge(all, few, !waits);
		if (arena->trace >= 0)
			judge_trace(trace, all, exact);
	}
	CHECK(wait4(-1, nullptr, WNOHANG | __WALL, nullptr) == -1 && errno == ECHILD,
	      "somebody was left");
	expect(arena->wrong == 0, "round %d, seed %u: wrong %d times", n, seed,
	       arena->wrong.load());
	close_range(static_cast<unsigned>(arena->epoll), ~0u, 0);
}

bool undo_module(bool load)
{
	const char *ko = getenv("BSDPROC_UNDO_KO");
	if (!ko)
		return false;
	if (!load)
		return syscall(SYS_delete_module, "bsdproc_undo", O_NONBLOCK) == 0;
	const int fd = open(ko, O_RDONLY | O_CLOEXEC);
	const bool loaded = fd >= 0 && syscall(SYS_finit_module, fd, "", 0) == 0;
	close(fd);
	return loaded;
}

} // namespace

int main(int argc, char **argv)
{
	const Options options = parse(argc, argv);
	const char *text = getenv("BSDPROC_STORM_SEED");
	const unsigned seed = text ? unsigned(strtoul(text, nullptr, 10))
				   : unsigned(getpid()) * 31u + unsigned(time(nullptr));
	fprintf(stderr, "BSDPROC_STORM_SEED=%u\n", seed);
	const Shared<Totals> shared;
	totals = &*shared;
	exec_target = sibling("exec_target");
	const bool undo = undo_module(true);
	while (undo && access("/dev/bsdproc_undo", W_OK) != 0)
		sched_yield();
	const int status = run(options, [&](int n) { round_of(options, seed, n); });
	for (uid_t uid : {0u, 2000u, 2001u, 2002u}) {
		if (seteuid(uid) != 0)
			die("seteuid");
		bsd_varsym_set(VARSYM_USER, "storm", nullptr);
		if (seteuid(0) != 0)
			die("seteuid");
	}
	if (undo) {
		expect(slurp("/dev/bsdproc_undo") == "0\n", "what was done is not undone");
		expect(undo_module(false), "bsdproc_undo is not to be unloaded");
	}
	fprintf(stderr,
		"%d rounds, %d zapped: %d ended (%d in inner namespaces), %d of them killed, %d met, "
		"%d held, %d noted or seen as zombies by %d notes, %d peers, %d records lost\n",
		totals->rounds.load(), totals->zapped.load(), totals->ended.load(),
		totals->inner.load(), totals->killed.load(), totals->met.load(),
		totals->held.load(), totals->zombies.load(), totals->notes.load(),
		totals->peers.load(), totals->lost.load());
	return status || wrong ? 1 : 0;
}
