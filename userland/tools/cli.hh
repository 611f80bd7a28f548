// SPDX-License-Identifier: BSD-2-Clause
// What the tools' command lines have in common.
#pragma once

#include <functional>
#include <string>

namespace CLI
{
class App;
}

namespace bsdproc
{

enum Exit { exit_ok = 0, exit_no = 1, exit_usage = 2, exit_failure = 3 };

// Adds --version, parses the command line and runs `work`, whose value is the
// exit code. Errors are told on stderr, "name: sentence". Failures to write to
// stdout are failures.
int run_tool(CLI::App &app, int argc, char **argv, const std::function<int()> &work);

// Tells "name: text" on stderr.
void complain(const CLI::App &app, const std::string &text);

} // namespace bsdproc
