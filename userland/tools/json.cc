// SPDX-License-Identifier: BSD-2-Clause
#include "json.hh"

#include <cstring>

#include <nlohmann/json.hpp>

#include "ktr.hh"
#include "status.hh"

namespace bsdproc
{

using nlohmann::ordered_json;

static ordered_json usage(const bsdproc_rusage &ru)
{
	return {
		{"utime", ru.utime},     {"stime", ru.stime},   {"maxrss", ru.maxrss},
		{"minflt", ru.minflt},   {"majflt", ru.majflt}, {"inblock", ru.inblock},
		{"oublock", ru.oublock}, {"nvcsw", ru.nvcsw},   {"nivcsw", ru.nivcsw},
	};
}

ordered_json to_json(const Proc &proc)
{
	const bsdproc_kproc &k = proc.k;
	ordered_json lwps = ordered_json::array();

	for (const bsdproc_klwp &lwp : proc.lwps)
		lwps.push_back({
			{"lwpid", lwp.lwpid},
			{"tid", lwp.tid},
			{"stat", lwp_stat_name(lwp.stat)},
			{"flags", flag_names(lwp_flags(), lwp.flags)},
		});
	return {
		{"pid", k.pid},
		{"ppid", k.ppid},
		{"pgid", k.pgid},
		{"sid", k.sid},
		{"stat", proc_stat_name(k.stat)},
		{"flags", flag_names(proc_flags(), k.flags)},
		{"nthreads", k.nthreads},
		{"nlwps", k.nlwps},
		{"nchildren", k.nchildren},
		{"nzombies", k.nzombies},
		{"sigparent", k.sigparent},
		{"xstat", k.xstat},
		{"ruid", k.ruid},
		{"euid", k.euid},
		{"rgid", k.rgid},
		{"egid", k.egid},
		{"holds", k.holds},
		{"leader", k.leader},
		{"npeers", k.npeers},
		{"stype", k.stype},
		{"vmsharers", k.vmsharers},
		{"tracer", k.tracer},
		{"oppid", k.oppid},
		{"comm", std::string(k.comm, strnlen(k.comm, sizeof(k.comm)))},
		{"ru", usage(k.ru)},
		{"cru", usage(k.cru)},
		{"lwps", std::move(lwps)},
	};
}

ordered_json to_json(const Group &group)
{
	return {
		{"pgid", group.g.pgid},
		{"sid", group.g.sid},
		{"members", group.g.members},
		{"jobc", group.g.jobc},
		{"orphaned", group.g.orphaned != 0},
		{"leader", group.session.leader},
		{"processes", group.session.processes},
		{"groups", group.session.groups},
		{"tty", group.session.tty},
		{"foreground", group.session.foreground},
	};
}

ordered_json to_json(const bsdproc_getuser &user)
{
	return {{"uid", user.uid}, {"processes", user.processes}, {"threads", user.threads}};
}

ordered_json to_json(const bsdproc_acct &r)
{
	if (!r.pid)
		return {{"lost", r.lost}};
	return {
		{"lost", r.lost},
		{"pid", r.pid},
		{"ppid", r.ppid},
		{"uid", r.uid},
		{"gid", r.gid},
		{"tty", r.tty},
		{"xstat", r.xstat},
		{"flags", flag_names(acct_flags(), r.flags)},
		{"start", r.start},
		{"boot", r.boot},
		{"elapsed", r.elapsed},
		{"comm", std::string(r.comm, strnlen(r.comm, sizeof(r.comm)))},
		{"ru", usage(r.ru)},
	};
}

ordered_json to_json(const bsdproc_ktr &r)
{
	if (!r.type)
		return {{"lost", r.lost}};
	ordered_json json = {
		{"lost", r.lost},
		{"time", r.time},
		{"boot", r.boot},
		{"event", ktr_name(r.type)},
		{"pid", r.pid},
		{"tid", r.tid},
		{"comm", std::string(r.comm, strnlen(r.comm, sizeof(r.comm)))},
	};
	switch (r.type) {
	case BSDPROC_KTR_FORK:
		json["child"] = r.other;
		break;
	case BSDPROC_KTR_EXIT:
		json["xstat"] = r.xstat;
		break;
	case BSDPROC_KTR_WAIT:
		json["for"] = r.other;
		break;
	case BSDPROC_KTR_REAP:
		json["child"] = r.other;
		json["xstat"] = r.xstat;
		break;
	case BSDPROC_KTR_SIG:
		json["sender"] = r.other;
		[[fallthrough]];
	case BSDPROC_KTR_PSIG:
		json["signal"] = r.signo;
		json["code"] = r.code;
		json["action"] = ktr_action_name(r.action);
		break;
	}
	return json;
}

std::string dump(const ordered_json &json)
{
	return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

std::string dump_line(const ordered_json &json)
{
	return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace bsdproc
