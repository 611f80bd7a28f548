// SPDX-License-Identifier: BSD-2-Clause
#include "groups.hh"

#include <cstdio>
#include <set>
#include <sys/sysmacros.h>

#include <nlohmann/json.hpp>

#include "json.hh"
#include "table.hh"

namespace bsdproc
{

namespace
{

// As Linux encodes it for user space, not as glibc does.
std::string tty_text(uint32_t device)
{
	if (!device)
		return "-";
	return std::to_string(device >> 8 & 0xfff) + ":" +
	       std::to_string((device & 0xff) | (device >> 12 & 0xfff00));
}

std::string state_of(const Group &group)
{
	std::string state;

	if (group.g.orphaned)
		state += 'o';
	if (group.session.foreground && group.session.foreground == group.g.pgid)
		state += '+';
	return state.empty() ? "-" : state;
}

void add_group(Table &table, const Group &group)
{
	table.row({
		std::to_string(group.g.pgid),
		std::to_string(group.g.sid),
		std::to_string(group.g.members),
		std::to_string(group.g.jobc),
		state_of(group),
		std::to_string(group.session.leader),
		tty_text(group.session.tty),
	});
}

void print(const nlohmann::ordered_json &list, const Table &table, bool json, size_t width)
{
	if (json)
		puts(dump(list).c_str());
	else
		fputs(table.text(width).c_str(), stdout);
}

} // namespace

size_t show_groups(Device &device, const std::map<int, Proc> &procs, bool json, size_t width)
{
	using enum Table::Align;
	nlohmann::ordered_json list = nlohmann::ordered_json::array();
	std::set<int> pgids;
	Table table;

	for (const char *title : {"PGID", "SID", "PROCS", "JOBC"})
		table.column(title, Right);
	table.column("STATE", Left);
	table.column("LEADER", Right);
	table.column("TTY", Left);
	for (auto &[pid, proc] : procs)
		if (proc.k.pgid)
			pgids.insert(proc.k.pgid);
	for (int pgid : pgids)
		if (auto group = device.group(pgid)) {
			add_group(table, *group);
			list.push_back(to_json(*group));
		}
	print(list, table, json, width);
	return list.size();
}

size_t show_users(Device &device, const std::map<int, Proc> &procs, bool json, size_t width,
		  const std::function<std::string(uint32_t)> &name)
{
	using enum Table::Align;
	nlohmann::ordered_json list = nlohmann::ordered_json::array();
	std::set<uint32_t> uids;
	Table table;

	table.column("USER", Left);
	for (const char *title : {"UID", "PROCS", "THREADS"})
		table.column(title, Right);
	for (auto &[pid, proc] : procs)
		uids.insert(proc.k.ruid);
	for (uint32_t uid : uids) {
		const bsdproc_getuser user = device.user(uid);
		table.row({name(uid), std::to_string(uid), std::to_string(user.processes),
			   std::to_string(user.threads)});
		list.push_back(to_json(user));
	}
	print(list, table, json, width);
	return list.size();
}

} // namespace bsdproc
