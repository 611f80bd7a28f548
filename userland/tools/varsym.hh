// SPDX-License-Identifier: BSD-2-Clause
// Variant symbols, as the module lists them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace bsdproc
{

struct Symbol {
	int level; // VARSYM_*
	std::string name, value;

	bool operator==(const Symbol &) const = default;
};

// "proc", "user", "sys".
const char *level_name(int level);

// What bsd_varsym_list() stored, appended; an unfinished one at the end is left out.
void decode(int level, std::string_view text, std::vector<Symbol> &symbols);

// NAME=VALUE, or NAME alone; the name goes to the first '='.
struct Operand {
	std::string name, value;
	bool has_value;
};
Operand operand(std::string_view text);

// All symbols of a level. Throws Failure.
std::vector<Symbol> list_symbols(int level);

// An array of objects with level, name and value.
nlohmann::ordered_json to_json(const std::vector<Symbol> &symbols);

// What a failed call means: "cannot set NAME: ...", for people, by errno.
std::string varsym_error(std::string_view doing, std::string_view name, int error);

} // namespace bsdproc
