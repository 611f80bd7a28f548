// SPDX-License-Identifier: BSD-2-Clause
// bsdktrace: what processes do, written to a file.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <bsdproc.h>

#include "cli.hh"
#include "ktr.hh"
#include "model.hh"
#include "record_file.hh"
#include "start.hh"
#include "stream.hh"

using namespace bsdproc;

namespace
{

struct Options {
	std::vector<int> pids;
	std::vector<std::string> program;
	std::string file = "ktrace.out";
	std::string points = "fexsw";
	uint32_t ring = 8192;
	bool append = false;
	bool inherit = false;
	bool descend = false;
};

// False: the process is gone.
bool trace(int fd, int pid, uint32_t facs)
{
	const std::string process = "process " + std::to_string(pid);

	if (bsd_ktrace_set(fd, pid, facs) == 0)
		return true;
	switch (errno) {
	case ESRCH:
		return false;
	case EBUSY:
		throw Failure(process + " is traced by another program");
	case EPERM:
		throw Failure("not permitted to trace " + process);
	default:
		throw Failure("cannot trace " + process + ": " + strerror(errno));
	}
}

// The descendants that are there already. Whoever is made by one that is traced is traced by
// then, so when a look finds nobody new, that was all.
void trace_descendants(const CLI::App &app, int fd, std::set<int> traced, uint32_t facs)
{
	Device device;

	for (bool more = true; more;) {
		more = false;
		for (int pid : device.list()) {
			const auto proc = traced.count(pid) ? std::nullopt : device.get(pid);
			if (!proc || !traced.count(proc->k.ppid) || proc->k.stat == BSDPROC_SZOMB)
				continue;
			if (bsd_ktrace_set(fd, pid, facs) == -1 && errno != ESRCH)
				complain(app, "process " + std::to_string(pid) +
						      " is not traced: " + strerror(errno));
			traced.insert(pid);
			more = true;
		}
	}
}

// Until nobody is left to be traced, or a signal comes; how many were lost.
uint64_t write_records(Stream &stream, RecordFile &file)
{
	static std::array<bsdproc_ktr, 256> records;
	uint64_t lost = 0;

	while (size_t n = stream.read(records.data(), sizeof(records[0]), records.size())) {
		for (size_t i = 0; i < n; i++)
			lost += records[i].lost;
		file.add(records.data(), n * sizeof(records[0]));
	}
	return lost;
}

int work(const CLI::App &app, const Options &options)
{
	const bool inherit = options.inherit || options.descend;
	const uint32_t facs =
		*ktr_points(options.points) | (inherit ? uint32_t{BSDPROC_KTRFAC_INHERIT} : 0);
	// The program has the signals as they are now.
	std::optional<Start> start;
	if (!options.program.empty())
		start.emplace("bsdktrace", options.program);

	bsdproc_ktrace args{};
	args.records = options.ring;
	Stream stream(BSDPROC_KTRACE, &args, "nothing", !start);
	RecordFile file(options.file, !options.append);
	if (file.size() == 0) {
		const KtrHeader header;
		file.add(&header, sizeof(header));
	} else {
		const KtrReader is_one(options.file);
		if ((file.size() - sizeof(KtrHeader)) % sizeof(bsdproc_ktr))
			throw Failure(options.file + ": ends in a part of a record");
	}
	for (int pid : options.pids)
		if (!trace(stream.fd(), pid, facs))
			throw Failure("no process " + std::to_string(pid) + ", or it is exiting");
	if (options.descend)
		trace_descendants(app, stream.fd(), {options.pids.begin(), options.pids.end()},
				  facs);
	if (start) {
		trace(stream.fd(), start->pid(), facs);
		start->go();
	}
	const uint64_t lost = write_records(stream, file);
	if (lost)
		complain(app, std::to_string(lost) + " events were lost (see --ring)");
	if (start)
		return stream.interrupted() ? 128 + SIGTERM : start->code();
	return lost ? exit_no : exit_ok;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("bsdktrace [OPTIONS] [PROGRAM [ARGUMENT...]]\n"
		     "Write what a process does to a file, which bsdkdump reads: forks, execs, "
		     "exits,\nsignals, waits.\n",
		     "bsdktrace");
	Options options;

	app.add_option("-f,--file", options.file, "Write to this file")
		->type_name("FILE")
		->capture_default_str();
	app.add_flag("-a,--append", options.append, "Add to the file, do not begin it anew");
	app.add_option("-p,--pid", options.pids,
		       "Trace this process until it ends (may be given several times)")
		->type_name("PID")
		->allow_extra_args(false)
		->check(CLI::PositiveNumber);
	app.add_flag("-i,--inherit", options.inherit, "Trace also the children made from now on");
	app.add_flag("-d,--descend", options.descend,
		     "Trace also the descendants of each PID that are there, and those made\n"
		     "from now on");
	app.add_option("-t,--trace", options.points,
		       std::string("Trace these kinds of events: ") + ktr_letters)
		->type_name("LETTERS")
		->capture_default_str()
		->check([](const std::string &letters) {
			return ktr_points(letters) ? std::string() : "none of f, e, x, s, w";
		});
	app.add_option("--ring", options.ring, "Room for so many events in the kernel")
		->type_name("EVENTS")
		->capture_default_str()
		->check(CLI::Range(1u, static_cast<unsigned>(BSDPROC_STREAM_MAX)));
	app.prefix_command();
	app.footer(
		"It ends when nobody is left to be traced, or by SIGTERM, when PROGRAM goes on;\n"
		"without PROGRAM also by SIGINT.\n"
		"\n"
		"Exit status: PROGRAM's, 128 + N when signal N ended it; without PROGRAM 0, or 1\n"
		"if events were lost; 2 wrong usage; 3 the module is not loaded or has no ktrace,\n"
		"or another failure.\n");
	app.final_callback([&] {
		options.program = app.remaining();
		if (!options.program.empty() && options.program[0] == "--")
			options.program.erase(options.program.begin());
		if (options.program.empty() == options.pids.empty())
			throw CLI::ValidationError("give a PROGRAM, or -p PID");
	});
	return run_tool(app, argc, argv, [&] { return work(app, options); });
}
