// SPDX-License-Identifier: BSD-2-Clause
#include "cli.hh"

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <exception>

#include <CLI/CLI.hpp>

namespace bsdproc
{

void complain(const CLI::App &app, const std::string &text)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", app.get_name().c_str(), text.c_str());
}

static int finish(const CLI::App &app, int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	complain(app, std::string("cannot write the output: ") + strerror(errno ? errno : EIO));
	return exit_failure;
}

int run_tool(CLI::App &app, int argc, char **argv, const std::function<int()> &work)
{
	setlocale(LC_ALL, "");
	app.set_version_flag("-V,--version", app.get_name() + " " BSDPROC_RELEASE,
			     "Print the version and exit");
	try {
		app.parse(argc, argv);
	} catch (const CLI::CallForHelp &) {
		fputs(app.help().c_str(), stdout);
		return finish(app, exit_ok);
	} catch (const CLI::CallForVersion &call) {
		printf("%s\n", call.what());
		return finish(app, exit_ok);
	} catch (const CLI::ParseError &error) {
		complain(app, std::string(error.what()) + " (see " + app.get_name() + " --help)");
		return exit_usage;
	}
	try {
		return finish(app, work());
	} catch (const std::exception &error) {
		complain(app, error.what());
		return exit_failure;
	}
}

} // namespace bsdproc
