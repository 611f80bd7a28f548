// SPDX-License-Identifier: BSD-2-Clause
// bsdkdump: what bsdktrace has written, for people or programs.
#include <cstdio>
#include <cstring>
#include <ctime>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli.hh"
#include "json.hh"
#include "ktr.hh"
#include "show.hh"

using namespace bsdproc;

namespace
{

struct Options {
	std::string file = "ktrace.out";
	std::vector<int> pids;
	std::string points = "fexsw";
	bool elapsed = false;
	bool relative = false;
	bool absolute = false;
	bool json = false;
};

std::string fraction(uint64_t ns)
{
	char text[16];

	snprintf(text, sizeof(text), ".%06u", static_cast<unsigned>(ns % 1000000000 / 1000));
	return text;
}

class Times
{
public:
	explicit Times(const Options &options) : options_(options) {}

	std::string of(const bsdproc_ktr &r)
	{
		if (!first_)
			first_ = last_ = r.boot;
		const uint64_t since = options_.elapsed ? first_ : last_;
		last_ = r.boot;
		if (options_.elapsed || options_.relative)
			return difference(r.boot, since);
		if (options_.absolute)
			return std::to_string(r.time / 1000000000) + fraction(r.time);
		return time_of_day(r.time);
	}

private:
	// Two CPUs may write in another order than their clocks say.
	static std::string difference(uint64_t a, uint64_t b)
	{
		const uint64_t ns = a > b ? a - b : b - a;
		return (a < b ? "-" : "") + std::to_string(ns / 1000000000) + fraction(ns);
	}
	static std::string time_of_day(uint64_t ns)
	{
		const time_t seconds = static_cast<time_t>(ns / 1000000000);
		struct tm tm = {};
		char text[32];

		localtime_r(&seconds, &tm);
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
		return text + fraction(ns);
	}

	const Options &options_;
	uint64_t first_ = 0, last_ = 0;
};

void print_line(const bsdproc_ktr &r, const std::string &time)
{
	const std::string text = ktr_text(r);
	printf("%17s %7d %7s %-15s %-*s%s\n", time.c_str(), r.pid,
	       r.tid ? std::to_string(r.tid).c_str() : "-",
	       printable({r.comm, strnlen(r.comm, sizeof(r.comm))}).c_str(), text.empty() ? 0 : 6,
	       ktr_name(r.type).c_str(), text.c_str());
}

int work(const Options &options)
{
	const std::set<int> pids(options.pids.begin(), options.pids.end());
	const uint32_t points = *ktr_points(options.points);
	KtrReader reader(options.file);
	Times times(options);
	uint64_t lost = 0;

	if (!options.json)
		printf("%17s %7s %7s %-15s %s\n", "TIME", "PID", "TID", "COMMAND", "EVENT");
	while (const auto record = reader.next()) {
		lost += record->lost;
		if (record->lost && !options.json)
			printf("-- %llu lost\n", static_cast<unsigned long long>(record->lost));
		const uint32_t point = ktr_point(record->type);
		const bool wanted =
			(pids.empty() || pids.count(record->pid)) && (!point || (points & point));
		if (options.json && wanted)
			puts(dump_line(to_json(*record)).c_str());
		else if (options.json && record->lost)
			puts(dump_line({{"lost", record->lost}}).c_str());
		else if (!options.json && wanted && record->type)
			print_line(*record, times.of(*record));
	}
	return lost ? exit_no : exit_ok;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Show what bsdktrace has written.\n", "bsdkdump");
	Options options;

	app.add_option("FILE", options.file, "The trace")->capture_default_str();
	app.add_option("-p,--pid", options.pids,
		       "Only events of this process (may be given several times)")
		->type_name("PID")
		->allow_extra_args(false)
		->check(CLI::PositiveNumber);
	app.add_option("-t,--trace", options.points,
		       std::string("Only these kinds of events: ") + ktr_letters)
		->type_name("LETTERS")
		->check([](const std::string &letters) {
			return ktr_points(letters) ? std::string() : "none of f, e, x, s, w";
		});
	auto *elapsed = app.add_flag("-E,--elapsed", options.elapsed,
				     "Times since the first event that is shown");
	auto *relative =
		app.add_flag("-R,--relative", options.relative, "Times since the event before");
	auto *absolute =
		app.add_flag("-T,--absolute", options.absolute, "Times as seconds since 1970");
	elapsed->excludes(relative)->excludes(absolute);
	relative->excludes(absolute);
	app.add_flag("--json", options.json, "Print a JSON object for each event, one a line");
	app.footer("Exit status: 0; 1 events had been lost when they were written; 2 wrong usage;\n"
		   "3 the file cannot be read, or another failure.\n");
	return run_tool(app, argc, argv, [&] { return work(options); });
}
