// SPDX-License-Identifier: BSD-2-Clause
#include "varsym.hh"

#include <cerrno>
#include <cstring>

#include <bsdproc.h>
#include <nlohmann/json.hpp>

#include "model.hh"
#include "show.hh"

namespace bsdproc
{

const char *level_name(int level)
{
	switch (level) {
	case VARSYM_PROC:
		return "proc";
	case VARSYM_USER:
		return "user";
	case VARSYM_SYS:
		return "sys";
	}
	return "?";
}

void decode(int level, std::string_view text, std::vector<Symbol> &symbols)
{
	for (;;) {
		const size_t name = text.find('\0');
		if (name == std::string_view::npos)
			return;
		const size_t value = text.find('\0', name + 1);
		if (value == std::string_view::npos)
			return;
		symbols.push_back({level, std::string(text.substr(0, name)),
				   std::string(text.substr(name + 1, value - name - 1))});
		text.remove_prefix(value + 1);
	}
}

Operand operand(std::string_view text)
{
	const size_t equals = text.find('=');
	if (equals == std::string_view::npos)
		return {std::string(text), "", false};
	return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)), true};
}

std::vector<Symbol> list_symbols(int level)
{
	std::vector<Symbol> symbols;
	std::string text(MAXVARSYM_SET, '\0');

	for (int marker = 0; marker != -1;) {
		const int length = bsd_varsym_list(level, text.data(), text.size(), &marker);
		if (length == -1)
			throw Failure(varsym_error("list", "the symbols", errno));
		decode(level, {text.data(), static_cast<size_t>(length)}, symbols);
	}
	return symbols;
}

nlohmann::ordered_json to_json(const std::vector<Symbol> &symbols)
{
	nlohmann::ordered_json list = nlohmann::ordered_json::array();

	for (const Symbol &symbol : symbols)
		list.push_back({{"level", level_name(symbol.level)},
				{"name", symbol.name},
				{"value", symbol.value}});
	return list;
}

static std::string meaning(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no such symbol";
	case EPERM:
		return "only the administrator changes the system's symbols";
	case E2BIG:
		return "there are too many at this level";
	case ENOSPC:
		return "too many users of your namespaces have symbols";
	case ENAMETOOLONG:
		return "a name has at most " + std::to_string(MAXVARSYM_NAME - 1) +
		       " bytes, a value " + std::to_string(MAXVARSYM_DATA - 1);
	}
	return strerror(error);
}

std::string varsym_error(std::string_view doing, std::string_view name, int error)
{
	if (error == ENOSYS)
		return "the bsdproc module is not loaded, or older than this program";
	return "cannot " + std::string(doing) + " " + printable(name) + ": " + meaning(error);
}

} // namespace bsdproc
