// SPDX-License-Identifier: BSD-2-Clause
// Whether what came back can be true: the answers, the bytes around them, and those that
// no answer is about.
#include "judge.hh"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "tally.hh"

namespace fuzz
{

namespace
{

#define MUST(what)                                                                      \
	do {                                                                            \
		if (!(what))                                                            \
			complain("%s: not so: %s", kRequest[call.request].name, #what); \
	} while (0)

// Bytes that only this call can have written, and nothing over them.
bool is_clear(const Call &call, const Memory &memory, uint64_t at, size_t size)
{
	return at && memory.writable(at, size) == Access::yes &&
	       (at + size <= call.at || call.at + call.size <= at);
}

template <class T> T load(uint64_t at)
{
	T t;
	memcpy(&t, reinterpret_cast<void *>(at), sizeof(t));
	return t;
}

bool all_zero(const void *p, size_t n)
{
	const auto *bytes = static_cast<const unsigned char *>(p);
	while (n && !bytes[n - 1])
		n--;
	return !n;
}

void judge_extexit(const Call &call, const struct bsdproc_extexit &out, const Memory &memory,
		   Self &self)
{
	const auto &in = call.in.extexit;
	MUST(out.verdict == BSDPROC_VERDICT_LWP || out.verdict == BSDPROC_VERDICT_PROC);
	MUST(out.how == in.how && out.status == in.status && out.addr == in.addr && !out.reserved);
	// Given once, and a process's only thread gets it.
	if (out.verdict == BSDPROC_VERDICT_PROC)
		MUST(!self.process_ends.exchange(true) || self.verdict_missed);
	else
		MUST(self.has_threads || self.process_ends);
	if (!(in.how & BSDPROC_EXTEXIT_SETINT) || !is_clear(call, memory, in.addr, sizeof(int)))
		return;
	const int stored = load<int>(in.addr);
	if (out.verdict == BSDPROC_VERDICT_PROC)
		MUST(stored == in.status);
}

// Of a child that ended by itself or was killed; all other ends are not ours. Stops are
// SIGSTOP's; for the tracer, of whatever signal comes.
bool can_be_status(const Call &call, const struct bsdproc_wait &out)
{
	const uint32_t options = call.in.wait.options;
	const auto is_end = [&](bool clone) {
		return out.xstat == SIGKILL || out.xstat == exit_code(out.pid, clone) << 8 ||
		       out.xstat == exit_code(1, clone) << 8; // of a pid namespace's first process
	};
	switch (out.what) {
	case BSDPROC_WEXITED:
		return options & BSDPROC_WALL ? is_end(false) || is_end(true)
					      : is_end(options & BSDPROC_WLINUXCLONE);
	case BSDPROC_WUNTRACED:
		return out.xstat == (SIGSTOP << 8 | 0x7f);
	case BSDPROC_WTRAPPED:
		return (out.xstat & 0xff) == 0x7f && out.xstat >> 8;
	case BSDPROC_WCONTINUED:
		return out.xstat == SIGCONT;
	default:
		return false;
	}
}

bool was_asked_for(uint32_t options, uint32_t what)
{
	const uint32_t kinds =
		BSDPROC_WEXITED | BSDPROC_WUNTRACED | BSDPROC_WCONTINUED | BSDPROC_WTRAPPED;
	// Who asks for stops has asked for those for the tracer as well.
	const uint32_t traps = options & BSDPROC_WUNTRACED ? BSDPROC_WTRAPPED : 0;
	return what & (options & kinds ? options | traps : uint32_t{BSDPROC_WEXITED});
}

void judge_rusage(const Call &call, const struct rusage &ru, bool somebody)
{
	if (!somebody) {
		MUST(all_zero(&ru, sizeof(ru)));
		return;
	}
	MUST(ru.ru_utime.tv_usec >= 0 && ru.ru_utime.tv_usec < 1000000);
	MUST(ru.ru_stime.tv_usec >= 0 && ru.ru_stime.tv_usec < 1000000);
	MUST(ru.ru_maxrss >= 0 && ru.ru_maxrss < 1 << 30);
	MUST(!ru.ru_ixrss && !ru.ru_idrss && !ru.ru_isrss && !ru.ru_nswap);
	MUST(!ru.ru_msgsnd && !ru.ru_msgrcv && !ru.ru_nsignals);
}

// Each of what a wait writes to, if it is written to at all, and nothing else there.
struct Written {
	uint64_t at;
	size_t size;
};

bool apart(const Written *all, const Written &one)
{
	return std::all_of(all, all + 4, [&](const Written &other) {
		return &other == &one || !other.at || other.at + other.size <= one.at ||
		       one.at + one.size <= other.at;
	});
}

void judge_wait(const Call &call, const struct bsdproc_wait &out, const Memory &memory,
		const Self &self)
{
	const auto &in = call.in.wait;
	MUST(out.idtype == in.idtype && out.options == in.options && out.id == in.id &&
	     out.status == in.status && out.rusage == in.rusage && out.wrusage == in.wrusage &&
	     out.info == in.info && !out.reserved);
	MUST(out.pid >= 0);
	if (out.pid) {
		MUST(in.idtype != BSDPROC_P_PID || static_cast<uint64_t>(out.pid) == in.id);
		MUST(was_asked_for(in.options, out.what));
		MUST(can_be_status(call, out));
		MUST(out.uid == getuid());
		MUST(!(out.flags & ~(BSDPROC_WAIT_SHARED | BSDPROC_WAIT_SIGNALS)));
		MUST(!(out.flags & BSDPROC_WAIT_SHARED) ||
		     (self.has_threads && out.what == BSDPROC_WEXITED &&
		      !(in.options & BSDPROC_WNOWAIT)));
		MUST((out.flags & BSDPROC_WAIT_SIGNALS) == (in.flags & BSDPROC_WAIT_SIGNALS));
	} else {
		MUST(in.options & BSDPROC_WNOHANG);
		MUST(!out.xstat && !out.uid && !out.flags && !out.what);
	}
	const bool held = (out.flags & BSDPROC_WAIT_SIGNALS) && !(in.flags & BSDPROC_WAIT_HELD);
	MUST(out.sigmask == (held ? 0 : in.sigmask)); // we block none
	const Written to[] = {{in.status, sizeof(int)},
			      {in.rusage, sizeof(struct rusage)},
			      {in.wrusage, 2 * sizeof(struct rusage)},
			      {in.info, sizeof(siginfo_t)}};
	const auto is_plain = [&](const Written &w) {
		return is_clear(call, memory, w.at, w.size) && apart(to, w);
	};
	const bool used = out.what == BSDPROC_WEXITED;
	if (is_plain(to[0]))
		MUST(load<int>(in.status) == out.xstat);
	if (is_plain(to[1]))
		judge_rusage(call, load<struct rusage>(in.rusage), used);
	if (is_plain(to[2])) {
		judge_rusage(call, load<struct rusage>(in.wrusage), used);
		judge_rusage(call, load<struct rusage>(in.wrusage + sizeof(struct rusage)), used);
	}
	if (is_plain(to[3])) {
		const auto info = load<siginfo_t>(in.info);
		MUST(all_zero(&info, sizeof(info)));
	}
}

void judge_list(const Call &call, const struct bsdproc_list &out, const Memory &memory,
		const Self &self)
{
	const auto &in = call.in.list;
	MUST(out.pids == in.pids && out.room == in.room);
	MUST(out.count > 0);
	if (out.count > in.room || !is_clear(call, memory, in.pids, out.count * sizeof(int)))
		return;
	bool found = false, positive = true;
	for (unsigned i = 0; i < out.count; i++) {
		const int pid = load<int>(in.pids + i * sizeof(int));
		found |= pid == self.pid;
		positive &= pid > 0;
	}
	MUST(found);
	MUST(positive);
}

void judge_kproc(const Call &call, const struct bsdproc_kproc &k)
{
	MUST(k.stat >= BSDPROC_SACTIVE && k.stat <= BSDPROC_SZOMB);
	MUST(!(k.flags & ~0x37fu));
	MUST(k.ppid >= 0 && k.pgid >= 0 && k.sid >= 0);
	MUST(k.nthreads <= k.nlwps && k.nlwps < 100000);
	MUST(k.nzombies <= k.nchildren && k.nchildren < 100000);
	MUST(k.sigparent >= 0 && k.sigparent <= 64);
	MUST(k.stat == BSDPROC_SZOMB || k.stype || !k.xstat);
	MUST(!k.stype || k.stype == BSDPROC_S_EXIT);
	MUST(k.tracer >= 0 && (!k.tracer || k.flags & BSDPROC_P_TRACED));
	MUST(!k.oppid || (k.oppid == k.ppid && k.oppid != k.tracer && k.flags & BSDPROC_P_TRACED));
	MUST(!k.reserved);
	MUST(k.leader >= 0 && k.npeers < 100000);
	MUST(k.holds < 1000);
	MUST(k.vmsharers < 100000 && (k.stat != BSDPROC_SZOMB || !k.vmsharers));
	MUST(!(k.flags & BSDPROC_P_VMLAST) || (k.flags & BSDPROC_P_WEXIT && !k.vmsharers));
	const size_t name = strnlen(k.comm, sizeof(k.comm));
	MUST(name < sizeof(k.comm) && all_zero(k.comm + name, sizeof(k.comm) - name));
	if (k.flags & BSDPROC_P_HIDDEN)
		MUST(!k.xstat && all_zero(&k.ru, sizeof(k.ru)) && all_zero(&k.cru, sizeof(k.cru)));
}

void judge_klwp(const Call &call, const struct bsdproc_klwp &l, int *last, const Me *me)
{
	MUST(l.lwpid > *last);
	*last = l.lwpid;
	MUST(l.tid > 0);
	MUST(l.stat >= BSDPROC_LSRUN && l.stat <= BSDPROC_LSZOMB);
	MUST(!(l.flags & ~0x3u));
	if (!me || l.tid != me->tid)
		return;
	MUST(l.stat == BSDPROC_LSRUN);
	MUST(!me->lwpid || l.lwpid == me->lwpid);
}

void judge_own_proc(const Call &call, const struct bsdproc_kproc &k, const Self &self, pid_t parent)
{
	MUST(k.stat == BSDPROC_SACTIVE && !(k.flags & BSDPROC_P_HIDDEN));
	MUST(k.vmsharers >= 1);
	MUST(k.pgid == getpgrp() && k.sid == getsid(0));
	MUST(k.ruid == getuid() && k.euid == geteuid() && k.rgid == getgid() &&
	     k.egid == getegid());
	MUST(parent != getppid() || k.ppid == parent);
	if (self.has_threads)
		return;
	MUST(k.nthreads == 1 && k.nlwps == 1);
	MUST(!!(k.flags & BSDPROC_P_WEXIT) == self.process_ends);
}

void judge_getproc(const Call &call, const struct bsdproc_getproc &out, const Memory &memory,
		   const Self &self, const Me &me, pid_t parent)
{
	const auto &in = call.in.getproc;
	const bool own = !in.pid || in.pid == self.pid;
	MUST(out.pid == in.pid && out.room == in.room && out.lwps == in.lwps);
	MUST(out.kproc.pid == (own ? self.pid : in.pid));
	judge_kproc(call, out.kproc);
	if (own)
		judge_own_proc(call, out.kproc, self, parent);
	const unsigned n = in.room < out.kproc.nlwps ? in.room : out.kproc.nlwps;
	if (!n || !is_clear(call, memory, in.lwps, n * sizeof(struct bsdproc_klwp)))
		return;
	int last = 0;
	for (unsigned i = 0; i < n; i++)
		judge_klwp(call,
			   load<struct bsdproc_klwp>(in.lwps + i * sizeof(struct bsdproc_klwp)),
			   &last, own ? &me : nullptr);
}

void judge_varsym_get(const Call &call, const struct bsdproc_varsym_get &out, const Memory &memory)
{
	const auto &in = call.in.varsym_get;
	MUST(out.mask == in.mask && out.room == in.room && out.name == in.name &&
	     out.data == in.data && !out.reserved);
	MUST(out.mask);
	MUST(out.length >= 1 && out.length <= BSDPROC_MAXVARSYM_DATA);
	const bool whole = out.length <= in.room;
	const size_t size = whole ? out.length : in.room ? 1 : 0;
	if (size && is_clear(call, memory, in.data, size))
		MUST(strnlen(reinterpret_cast<char *>(in.data), size) == size - 1);
}

void judge_varsym_list(const Call &call, const struct bsdproc_varsym_list &out,
		       const Memory &memory)
{
	const auto &in = call.in.varsym_list;
	MUST(out.level == in.level && out.room == in.room && out.buf == in.buf);
	MUST(out.length <= in.room && out.length < BSDPROC_MAXVARSYM_SET);
	MUST(out.marker == -1 || (out.length && out.marker > 0 && out.marker > in.marker));
	if (!out.length || !is_clear(call, memory, in.buf, out.length))
		return;
	// Pairs of strings.
	unsigned nuls = 0;
	for (unsigned i = 0; i < out.length; i++)
		nuls += !load<char>(in.buf + i);
	MUST(nuls % 2 == 0 && !load<char>(in.buf + out.length - 1));
}

void judge_getpgrp(const Call &call, const struct bsdproc_getpgrp &out)
{
	MUST(out.pgid == call.in.getpgrp.pgid && out.sid >= 0 && !out.reserved);
	MUST(out.members > 0 && out.members < 100000 && out.jobc < 100000);
	MUST(out.orphaned == !out.jobc);
	if (!out.pgid)
		MUST(out.sid == getsid(0));
}

void judge_getsession(const Call &call, const struct bsdproc_getsession &out)
{
	MUST(out.sid == call.in.getsession.sid && out.leader >= 0 && out.foreground >= 0);
	MUST(!out.sid || !out.leader || out.leader == out.sid);
	MUST(out.processes > 0 && out.processes < 100000);
	MUST(out.groups > 0 && out.groups <= out.processes);
	MUST(out.leader || (!out.tty && !out.foreground));
}

void judge_getuser(const Call &call, const struct bsdproc_getuser &out)
{
	MUST(out.uid == call.in.getuser.uid && !out.reserved);
	MUST(out.processes < 100000 && out.threads < 1000000);
	MUST(out.uid != ~0u || (out.processes > 0 && out.threads > 0));
}

void judge_reaper(const Call &call, const struct bsdproc_reaper &out)
{
	int owned = 0;
	MUST(prctl(PR_GET_CHILD_SUBREAPER, &owned) == 0);
	MUST(out.flags == (owned ? BSDPROC_REAPER_OWNED : out.flags & BSDPROC_REAPER_REALINIT));
	MUST(owned || getpid() == 1 ? out.refs < 100000 : out.refs == 0);
	MUST((out.pid_head == -1 || out.pid_head > 0) && out.pid_head != getpid());
	MUST(!out.reserved);
}

void judge_answer(const Call &call, const Argument &out, const Memory &memory, Self &self, Me &me,
		  pid_t parent)
{
	switch (call.request) {
	case kVersion:
		MUST(out.version.version == BSDPROC_ABI_VERSION && !out.version.reserved);
		break;
	case kGettid:
		MUST(out.gettid.lwpid > 0 && !out.gettid.reserved);
		MUST(!me.lwpid || out.gettid.lwpid == me.lwpid);
		MUST((me.tid == self.pid) == (out.gettid.lwpid == 1));
		me.lwpid = out.gettid.lwpid;
		break;
	case kExtexit:
		judge_extexit(call, out.extexit, memory, self);
		break;
	case kWait:
		judge_wait(call, out.wait, memory, self);
		break;
	case kList:
		judge_list(call, out.list, memory, self);
		break;
	case kGetpgrp:
		judge_getpgrp(call, out.getpgrp);
		break;
	case kGetsession:
		judge_getsession(call, out.getsession);
		break;
	case kGetuser:
		judge_getuser(call, out.getuser);
		break;
	case kReaper:
		judge_reaper(call, out.reaper);
		break;
	case kGetproc:
		judge_getproc(call, out.getproc, memory, self, me, parent);
		break;
	case kVarsymGet:
		judge_varsym_get(call, out.varsym_get, memory);
		break;
	case kVarsymList:
		judge_varsym_list(call, out.varsym_list, memory);
		break;
	}
}

// What the call may have written, with this outcome. The struct only with success; what it
// points to in part also when a part of that was out of reach.
void allow_answer(const Call &call, const Argument &out, Memory &memory, int error)
{
	if (error && error != EFAULT)
		return;
	const Argument &in = call.in;
	switch (call.request) {
	case kExtexit:
		if (!error && in.extexit.how & BSDPROC_EXTEXIT_SETINT &&
		    out.extexit.verdict == BSDPROC_VERDICT_PROC)
			memory.allow(in.extexit.addr, sizeof(int));
		break;
	case kWait:
		if (in.wait.status && !error)
			memory.allow(in.wait.status, sizeof(int));
		if (in.wait.rusage)
			memory.allow(in.wait.rusage, sizeof(struct rusage));
		if (in.wait.wrusage)
			memory.allow(in.wait.wrusage, 2 * sizeof(struct rusage));
		if (in.wait.info)
			memory.allow(in.wait.info, sizeof(siginfo_t));
		break;
	case kList:
		if (const size_t n = error ? kPage : out.list.count; n && in.list.room)
			memory.allow(in.list.pids,
				     (n < in.list.room ? n : in.list.room) * sizeof(int));
		break;
	case kGetproc: {
		const size_t n = error ? kPage : out.getproc.kproc.nlwps;
		memory.allow(in.getproc.lwps, (n < in.getproc.room ? n : in.getproc.room) *
						      sizeof(struct bsdproc_klwp));
		break;
	}
	case kVarsymGet: {
		const size_t n = error ? size_t(BSDPROC_MAXVARSYM_DATA) : out.varsym_get.length;
		if (error)
			memory.allow(in.varsym_get.data,
				     n < in.varsym_get.room ? n : in.varsym_get.room);
		else if (in.varsym_get.room)
			memory.allow(in.varsym_get.data, n <= in.varsym_get.room ? n : 1);
		break;
	}
	case kVarsymList: {
		const size_t n = error ? size_t(BSDPROC_MAXVARSYM_SET) : out.varsym_list.length;
		memory.allow(in.varsym_list.buf, n < in.varsym_list.room ? n : in.varsym_list.room);
		break;
	}
	}
	if (!error)
		memory.allow(call.at, call.size);
}

} // namespace

void judge(const Call &call, Memory &memory, Self &self, Me &me, int error, pid_t parent)
{
	const char *name =
		call.request < kRequests ? kRequest[call.request].name : "unknown request";
	if (!expected(call, memory, self).has(error))
		complain("%s %#x at %#lx: not to be expected: %s", name, call.cmd, call.at,
			 error ? strerrorname_np(error) : "success");

	// What other threads could change as well has no answer to be judged.
	if (call.request < kRequests && call.known(memory)) {
		Argument out = call.in;
		if (!error && call.size)
			memcpy(&out, reinterpret_cast<void *>(call.at), call.size);
		if (!error)
			judge_answer(call, out, memory, self, me, parent);
		allow_answer(call, out, memory, error);
	}
	if (call.request == kExtexit && !call.known(memory) && !error) {
		self.verdict_missed = true;
		self.process_ends = self.process_ends || !self.has_threads;
	}
	uintptr_t where = 0;
	if (!memory.untouched(&where)) {
		complain("%s %#x at %#lx wrote to %#lx, returning %s", name, call.cmd, call.at,
			 where, error ? strerrorname_np(error) : "success");
		memory.allow(0, ~size_t(0));
	}
	memory.renew();
}

} // namespace fuzz
