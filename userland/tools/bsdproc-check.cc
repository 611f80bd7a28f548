// SPDX-License-Identifier: BSD-2-Clause
// bsdproc-check: does the model say what /proc says?
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "check.hh"
#include "cli.hh"

using namespace bsdproc;
using nlohmann::ordered_json;

namespace
{

struct Options {
	unsigned rounds = 50;
	bool strict = false;
	bool json = false;
};

ordered_json to_json(const Difference &difference)
{
	return {
		{"pid", difference.pid},     {"field", difference.field},
		{"model", difference.model}, {"against", against_name(difference.against)},
		{"other", difference.other}, {"text", difference.text()},
	};
}

ordered_json to_json(const std::vector<Difference> &differences)
{
	ordered_json list = ordered_json::array();

	for (const Difference &difference : differences)
		list.push_back(to_json(difference));
	return list;
}

void print_json(const Report &report)
{
	ordered_json moving = ordered_json::array();

	for (auto &[pid, last] : report.moving)
		moving.push_back({{"pid", pid}, {"last", to_json(last)}});
	ordered_json json = {
		{"procs", report.procs},   {"lwps", report.lwps},
		{"rounds", report.rounds}, {"differences", to_json(report.differences)},
		{"in_motion", moving},
	};
	puts(json.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

void print_text(const Report &report)
{
	for (const Difference &difference : report.differences)
		printf("%s\n", difference.text().c_str());
	printf("%zu procs, %zu lwps, %zu differences\n", report.procs, report.lwps,
	       report.differences.size());
}

int run(const CLI::App &app, const Options &options)
{
	Device device;
	Procfs procfs;
	Report report = check(device, procfs, options.rounds);

	if (options.json)
		print_json(report);
	else
		print_text(report);

	if (!report.moving.empty()) {
		for (auto &[pid, last] : report.moving)
			complain(app, "in motion, last seen: " +
					      (last.empty() ? "pid " + std::to_string(pid)
							    : last[0].text()));
		complain(app, std::to_string(report.moving.size()) + " in motion after " +
				      std::to_string(report.rounds) + " more looks, not judged");
	}
	bool bad = !report.differences.empty() || (options.strict && !report.moving.empty());
	return bad ? exit_no : exit_ok;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app(
		"Compare the bsdproc module's model of processes with /proc.\n"
		"\n"
		"Prints a line for each difference that stays, then a summary. What was only\n"
		"motion is found out by looking again: a difference stays if it is there,\n"
		"unchanged, in each of the last ten looks. Processes that keep changing to the\n"
		"end are told on stderr as in motion.\n",
		"bsdproc-check");
	Options options;

	app.footer("Run it as root: what you may not see is taken for a difference or a failure.\n"
		   "\n"
		   "Exit status: 0 no difference; 1 differences (with --strict also processes in\n"
		   "motion); 2 wrong usage; 3 the module is not loaded, or another failure.\n");
	app.add_option("--rounds", options.rounds,
		       "Look again so often at most; 0: believe the first look")
		->type_name("N")
		->check(CLI::Range(0, 1000000).description(""))
		->capture_default_str();
	app.add_flag("--strict", options.strict,
		     "A process that is in motion to the end is an error");
	app.add_flag("--json", options.json, "Print one JSON object");
	return run_tool(app, argc, argv, [&] { return run(app, options); });
}
