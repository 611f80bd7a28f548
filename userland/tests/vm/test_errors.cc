// SPDX-License-Identifier: BSD-2-Clause
// The errors that the man pages promise are those that the calls give: each is provoked, and
// none is left out. tests/errors/ has the table.
#include "vm_test.h"

#include "../errors/memory.hh"
#include "../errors/table.hh"

#include <algorithm>

using namespace vm;

namespace errors
{

// GoogleTest's, for its list of cases.
static void PrintTo(const Row &row, std::ostream *out)
{
	*out << row.of << " " << strerrorname_np(row.error);
}

} // namespace errors

namespace
{

using errors::Row;
using errors::Short;

std::vector<Row> rows_short(Short memory)
{
	std::vector<Row> rows;
	for (const Row &row : errors::all_rows())
		if (row.memory == memory)
			rows.push_back(row);
	return rows;
}

// "bsd_hold.3/bsd_hold bsdproc.4/..." with EMFILE is bsd_hold_3_bsd_hold_EMFILE.
std::string case_name(const testing::TestParamInfo<Row> &info)
{
	std::string name = info.param.of.substr(0, info.param.of.find(' '));
	name += std::string("_") + strerrorname_np(info.param.error);
	std::replace_if(
		name.begin(), name.end(), [](char c) { return !isalnum(c); }, '_');
	return name;
}

void print(const std::set<std::string> &all, const std::set<std::string> &but, const char *what)
{
	for (const std::string &entry : all)
		if (!but.count(entry))
			ADD_FAILURE() << entry << what;
}

class Error : public testing::TestWithParam<Row>
{
};

} // namespace

TEST(Errors, PagesAndTableAgree)
{
	const auto pages = errors::listed(sibling("../../../userland/man"));
	const auto table = errors::listed(errors::all_rows());
	ASSERT_GT(pages.size(), 0u) << "no pages";
	print(pages, table, ": only in its page");
	print(table, pages, ": not in its page");
}

TEST_P(Error, IsGiven)
{
	const Row &row = GetParam();
	if (row.skipped)
		GTEST_SKIP() << row.skipped;
	int way = 0;
	for (const errors::Provoke &provoke : row.ways) {
		SCOPED_TRACE("way " + std::to_string(way++));
		in_process([&] { EXPECT_ERRNO(provoke(), row.error); });
	}
}

INSTANTIATE_TEST_SUITE_P(Each, Error, testing::ValuesIn(rows_short(Short::of_nothing)), case_name);

// Where a call is made by who is not known to the model, and cannot be made known.
VM_TEST(Errors, WithoutObjects)
{
	const std::string reason = errors::cannot_be_short(Short::of_objects);
	if (!reason.empty())
		GTEST_SKIP() << reason;
	for (const Row &row : rows_short(Short::of_objects))
		for (const errors::Provoke &provoke : row.ways)
			if (!row.skipped)
				errors::expect_without_objects(provoke, row.of);
}

VM_TEST(Errors, WithoutMemoryInTheCall)
{
	const std::string reason = errors::cannot_be_short(Short::in_the_call);
	if (!reason.empty())
		GTEST_SKIP() << reason;
	for (const Row &row : rows_short(Short::in_the_call))
		for (const errors::Provoke &provoke : row.ways)
			if (!row.skipped)
				errors::expect_without_memory_in(provoke, row.of);
}
