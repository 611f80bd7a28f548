// SPDX-License-Identifier: BSD-2-Clause
// bsdhold: every exit of a tree of processes is held, shown and let go.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <bsdproc.h>

#include "cli.hh"
#include "json.hh"
#include "model.hh"
#include "show.hh"
#include "start.hh"
#include "status.hh"

using namespace bsdproc;

namespace
{

struct Options {
	std::vector<int> pids;
	std::vector<std::string> program;
	std::string command;
	bool only = false;
	bool json = false;
};

[[noreturn]] void fail(const std::string &what)
{
	if (errno == ENOSYS)
		throw Failure("the bsdproc module is not loaded (no " BSDPROC_DEVICE ")");
	throw Failure(what + ": " + strerror(errno));
}

void show(const Options &options, const bsd_stop &stop, const std::optional<Proc> &proc)
{
	if (options.json) {
		nlohmann::ordered_json json = {{"pid", stop.pid}, {"status", stop.status}};
		if (proc)
			json["proc"] = to_json(*proc);
		puts(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
			     .c_str());
	} else if (proc) {
		const bsdproc_kproc &k = proc->k;
		printf("%7d  %-16s  %-24s  user %.3f s, system %.3f s, %llu KiB\n", stop.pid,
		       printable({k.comm, strnlen(k.comm, sizeof(k.comm))}).c_str(),
		       wait_status_text(stop.status).c_str(), double(k.ru.utime) / 1e9,
		       double(k.ru.stime) / 1e9, static_cast<unsigned long long>(k.ru.maxrss));
	} else {
		printf("%7d  %-16s  %s\n", stop.pid, "?", wait_status_text(stop.status).c_str());
	}
	fflush(stdout);
}

// The user's command, for one that is held.
void run_command(const Options &options, int pid)
{
	if (options.command.empty())
		return;
	setenv("BSDHOLD_PID", std::to_string(pid).c_str(), 1);
	if (system(options.command.c_str()) == -1)
		fail("cannot run the command");
}

void ask(int hold, int pid, unsigned events)
{
	if (bsd_hold_stops(hold, pid, events) == 0)
		return;
	switch (errno) {
	case EBUSY:
		throw Failure("process " + std::to_string(pid) + " is held by another program");
	case ESRCH:
		throw Failure("no process " + std::to_string(pid) + ", or it is exiting");
	default:
		fail("cannot hold process " + std::to_string(pid));
	}
}

// Until no process is left that could stop.
void serve(const Options &options, Device &device, int hold)
{
	bsd_stop stop;
	ssize_t got;

	while ((got = read(hold, &stop, sizeof(stop))) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			fail("cannot read who is held");
		show(options, stop, device.get(stop.pid));
		run_command(options, stop.pid);
		if (bsd_hold_cont(hold, stop.pid) == -1 && errno != ESRCH)
			fail("cannot let process " + std::to_string(stop.pid) + " go");
	}
}

int hold(const Options &options)
{
	const unsigned events = S_EXIT | (options.only ? 0 : BSD_S_FORK);
	Device device;
	const int fd = bsd_hold();

	if (fd == -1)
		fail("cannot hold processes");
	for (int pid : options.pids)
		ask(fd, pid, events);
	if (options.program.empty()) {
		serve(options, device, fd);
		return exit_ok;
	}
	const Start start("bsdhold", options.program);
	ask(fd, start.pid(), events);
	start.go();
	serve(options, device, fd);
	return start.code();
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("bsdhold [OPTIONS] [PROGRAM [ARGUMENT...]]\n"
		     "Hold each process of a tree at its exit, show how it ends, let it go.\n",
		     "bsdhold");
	Options options;

	app.add_option("-p,--pid", options.pids, "Hold this process (may be given several times)")
		->type_name("PID")
		->allow_extra_args(false)
		->check(CLI::PositiveNumber);
	app.add_option("-x,--command", options.command,
		       "Run this by sh for each that is held, with its pid in BSDHOLD_PID")
		->type_name("COMMAND");
	app.add_flag("-o,--only", options.only, "Hold these processes alone, not what they start");
	app.add_flag("--json", options.json, "Print a JSON object for each, on a line");
	app.prefix_command();
	app.footer("Exit status: PROGRAM's, 128 + N when signal N ended it; without PROGRAM 0;\n"
		   "2 wrong usage; 3 the module is not loaded, or another failure.\n");
	app.final_callback([&] {
		options.program = app.remaining();
		if (!options.program.empty() && options.program[0] == "--")
			options.program.erase(options.program.begin());
		if (options.program.empty() && options.pids.empty())
			throw CLI::ValidationError("nothing to hold: give a PROGRAM, or -p PID");
	});
	return run_tool(app, argc, argv, [&] { return hold(options); });
}
