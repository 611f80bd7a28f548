// SPDX-License-Identifier: BSD-2-Clause
// Requests that the library does not make, and what is common to all.
#include "provoke.hh"

#include "../vm/vm_stream.h"

using namespace vm;

namespace errors
{

namespace
{

template <class T> Provoke request(unsigned long number, T args)
{
	return [=]() mutable { return device()(number, &args); };
}

// All that have a struct, and a size with it.
const unsigned long kRequests[] = {
	BSDPROC_VERSION, BSDPROC_EXTEXIT,    BSDPROC_WAIT,       BSDPROC_GETTID,
	BSDPROC_JOIN,    BSDPROC_TRACEKILL,  BSDPROC_LIST,       BSDPROC_GETPROC,
	BSDPROC_GETPGRP, BSDPROC_GETSESSION, BSDPROC_GETUSER,    BSDPROC_REAPER,
	BSDPROC_KNOTE,   BSDPROC_HOLD,       BSDPROC_ACCT,       BSDPROC_STOPS,
	BSDPROC_CONT,    BSDPROC_VARSYM_SET, BSDPROC_VARSYM_GET, BSDPROC_VARSYM_LIST,
#ifdef KTRACE
	BSDPROC_KTRACE,  BSDPROC_KTRSET,
#endif
};

unsigned long resized(unsigned long number, size_t size)
{
	return _IOC(_IOC_DIR(number), _IOC_TYPE(number), _IOC_NR(number), size);
}

Provoke with_a_tail(unsigned long number)
{
	return [=] {
		std::vector<char> args(_IOC_SIZE(number) + 8);
		args.back() = 1;
		return device()(resized(number, args.size()), args.data());
	};
}

// Sizes that no version had.
Provoke cut_off(unsigned long number)
{
	return [=] {
		std::vector<char> args(_IOC_SIZE(number));
		return device()(resized(number, 4), args.data());
	};
}

void add_common(Rows &rows)
{
	const char *of = "bsdproc.4/";
	Row tail = {of, E2BIG, {with_a_tail(BSDPROC_REAPED)}};
	Row fault = {of, EFAULT, {}};
	Row inval = {of,
		     EINVAL,
		     {request(BSDPROC_VERSION, with(&bsdproc_version::reserved, 1)),
		      request(BSDPROC_GETTID, with(&bsdproc_gettid::reserved, 1))}};
	for (unsigned long number : kRequests) {
		tail.ways.push_back(with_a_tail(number));
		fault.ways.push_back([=] { return device()(number, nowhere()); });
		inval.ways.push_back(cut_off(number));
	}
	rows.push_back(tail);
	rows.push_back(fault);
	rows.push_back(inval);
	rows.push_back({of, ENOTTY, {[] {
				char args[64] = {};
				return device()(
					_IOC(_IOC_READ | _IOC_WRITE, BSDPROC_IOC_MAGIC, 0x7f, 64),
					args);
			}}});
}

void add_join(Rows &rows)
{
	const char *of = "bsdproc.4/BSDPROC_JOIN";
	const auto join = [](int times) {
		return [=] {
			const pid_t parent = getpid();
			return in_child([=] {
				struct bsdproc_join args = {parent, 0};
				long got = 0;
				for (int i = 0; i < times; i++)
					got = device()(BSDPROC_JOIN, &args);
				return got;
			});
		};
	};
	rows.push_back({of, EALREADY, {join(2)}});
	rows.push_back({of, ENOMEM, {join(1)}, Short::of_objects});
}

void add_model(Rows &rows)
{
	const auto bad = uintptr_t(nowhere());
	static int32_t pid;
	static struct bsdproc_klwp lwp;

	const auto list = [](uintptr_t pids) {
		return request(BSDPROC_LIST,
			       with(&bsdproc_list::pids, pids, &bsdproc_list::room, 1));
	};
	rows.push_back({"bsdproc.4/BSDPROC_LIST", EFAULT, {list(0), list(bad)}});
	rows.push_back(
		{"bsdproc.4/BSDPROC_LIST", ENOMEM, {list(uintptr_t(&pid))}, Short::in_the_call});

	const auto proc = [](pid_t nr, uintptr_t lwps) {
		return request(BSDPROC_GETPROC,
			       with(&bsdproc_getproc::pid, nr, &bsdproc_getproc::room, 1,
				    &bsdproc_getproc::lwps, lwps));
	};
	const char *of = "bsdproc.4/BSDPROC_GETPROC";
	rows.push_back({of, EFAULT, {proc(0, 0), proc(0, bad)}});
	rows.push_back({of, ESRCH, {proc(kNoPid, uintptr_t(&lwp)), proc(-1, uintptr_t(&lwp))}});
	rows.push_back({of, ENOMEM, {proc(0, uintptr_t(&lwp))}, Short::in_the_call});
}

void add_groups(Rows &rows)
{
	const auto group = [](pid_t pgid) {
		return request(BSDPROC_GETPGRP, with(&bsdproc_getpgrp::pgid, pgid));
	};
	rows.push_back({"bsdproc.4/BSDPROC_GETPGRP", ESRCH, {group(kNoPid), group(-1)}});

	const auto session = [](pid_t sid) {
		return request(BSDPROC_GETSESSION, with(&bsdproc_getsession::sid, sid));
	};
	const char *of = "bsdproc.4/BSDPROC_GETSESSION";
	rows.push_back({of, ESRCH, {session(kNoPid), session(-1)}});
	rows.push_back({of, ENOMEM, {session(0)}, Short::in_the_call});

	// A user namespace with one user has no other.
	rows.push_back({"bsdproc.4/BSDPROC_GETUSER", EINVAL, {[] {
				return in_child([] {
					become_nobody();
					own_namespaces();
					return request(BSDPROC_GETUSER,
						       with(&bsdproc_getuser::uid, 1))();
				});
			}}});
}

} // namespace

Rows rows_of_device()
{
	Rows rows;
	add_common(rows);
	add_join(rows);
	add_model(rows);
	add_groups(rows);
	return rows;
}

} // namespace errors
