// SPDX-License-Identifier: BSD-2-Clause
// bsdvarsym: lists, gets, sets and deletes variant symbols, and runs commands with some set.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <bsdproc.h>
#include <nlohmann/json.hpp>

#include "cli.hh"
#include "json.hh"
#include "model.hh"
#include "show.hh"
#include "table.hh"
#include "varsym.hh"

using namespace bsdproc;

namespace
{

constexpr int kNotExecutable = 126, kNotFound = 127; // as a shell has it

struct Options {
	bool proc = false, user = false, sys = false;
	bool remove = false, quiet = false, json = false;
	std::vector<std::string> operands;
	char **command = nullptr; // what follows "--"

	int level() const { return proc ? VARSYM_PROC : user ? VARSYM_USER : sys ? VARSYM_SYS : 0; }
	std::vector<int> levels() const
	{
		if (level())
			return {level()};
		return {VARSYM_PROC, VARSYM_USER, VARSYM_SYS};
	}
};

void set(int level, const Operand &operand)
{
	if (bsd_varsym_set(level, operand.name.c_str(), operand.value.c_str()) == -1)
		throw Failure(varsym_error("set", operand.name, errno));
}

// False: there is none.
bool remove(int level, const std::string &name)
{
	if (bsd_varsym_set(level, name.c_str(), nullptr) == 0)
		return true;
	if (errno == ENOENT)
		return false;
	throw Failure(varsym_error("delete", name, errno));
}

std::optional<Symbol> get(const std::vector<int> &levels, const std::string &name)
{
	char value[MAXVARSYM_DATA];

	for (int level : levels) {
		if (bsd_varsym_get(1 << level, name.c_str(), value, sizeof(value)) != -1)
			return Symbol{level, name, value};
		if (errno != ENOENT)
			throw Failure(varsym_error("get", name, errno));
	}
	return std::nullopt;
}

void print_list(const std::vector<Symbol> &symbols)
{
	Table table;

	for (const char *title : {"LEVEL", "NAME", "VALUE"})
		table.column(title, Table::Align::Left);
	for (const Symbol &symbol : symbols)
		table.row({level_name(symbol.level), printable(symbol.name),
			   printable(symbol.value)});
	fputs(table.text(0).c_str(), stdout);
}

int list(const Options &options)
{
	std::vector<Symbol> symbols;

	for (int level : options.levels())
		for (Symbol &symbol : list_symbols(level))
			symbols.push_back(std::move(symbol));
	if (options.json)
		puts(dump(to_json(symbols)).c_str());
	else
		print_list(symbols);
	return exit_ok;
}

// A program gets the value as it is; a terminal would do what is in it.
void print(const Symbol &symbol, bool quiet)
{
	if (!quiet)
		printf("%s=%s\n", printable(symbol.name).c_str(), printable(symbol.value).c_str());
	else
		puts(isatty(STDOUT_FILENO) ? printable(symbol.value).c_str()
					   : symbol.value.c_str());
}

int handle(const CLI::App &app, const Options &options)
{
	const int level = options.level() ? options.level() : VARSYM_USER;
	std::vector<Symbol> found;
	bool missing = false;

	for (const std::string &text : options.operands) {
		const Operand op = operand(text);
		bool there = true;
		if (options.remove) {
			there = remove(level, op.name);
		} else if (op.has_value) {
			set(level, op);
		} else if (const auto symbol = get(options.levels(), op.name)) {
			found.push_back(*symbol);
			if (!options.json)
				print(*symbol, options.quiet);
		} else {
			there = false;
		}
		if (!there) {
			complain(app, "no symbol " + printable(op.name));
			missing = true;
		}
	}
	if (options.json)
		puts(dump(to_json(found)).c_str());
	return missing ? exit_no : exit_ok;
}

int run(const CLI::App &app, const Options &options)
{
	for (const std::string &text : options.operands)
		set(VARSYM_PROC, operand(text));
	execvp(options.command[0], options.command);
	const int error = errno;
	complain(app, "cannot run " + printable(options.command[0]) + ": " + strerror(error));
	return error == ENOENT ? kNotFound : kNotExecutable;
}

int work(const CLI::App &app, const Options &options)
{
	if (options.command)
		return run(app, options);
	return options.operands.empty() ? list(options) : handle(app, options);
}

// What CLI11 cannot know.
void check(const Options &options)
{
	if (options.proc + options.user + options.sys > 1)
		throw CLI::ValidationError("-p, -u, -s", "one of them at most");
	if (options.remove + options.quiet + options.json > 1)
		throw CLI::ValidationError("-d, -q, --json", "one of them at most");
	if (options.remove && options.operands.empty())
		throw CLI::ValidationError("-d", "delete what?");
	if (!options.command) {
		for (const std::string &text : options.operands)
			if (options.proc && (options.remove || operand(text).has_value))
				throw CLI::ValidationError(
					"-p", "it would end with this program: add -- COMMAND");
		return;
	}
	if (!options.command[0])
		throw CLI::ValidationError("--", "there is no command after it");
	if (options.user || options.sys || options.remove || options.quiet || options.json)
		throw CLI::ValidationError("--", "a command goes with -p and NAME=VALUE alone");
	for (const std::string &text : options.operands)
		if (!operand(text).has_value)
			throw CLI::ValidationError(printable(text), "not NAME=VALUE");
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("List, get, set and delete variant symbols.\n"
		     "\n"
		     "  bsdvarsym [-p|-u|-s] [--json]               list\n"
		     "  bsdvarsym [-p|-u|-s] [-q|--json] NAME...    get\n"
		     "  bsdvarsym [-u|-s] NAME=VALUE...             set\n"
		     "  bsdvarsym [-u|-s] -d NAME...                delete\n"
		     "  bsdvarsym [-p] [NAME=VALUE...] -- COMMAND [ARGUMENT...]\n"
		     "                                              run it with these set\n",
		     "bsdvarsym");
	Options options;

	// The command's arguments are its own.
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--")) {
			options.command = argv + i + 1;
			argc = i;
		}

	app.footer(
		"A symbol is looked for in the process, then its user, then the system. Without\n"
		"an option the user's are set and deleted.\n"
		"\n"
		"Exit status: 0; 1 a symbol is not there; 2 wrong usage; 3 the module is not\n"
		"loaded, or another failure; with a command its own, 126 or 127 if it cannot be\n"
		"run.\n");
	app.add_flag("-p,--proc", options.proc, "The process's symbols, which a command inherits");
	app.add_flag("-u,--user", options.user, "The effective user's");
	app.add_flag("-s,--sys", options.sys, "The system's; root changes them");
	app.add_flag("-d,--delete", options.remove, "Delete these symbols");
	app.add_flag("-q,--quiet", options.quiet, "Print the values alone");
	app.add_flag("--json", options.json, "Print a JSON array of objects");
	app.add_option("SYMBOL", options.operands, "NAME or NAME=VALUE");
	app.final_callback([&] { check(options); });
	return run_tool(app, argc, argv, [&] { return work(app, options); });
}
