// SPDX-License-Identifier: BSD-2-Clause
// Names and values of variant symbols that everybody can read and nobody changes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace fuzz
{

// Each at its own address, and ended by a NUL; the last ones are as long as can be, and too
// long by one.
inline constexpr std::array<std::string_view, 8> kNames = {
	"",
	"a",
	"ab",
	"b",
	"name",
	"another name",
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
	"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
};
static_assert(kNames[6].size() == 63 && kNames[7].size() == 64);

#define V50 "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
inline constexpr std::array<std::string_view, 6> kValues = {
	"", "1", "two", V50, V50 V50 V50 V50 V50 "wwwww", V50 V50 V50 V50 V50 "xxxxxx",
};
#undef V50
static_assert(kValues[4].size() == 255 && kValues[5].size() == 256);

// Null: none of them is there.
inline const std::string_view *known_string(uint64_t at)
{
	for (const std::string_view &name : kNames)
		if (reinterpret_cast<uintptr_t>(name.data()) == at)
			return &name;
	for (const std::string_view &value : kValues)
		if (reinterpret_cast<uintptr_t>(value.data()) == at)
			return &value;
	return nullptr;
}

} // namespace fuzz
