// SPDX-License-Identifier: BSD-2-Clause
// bsd_wait and its kin, and BSDPROC_WAIT.
#include "provoke.hh"

using namespace vm;

namespace errors
{

namespace
{

constexpr auto kPage = "wait6.3/";

struct Answer {
	int *status = nullptr;
	struct rusage *ru = nullptr;
	struct __wrusage *wru = nullptr;
	siginfo_t *info = nullptr;
};

struct WaitCall {
	const char *name;
	bool has_options;
	bool has_kinds; // options have to say what is waited for
	std::function<long(int options, Answer)> call;
	std::vector<Answer> bad; // one pointer of the call's at a time
};

const Answer kBadStatus = {.status = nowhere<int>()};
const Answer kBadUsage = {.ru = nowhere<struct rusage>()};
const Answer kBadWrusage = {.wru = nowhere<struct __wrusage>()};
const Answer kBadInfo = {.info = nowhere<siginfo_t>()};

std::vector<WaitCall> wait_calls()
{
	return {
		{"bsd_wait",
		 false,
		 false,
		 [](int, Answer a) { return bsd_wait(a.status); },
		 {kBadStatus}},
		{"bsd_waitpid",
		 true,
		 false,
		 [](int options, Answer a) { return bsd_waitpid(-1, a.status, options); },
		 {kBadStatus}},
		{"bsd_wait3",
		 true,
		 false,
		 [](int options, Answer a) { return bsd_wait3(a.status, options, a.ru); },
		 {kBadStatus, kBadUsage}},
		{"bsd_wait4",
		 true,
		 false,
		 [](int options, Answer a) { return bsd_wait4(-1, a.status, options, a.ru); },
		 {kBadStatus, kBadUsage}},
		{"bsd_wait6",
		 true,
		 true,
		 [](int options, Answer a) {
			 return bsd_wait6(P_ALL, 0, a.status, options, a.wru, a.info);
		 },
		 {kBadStatus, kBadWrusage, kBadInfo}},
		{"bsd_waitid",
		 true,
		 true,
		 [](int options, Answer a) { return bsd_waitid(P_ALL, 0, a.info, options); },
		 {kBadInfo}},
	};
}

void add_call(Rows &rows, const WaitCall &w)
{
	const std::string of = std::string(kPage) + w.name;
	const auto call = w.call;
	const int kind = w.has_kinds ? WEXITED : 0;
	const Provoke any = [=] { return call(kind, {}); };

	rows.push_back({of, ECHILD, {any}});
	rows.push_back({of, EINTR, {[=] {
				sleeper();
				return interrupted(any);
			}}});
	rows.push_back({of, ENOMEM, {any}, Short::of_objects});
	Row fault = {of, EFAULT, {}};
	for (const Answer &bad : w.bad)
		fault.ways.push_back(
			[=] { return beside_zombie([&] { return call(kind, bad); }); });
	rows.push_back(fault);
	if (w.has_options) {
		Row inval = {of, EINVAL, {}};
		for (int options : {0x100, 0x100 | WNOHANG, __WNOTHREAD, __WALL})
			inval.ways.push_back([=] {
				return beside_zombie([&] { return call(kind | options, {}); });
			});
		if (w.has_kinds) {
			rows.push_back({of, ECHILD, {[=] {
						return beside_zombie(
							[&] { return call(WUNTRACED, {}); });
					}}});
			for (int options : {0, WNOHANG, WNOHANG | WNOWAIT})
				inval.ways.push_back([=] {
					return beside_zombie([&] { return call(options, {}); });
				});
		}
		rows.push_back(inval);
	}
}

Provoke with_idtype(idtype_t type, bool waitid)
{
	return [=] {
		return beside_zombie([=]() -> long {
			return waitid ? bsd_waitid(type, 0, nullptr, WEXITED)
				      : bsd_wait6(type, 0, nullptr, WEXITED, nullptr, nullptr);
		});
	};
}

// No child has such an id.
Row nobodys_ids()
{
	Row row = {std::string(kPage) + "bsd_wait6", ECHILD, {}};
	for (idtype_t type : {P_PID, P_PGID, P_SID, P_UID, P_GID})
		row.ways.push_back([=] {
			return beside_zombie([&] {
				return bsd_wait6(type, kNoPid, nullptr, WEXITED, nullptr, nullptr);
			});
		});
	return row;
}

// Whatever is wrong with the struct, the child is still there.
Provoke device_wait(struct bsdproc_wait w)
{
	return [=]() mutable { return beside_zombie([&] { return device()(BSDPROC_WAIT, &w); }); };
}

void add_device(Rows &rows)
{
	const char *of = "bsdproc.4/BSDPROC_WAIT";
	const uint32_t both = BSDPROC_WALL | BSDPROC_WLINUXCLONE;

	rows.push_back({of, ECHILD, {[] {
				struct bsdproc_wait w = {};
				return device()(BSDPROC_WAIT, &w);
			}}});
	rows.push_back({of,
			ENOMEM,
			{[] {
				struct bsdproc_wait w = {};
				return device()(BSDPROC_WAIT, &w);
			}},
			Short::of_objects});
	rows.push_back({of, EINTR, {[] {
				sleeper();
				struct bsdproc_wait w = {};
				return interrupted([&] { return device()(BSDPROC_WAIT, &w); });
			}}});
	const auto bad = uintptr_t(nowhere());
	rows.push_back({of,
			EFAULT,
			{device_wait(with(&bsdproc_wait::status, bad)),
			 device_wait(with(&bsdproc_wait::rusage, bad)),
			 device_wait(with(&bsdproc_wait::wrusage, bad)),
			 device_wait(with(&bsdproc_wait::info, bad))}});
	rows.push_back({of,
			EINVAL,
			{device_wait(with(&bsdproc_wait::idtype, 3)),
			 device_wait(with(&bsdproc_wait::options, 0x100)),
			 device_wait(with(&bsdproc_wait::options, both)),
			 device_wait(with(&bsdproc_wait::flags, 1)),
			 device_wait(with(&bsdproc_wait::reserved, 1))}});
}

} // namespace

Rows rows_of_waits()
{
	Rows rows;
	for (const WaitCall &w : wait_calls())
		add_call(rows, w);
	for (bool waitid : {false, true})
		rows.push_back(
			{std::string(kPage) + (waitid ? "bsd_waitid" : "bsd_wait6"),
			 EINVAL,
			 {with_idtype(idtype_t(3), waitid), with_idtype(idtype_t(100), waitid)}});
	rows.push_back(nobodys_ids());
	add_device(rows);
	return rows;
}

} // namespace errors
