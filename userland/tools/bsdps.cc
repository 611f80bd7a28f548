// SPDX-License-Identifier: BSD-2-Clause
// bsdps: the model as a person wants to read it.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <pwd.h>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli.hh"
#include "groups.hh"
#include "json.hh"
#include "model.hh"
#include "show.hh"
#include "status.hh"
#include "table.hh"
#include "tree.hh"

using namespace bsdproc;

namespace
{

struct Options {
	std::vector<int> pids;
	std::vector<uid_t> uids;
	bool lwps = false;
	bool zombies = false;
	bool no_tree = false;
	bool usage = false;
	bool tracers = false;
	bool json = false;
	bool wide = false;
	bool groups = false;
	bool users = false;
};

uid_t user_number(const std::string &text)
{
	if (const passwd *entry = getpwnam(text.c_str()))
		return entry->pw_uid;
	uid_t uid;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
	if (error == std::errc() && end == text.data() + text.size())
		return uid;
	throw CLI::ValidationError("--user", "no such user: " + printable(text));
}

// For CLI11: what is wrong with it, or nothing.
std::string check_pid(const std::string &text)
{
	int pid;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
	bool good = error == std::errc() && end == text.data() + text.size() && pid > 0;
	return good ? "" : printable(text) + " is not a process number";
}

// One letter, as ps has it: what the process as a whole is up to.
std::string stat_letter(const Proc &proc)
{
	if (proc.k.stype)
		return "H";
	switch (proc.k.stat) {
	case BSDPROC_SIDL:
		return "I";
	case BSDPROC_SSTOP:
		return "T";
	case BSDPROC_SZOMB:
		return "Z";
	case BSDPROC_SACTIVE:
		for (const bsdproc_klwp &lwp : proc.lwps)
			if (lwp.stat == BSDPROC_LSRUN)
				return "R";
		return "S";
	}
	return "?";
}

Table make_table(const Options &options)
{
	using enum Table::Align;
	Table table;

	for (const char *title : {"PID", "PPID", "PGID", "SID"})
		table.column(title, Right);
	table.column("USER", Left);
	table.column("STAT", Left);
	table.column("LWPS", Right);
	table.column("FLAGS", Left);
	if (options.tracers)
		for (const char *title : {"TRACER", "OPPID"})
			table.column(title, Right);
	if (options.usage)
		for (const char *title : {"UTIME", "STIME", "CUTIME", "CSTIME", "MAXRSS", "MINFLT",
					  "MAJFLT", "INBLK", "OUBLK", "NVCSW", "NIVCSW"})
			table.column(title, Right);
	table.column("XSTAT", Left);
	table.column("COMMAND", Left);
	return table;
}

std::string xstat_text(const bsdproc_kproc &k)
{
	if (k.stat != BSDPROC_SZOMB && !k.stype)
		return "";
	return k.flags & BSDPROC_P_HIDDEN ? "?" : wait_status_text(k.xstat);
}

void add_proc(Table &table, const Options &options, const Proc &proc, const std::string &head)
{
	const bsdproc_kproc &k = proc.k;
	std::vector<std::string> cells = {
		std::to_string(k.pid),      std::to_string(k.ppid),
		std::to_string(k.pgid),     std::to_string(k.sid),
		user_name(k.euid),          stat_letter(proc),
		std::to_string(k.nthreads), flag_letters(proc_flags(), k.flags),
	};
	if (options.tracers)
		for (int pid : {k.tracer, k.oppid})
			cells.push_back(std::to_string(pid));
	if (options.usage) {
		for (uint64_t time : {k.ru.utime, k.ru.stime, k.cru.utime, k.cru.stime})
			cells.push_back(seconds(time));
		for (uint64_t count : {k.ru.maxrss, k.ru.minflt, k.ru.majflt, k.ru.inblock,
				       k.ru.oublock, k.ru.nvcsw, k.ru.nivcsw})
			cells.push_back(std::to_string(count));
	}
	cells.push_back(xstat_text(k));
	cells.push_back(head + printable({k.comm, strnlen(k.comm, sizeof(k.comm))}));
	table.row(std::move(cells));
}

void add_lwps(Table &table, const Options &options, const Proc &proc, const std::string &body)
{
	std::vector<bsdproc_klwp> lwps = proc.lwps;

	std::sort(lwps.begin(), lwps.end(), [](auto &a, auto &b) { return a.lwpid < b.lwpid; });
	for (const bsdproc_klwp &lwp : lwps) {
		std::vector<std::string> cells(8 + (options.tracers ? 2 : 0) +
					       (options.usage ? 11 : 0));
		cells[5] = lwp_stat_letter(lwp.stat);
		cells[7] = flag_letters(lwp_flags(), lwp.flags);
		cells.push_back("");
		cells.push_back(body + "{lwp " + std::to_string(lwp.lwpid) + ", tid " +
				std::to_string(lwp.tid) + "}");
		table.row(std::move(cells));
	}
}

void print_table(const Options &options, const std::map<int, Proc> &procs)
{
	Table table = make_table(options);
	std::map<int, int> parents;

	// Without a tree, nobody is anybody's child.
	for (auto &[pid, proc] : procs)
		parents[pid] = options.no_tree ? 0 : proc.k.ppid;
	for (const TreeLine &line :
	     tree_lines(parents, locale_is_utf8() ? utf8_branches : ascii_branches)) {
		const Proc &proc = procs.at(line.pid);
		add_proc(table, options, proc, line.head);
		if (options.lwps)
			add_lwps(table, options, proc, line.body);
	}
	fputs(table.text(options.wide ? 0 : terminal_width()).c_str(), stdout);
}

bool wanted(const Options &options, const Proc &proc)
{
	if (options.zombies && proc.k.stat != BSDPROC_SZOMB)
		return false;
	return options.uids.empty() || std::find(options.uids.begin(), options.uids.end(),
						 proc.k.euid) != options.uids.end();
}

int show(const CLI::App &app, const Options &options)
{
	Device device;
	std::map<int, Proc> procs;
	bool missing = false;

	if (options.pids.empty())
		procs = device.read().procs;
	for (int pid : options.pids) {
		if (auto proc = device.get(pid)) {
			procs.emplace(pid, std::move(*proc));
			continue;
		}
		complain(app, "no process " + std::to_string(pid));
		missing = true;
	}
	std::erase_if(procs, [&](auto &entry) { return !wanted(options, entry.second); });

	const size_t width = options.wide ? 0 : terminal_width();
	if (options.groups)
		return !show_groups(device, procs, options.json, width) || missing ? exit_no
										   : exit_ok;
	if (options.users)
		return !show_users(device, procs, options.json, width, user_name) || missing
			       ? exit_no
			       : exit_ok;
	if (options.json) {
		nlohmann::ordered_json list = nlohmann::ordered_json::array();
		for (auto &[pid, proc] : procs)
			list.push_back(to_json(proc));
		puts(dump(list).c_str());
	} else {
		print_table(options, procs);
	}
	return missing || procs.empty() ? exit_no : exit_ok;
}

// "x is exiting; t is traced; ...", in lines that fit a terminal.
std::string flag_legend(const char *title, std::span<const Flag> flags)
{
	std::string text, line = title;

	for (const Flag &flag : flags) {
		std::string entry = std::string(" ") + flag.letter + " " + flag.meaning;
		if (line.size() + entry.size() > 76) {
			text += line + "\n";
			line = std::string(strlen(title), ' ');
		}
		line += entry + (&flag == &flags.back() ? "" : ";");
	}
	return text + line + "\n";
}

std::string legend()
{
	return "STAT   I being created; R an lwp runs; S asleep; T stopped; H held at its exit;\n"
	       "       Z zombie\n"
	       "LWPS   how many lwps have not exited\n" +
	       flag_legend("FLAGS ", proc_flags()) + flag_legend("       of an lwp:", lwp_flags()) +
	       "XSTAT  how a zombie, or one that is held, ended (\"exit 0\" too where you may not see it)\n"
	       "UTIME, STIME, CUTIME, CSTIME   seconds: its own, and of children waited for\n"
	       "MAXRSS KiB\n"
	       "TRACER who traces it by ptrace, OPPID its parent while that is another; else 0\n"
	       "JOBC   of a group: members whose parent is in another group of the session\n"
	       "STATE  of a group: o orphaned; + in the terminal's foreground\n"
	       "LEADER of a group's session, 0 when it has ended; TTY its terminal's device\n"
	       "In JSON, times are nanoseconds, and flags have names.\n"
	       "\n"
	       "Exit status: 0 processes were shown; 1 a process of -p does not exist, or\n"
	       "nothing matches; 2 wrong usage; 3 the module is not loaded, or another failure.\n";
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Show the processes of the bsdproc module's model.\n", "bsdps");
	Options options;
	std::vector<std::string> users;

	app.footer(legend());
	app.add_option("-p,--pid", options.pids, "Only this process (may be given several times)")
		->type_name("PID")
		->allow_extra_args(false)
		->check(CLI::Validator(check_pid, ""));
	app.add_option("-u,--user", users,
		       "Only processes of this effective user, a name or a number")
		->type_name("USER")
		->allow_extra_args(false);
	app.add_flag("-z,--zombies", options.zombies, "Only zombies");
	app.add_flag("-l,--lwps", options.lwps, "List the lwps of each process below it");
	auto *groups = app.add_flag("-g,--groups", options.groups,
				    "Show the process groups of the processes, not these");
	app.add_flag("--users", options.users, "Show how many processes their real users have")
		->excludes(groups);
	app.add_flag("-f,--usage", options.usage, "Add what the process has used");
	app.add_flag("-t,--tracers", options.tracers,
		     "Add who traces it, and whose child it then is");
	app.add_flag("--no-tree", options.no_tree, "A plain list by pid, not a tree");
	app.add_flag("-w,--wide", options.wide, "Do not cut lines to the terminal's width");
	app.add_flag("--json", options.json, "Print a JSON array of objects, with all fields");
	app.final_callback([&] {
		for (const std::string &user : users)
			options.uids.push_back(user_number(user));
	});
	return run_tool(app, argc, argv, [&] { return show(app, options); });
}
