// SPDX-License-Identifier: BSD-2-Clause
// Which errors a call may return. Where only one thing is wrong with it, that one.
#include "judge.hh"

#include "strings.hh"

#include <sys/resource.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <iterator>

namespace fuzz
{

namespace
{

// Also what cannot be written is not written when it is null.
Access answer(const Memory &memory, uint64_t at, size_t size)
{
	return at ? memory.writable(at, size) : Access::yes;
}

Outcomes of_extexit(const struct bsdproc_extexit &x, const Memory &memory)
{
	const int action = x.how & 0xffff, who = x.how & ~0xffff;
	if (x.reserved || (who != BSDPROC_EXTEXIT_PROC && who != BSDPROC_EXTEXIT_LWP) ||
	    (action != BSDPROC_EXTEXIT_SIMPLE && action != BSDPROC_EXTEXIT_SETINT))
		return {EINVAL};
	if (action == BSDPROC_EXTEXIT_SIMPLE)
		return {0};
	switch (memory.writable(x.addr, sizeof(int))) {
	case Access::no:
		return {EFAULT};
	case Access::yes:
		return {0};
	default:
		return {0, EFAULT};
	}
}

bool is_idtype(uint32_t idtype)
{
	switch (idtype) {
	case BSDPROC_P_ALL:
	case BSDPROC_P_PID:
	case BSDPROC_P_PGID:
	case BSDPROC_P_SID:
	case BSDPROC_P_UID:
	case BSDPROC_P_GID:
		return true;
	default:
		return false;
	}
}

Outcomes of_wait(const struct bsdproc_wait &w, const Memory &memory, const Self &self)
{
	const uint32_t which = BSDPROC_WALL | BSDPROC_WLINUXCLONE;
	const uint32_t options = which | BSDPROC_WNOHANG | BSDPROC_WNOWAIT | BSDPROC_WEXITED |
				 BSDPROC_WUNTRACED | BSDPROC_WCONTINUED | BSDPROC_WTRAPPED;
	if (!is_idtype(w.idtype) || w.reserved ||
	    (w.flags && (w.flags & ~BSDPROC_WAIT_HELD) != BSDPROC_WAIT_SIGNALS) ||
	    (w.options & ~options) || (w.options & which) == which)
		return {EINVAL};
	const bool by_user = w.idtype == BSDPROC_P_UID || w.idtype == BSDPROC_P_GID;
	if (w.idtype != BSDPROC_P_ALL && w.id > (by_user ? UINT_MAX : INT_MAX))
		return {ECHILD};
	if (w.idtype == BSDPROC_P_PID && (!w.id || w.id == static_cast<uint64_t>(self.pid)))
		return {ECHILD};

	Outcomes can{ECHILD};
	const Access to[] = {answer(memory, w.status, sizeof(int)),
			     answer(memory, w.rusage, sizeof(struct rusage)),
			     answer(memory, w.wrusage, 2 * sizeof(struct rusage)),
			     answer(memory, w.info, sizeof(siginfo_t))};
	if (std::find(std::begin(to), std::end(to), Access::no) == std::end(to))
		can.add(0);
	if (!std::all_of(std::begin(to), std::end(to), [](Access a) { return a == Access::yes; }))
		can.add(EFAULT);
	if (!(w.options & BSDPROC_WNOHANG))
		can.add(EINTR);
	return can;
}

// So many things of that size, at least one, if there is room for it.
Outcomes of_array(const Memory &memory, uint64_t at, size_t size, uint32_t room)
{
	if (!room)
		return {0};
	if (memory.writable(at, size) == Access::no)
		return {EFAULT};
	return {0, EFAULT};
}

Outcomes of_getproc(const struct bsdproc_getproc &g, const Memory &memory, const Self &self)
{
	if (g.pid < 0)
		return {ESRCH};
	Outcomes can = of_array(memory, g.lwps, sizeof(struct bsdproc_klwp), g.room);
	if (g.pid && g.pid != self.pid)
		can.add(ESRCH);
	return can;
}

Outcomes of_knote(const struct bsdproc_knote &n, const Self &self)
{
	if (n.fflags != BSDPROC_NOTE_EXIT || n.reserved)
		return {EINVAL};
	if (n.pid <= 0)
		return {ESRCH};
	if (n.pid == self.pid)
		return {0};
	return {0, ESRCH, EPERM};
}

Outcomes of_stops(const struct bsdproc_stops &s)
{
	if ((s.events & ~(BSDPROC_S_EXIT | BSDPROC_S_FORK)) || s.reserved)
		return {EINVAL};
	if (s.fd < 0)
		return {EBADF};
	return {0, EINVAL, EBADF, ESRCH, EPERM, EBUSY};
}

Outcomes of_cont(const struct bsdproc_cont &c)
{
	if (c.fd < 0)
		return {EBADF};
	if (c.pid <= 0)
		return {EINVAL, EBADF, ESRCH};
	return {0, EINVAL, EBADF, ESRCH};
}

// What comes of reading a name or a value; 0 of it can be read as one.
Outcomes of_string(const Memory &memory, uint64_t at, size_t limit)
{
	if (const std::string_view *known = known_string(at))
		return {known->size() < limit ? 0 : ENAMETOOLONG};
	if (memory.readable(at, 1) == Access::no)
		return {EFAULT};
	return {0, EFAULT, ENAMETOOLONG};
}

Outcomes of_varsym_set(const struct bsdproc_varsym_set &s, const Memory &memory)
{
	if (s.level < BSDPROC_VARSYM_PROC || s.level > BSDPROC_VARSYM_SYS || s.reserved)
		return {EINVAL};
	Outcomes can = of_string(memory, s.name, BSDPROC_MAXVARSYM_NAME);
	if (!can.has(0))
		return can;
	if (s.data) {
		const Outcomes data = of_string(memory, s.data, BSDPROC_MAXVARSYM_DATA);
		if (!data.has(0) && known_string(s.name))
			return data;
		can.add(data);
		can.add(E2BIG);
	} else {
		can.add(ENOENT);
	}
	if (s.level == BSDPROC_VARSYM_USER)
		can.add(ENOSPC);
	if (s.level == BSDPROC_VARSYM_SYS)
		can.add(EPERM);
	return can;
}

Outcomes of_varsym_get(const struct bsdproc_varsym_get &g, const Memory &memory)
{
	if ((g.mask & ~BSDPROC_VARSYM_ALL_MASK) || g.reserved)
		return {EINVAL};
	Outcomes can = of_string(memory, g.name, BSDPROC_MAXVARSYM_NAME);
	if (!can.has(0))
		return can;
	can.add(ENOENT);
	const size_t most = g.room < BSDPROC_MAXVARSYM_DATA ? g.room : BSDPROC_MAXVARSYM_DATA;
	if (most && memory.writable(g.data, most) != Access::yes)
		can.add(EFAULT);
	return can;
}

Outcomes of_varsym_list(const struct bsdproc_varsym_list &l, const Memory &memory)
{
	if (l.level < BSDPROC_VARSYM_PROC || l.level > BSDPROC_VARSYM_SYS)
		return {EINVAL};
	Outcomes can{0};
	if (l.room < BSDPROC_MAXVARSYM_NAME + BSDPROC_MAXVARSYM_DATA)
		can.add(EOVERFLOW);
	const size_t most = l.room < BSDPROC_MAXVARSYM_SET ? l.room : BSDPROC_MAXVARSYM_SET;
	if (most && memory.writable(l.buf, most) != Access::yes)
		can.add(EFAULT);
	return can;
}

Outcomes of_getpgrp(const struct bsdproc_getpgrp &g)
{
	if (g.reserved)
		return {EINVAL};
	if (g.pgid <= 0)
		return {g.pgid ? ESRCH : 0};
	return {0, ESRCH};
}

Outcomes of_getsession(const struct bsdproc_getsession &g)
{
	if (g.sid <= 0)
		return {g.sid ? ESRCH : 0};
	return {0, ESRCH};
}

Outcomes of_getuser(const struct bsdproc_getuser &g)
{
	if (g.reserved)
		return {EINVAL};
	if (g.uid == UINT_MAX)
		return {0};
	return {0, EINVAL}; // where the namespace has no such
}

Outcomes of_acct(const struct bsdproc_acct_open &a)
{
	if (!a.records || a.records > BSDPROC_STREAM_MAX || a.reserved)
		return {EINVAL};
	return {0, EPERM, ENOSPC};
}

Outcomes of_ktrset(const struct bsdproc_ktrset &s)
{
	if ((s.facs & ~(BSDPROC_KTRFAC_ALL | BSDPROC_KTRFAC_INHERIT)) || s.reserved)
		return {EINVAL};
	if (s.fd < 0)
		return {EBADF};
	return {0, EINVAL, EBADF, ESRCH, EPERM, EBUSY};
}

Outcomes of_struct(const Call &call, const Memory &memory, const Self &self)
{
	const Argument &in = call.in;
	switch (call.request) {
	case kVersion:
		return {in.version.reserved ? EINVAL : 0};
	case kGettid:
		return {in.gettid.reserved ? EINVAL : 0};
	case kExtexit:
		return of_extexit(in.extexit, memory);
	case kWait:
		return of_wait(in.wait, memory, self);
	case kList:
		return of_array(memory, in.list.pids, sizeof(int), in.list.room);
	case kGetproc:
		return of_getproc(in.getproc, memory, self);
	case kKnote:
		return of_knote(in.knote, self);
	case kJoin:
		return in.join.reserved ? Outcomes{EINVAL} : Outcomes{0, ESRCH, EALREADY};
	case kHold:
		return {in.hold.reserved ? EINVAL : 0};
	case kStops:
		return of_stops(in.stops);
	case kCont:
		return of_cont(in.cont);
	case kVarsymSet:
		return of_varsym_set(in.varsym_set, memory);
	case kVarsymGet:
		return of_varsym_get(in.varsym_get, memory);
	case kVarsymList:
		return of_varsym_list(in.varsym_list, memory);
	case kTracekill:
		return {in.tracekill.on > 1 || in.tracekill.reserved ? EINVAL : 0};
	case kGetpgrp:
		return of_getpgrp(in.getpgrp);
	case kGetsession:
		return of_getsession(in.getsession);
	case kGetuser:
		return of_getuser(in.getuser);
	case kReaper:
		return {in.reaper.reserved ? EINVAL : 0};
	case kAcct:
		return of_acct(in.acct);
	case kKtrace:
		return {!in.ktrace.records || in.ktrace.records > BSDPROC_STREAM_MAX ||
					in.ktrace.reserved
				? EINVAL
				: 0};
	case kKtrset:
		return of_ktrset(in.ktrset);
	default:
		return {0};
	}
}

Outcomes of_call(const Call &call, const Memory &memory, const Self &self)
{
	if (call.request == kRequests)
		return {ENOTTY};
	if (call.given < call.size)
		return {EINVAL};
	if (memory.readable(call.at, call.given) == Access::no) {
		Outcomes can{EFAULT};
		if (call.tail || memory.readable(call.at + call.size, 1) == Access::perhaps)
			can.add(E2BIG);
		return can;
	}
	if (memory.readable(call.at, call.given) == Access::perhaps)
		return kRequest[call.request].errors;
	if (call.tail)
		return {E2BIG};
	// Else what is there is not what we put there.
	if (memory.writable(call.at, call.size) == Access::no)
		return kRequest[call.request].answers() ? Outcomes{EFAULT}
							: kRequest[call.request].errors;
	return of_struct(call, memory, self);
}

} // namespace

Outcomes expected(const Call &call, const Memory &memory, const Self &self)
{
	Outcomes can = of_call(call, memory, self);
	if (self.moves_descriptors) {
		can.add(EBADF);
		can.add(ENOTTY);
	}
	return can;
}

} // namespace fuzz
