// SPDX-License-Identifier: BSD-2-Clause
// bsdacct: a record of each process's end, for a file or for people.
#include <array>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "acct_v3.hh"
#include "cli.hh"
#include "json.hh"
#include "record_file.hh"
#include "show.hh"
#include "status.hh"
#include "stream.hh"

using namespace bsdproc;

namespace
{

struct Options {
	std::string file;
	uint64_t count = 0; // 0: no end
	uint32_t ring = 8192;
	bool json = false;
};

std::string time_of_day(uint64_t ns)
{
	const time_t seconds = static_cast<time_t>(ns / 1000000000);
	struct tm tm = {};
	char text[32];

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	return text;
}

void print_title()
{
	printf("%-8s %10s %9s %9s %8s %8s %-10s %-5s %-4s %-16s %s\n", "START", "ELAPSED", "UTIME",
	       "STIME", "PID", "PPID", "USER", "TTY", "FLAG", "XSTAT", "COMMAND");
}

std::string tty_name(uint32_t tty)
{
	return tty ? std::to_string(tty >> 8 & 0xfff) + ":" +
			       std::to_string((tty & 0xff) | (tty >> 12 & 0xfff00))
		   : "-";
}

void print_line(const bsdproc_acct &r)
{
	if (r.lost)
		printf("-- %llu lost\n", static_cast<unsigned long long>(r.lost));
	if (!r.pid)
		return;
	printf("%-8s %10s %9s %9s %8d %8d %-10s %-5s %-4s %-16s %s\n", time_of_day(r.start).c_str(),
	       seconds(r.elapsed).c_str(), seconds(r.ru.utime).c_str(), seconds(r.ru.stime).c_str(),
	       r.pid, r.ppid, user_name(r.uid).c_str(), tty_name(r.tty).c_str(),
	       flag_letters(acct_flags(), r.flags).c_str(), wait_status_text(r.xstat).c_str(),
	       printable({r.comm, strnlen(r.comm, sizeof(r.comm))}).c_str());
}

void add(RecordFile &file, const acct_v3 &record)
{
	file.add(&record, sizeof(record));
}

int work(const CLI::App &app, const Options &options)
{
	bsdproc_acct_open args{};
	args.records = options.ring;
	Stream stream(BSDPROC_ACCT, &args,
		      "CAP_SYS_ADMIN in the user namespace that owns the pid namespace");
	// Whoever sees it may rely on being accounted for.
	std::optional<RecordFile> file;
	if (!options.file.empty())
		file.emplace(options.file, false);
	else if (!options.json)
		print_title();
	fflush(stdout);

	static std::array<bsdproc_acct, 256> records;
	uint64_t written = 0, lost = 0;
	while (!options.count || written < options.count) {
		// Of which some may only count what was lost.
		const uint64_t wanted = options.count ? options.count - written : records.size();
		const size_t n = stream.read(records.data(), sizeof(records[0]),
					     std::min<uint64_t>(wanted, records.size()));
		if (!n)
			break;
		for (const bsdproc_acct &record : std::span(records.data(), n)) {
			lost += record.lost;
			written += record.pid != 0;
			if (file && record.pid)
				add(*file, to_acct_v3(record));
			else if (options.json)
				puts(dump_line(to_json(record)).c_str());
			else if (!file)
				print_line(record);
		}
		if (!file && fflush(stdout) != 0)
			break; // told by run_tool
	}
	complain(app, std::to_string(written) + " written, " + std::to_string(lost) + " lost");
	return lost ? exit_no : exit_ok;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Write a record of each process that ends, until SIGINT or SIGTERM.\n",
		     "bsdacct");
	Options options;

	app.footer(
		"FLAG    F never called exec; S used a privilege; D dumped core; X was killed\n"
		"\n"
		"At the end standard error is told how many were written, and lost because\n"
		"they came too fast.\n"
		"\n"
		"Exit status: 0 nothing was lost; 1 something was; 2 wrong usage; 3 the module is\n"
		"not loaded, or another failure.\n");
	app.add_option("-o,--output", options.file,
		       "Add to this file, as lastcomm and sa read it, instead of printing")
		->type_name("FILE");
	app.add_option("-n,--count", options.count, "End after so many records")
		->type_name("COUNT")
		->check(CLI::PositiveNumber);
	app.add_option("--ring", options.ring, "Room for so many records in the kernel")
		->type_name("RECORDS")
		->capture_default_str()
		->check(CLI::Range(1u, static_cast<unsigned>(BSDPROC_STREAM_MAX)));
	app.add_flag("--json", options.json, "Print a JSON object for each record, one a line")
		->excludes("--output");
	return run_tool(app, argc, argv, [&] { return work(app, options); });
}
