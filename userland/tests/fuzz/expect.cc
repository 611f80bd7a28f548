// SPDX-License-Identifier: BSD-2-Clause
// Which errors a call may return. Where only one thing is wrong with it, that one.
#include "judge.hh"

#include <sys/resource.h>

#include <climits>

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

Outcomes of_wait(const struct bsdproc_wait &w, const Memory &memory, const Self &self)
{
	if (w.idtype > BSDPROC_P_PGID || w.flags ||
	    (w.options & ~(BSDPROC_WNOHANG | BSDPROC_WLINUXCLONE)))
		return {EINVAL};
	if (w.idtype != BSDPROC_P_ALL && w.id > INT_MAX)
		return {ECHILD};
	if (w.idtype == BSDPROC_P_PID && (!w.id || w.id == static_cast<uint64_t>(self.pid)))
		return {ECHILD};

	Outcomes can{ECHILD};
	const Access status = answer(memory, w.status, sizeof(int));
	const Access rusage = answer(memory, w.rusage, sizeof(struct rusage));
	if (status != Access::no && rusage != Access::no)
		can.add(0);
	if (status != Access::yes || rusage != Access::yes)
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

Outcomes of_acct(const struct bsdproc_acct_open &a)
{
	if (!a.records || a.records > BSDPROC_STREAM_MAX || a.reserved)
		return {EINVAL};
	return {0, EPERM};
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
	case kAcct:
		return of_acct(in.acct);
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
