// SPDX-License-Identifier: BSD-2-Clause
// bsdvarsym's pure parts: operands, what the module lists, JSON, errors.
#include <cerrno>

#include <gtest/gtest.h>

#include <bsdproc.h>
#include <nlohmann/json.hpp>

#include "varsym.hh"

using namespace bsdproc;

namespace
{

TEST(Varsym, Operands)
{
	const auto expect = [](const char *text, const char *name, bool has_value,
			       const char *value) {
		const Operand op = operand(text);
		EXPECT_EQ(op.name, name);
		EXPECT_EQ(op.has_value, has_value);
		EXPECT_EQ(op.value, value);
	};
	expect("a", "a", false, "");
	expect("a=", "a", true, "");
	expect("a=b=c", "a", true, "b=c");
	expect("=b", "", true, "b");
	expect("", "", false, "");
}

std::vector<Symbol> decoded(std::string_view text)
{
	std::vector<Symbol> symbols;
	decode(VARSYM_USER, text, symbols);
	return symbols;
}

TEST(Varsym, Decoding)
{
	using namespace std::string_view_literals;
	using Symbols = std::vector<Symbol>;

	EXPECT_EQ(decoded(""), Symbols{});
	EXPECT_EQ(decoded("a\0001\0"sv), (Symbols{{VARSYM_USER, "a", "1"}}));
	EXPECT_EQ(decoded("a\0\0\0x\0"sv),
		  (Symbols{{VARSYM_USER, "a", ""}, {VARSYM_USER, "", "x"}}));
	EXPECT_EQ(decoded("a\0001\0b"sv), (Symbols{{VARSYM_USER, "a", "1"}}));
	EXPECT_EQ(decoded("a\0001\0b\0002"sv), (Symbols{{VARSYM_USER, "a", "1"}}));
}

TEST(Varsym, Json)
{
	EXPECT_EQ(to_json({}).dump(), "[]");
	EXPECT_EQ(to_json({{VARSYM_PROC, "a", "1"}, {VARSYM_SYS, "b", "\""}}).dump(),
		  R"([{"level":"proc","name":"a","value":"1"},)"
		  R"({"level":"sys","name":"b","value":"\""}])");
}

TEST(Varsym, Errors)
{
	EXPECT_EQ(varsym_error("set", "a", ENOENT), "cannot set a: there is no such symbol");
	EXPECT_EQ(varsym_error("set", "a\033[m", ENAMETOOLONG),
		  "cannot set a?[m: a name has at most 63 bytes, a value 255");
	EXPECT_EQ(varsym_error("get", "a", EFAULT), "cannot get a: Bad address");
	EXPECT_EQ(varsym_error("get", "a", ENOSYS),
		  "the bsdproc module is not loaded, or older than this program");
}

} // namespace
