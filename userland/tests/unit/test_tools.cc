// SPDX-License-Identifier: BSD-2-Clause
// The tools' pure parts: decoding, parsing, drawing.
#include <clocale>
#include <csignal>

#include <gtest/gtest.h>

#include <bsdproc_ioctl.h>

#include "procfs.hh"
#include "show.hh"
#include "status.hh"
#include "table.hh"
#include "tree.hh"

using namespace bsdproc;

namespace
{

TEST(WaitStatus, Exits)
{
	EXPECT_EQ(wait_status_text(0), "exit 0");
	EXPECT_EQ(wait_status_text(3 << 8), "exit 3");
	EXPECT_EQ(wait_status_text(255 << 8), "exit 255");
}

TEST(WaitStatus, Signals)
{
	EXPECT_EQ(wait_status_text(SIGKILL), "signal 9 (KILL)");
	EXPECT_EQ(wait_status_text(SIGABRT | 0x80), "signal 6 (ABRT), core");
	EXPECT_EQ(wait_status_text(SIGRTMIN), "signal 34 (RTMIN)");
	EXPECT_EQ(wait_status_text(SIGRTMIN + 2), "signal 36 (RTMIN+2)");
	EXPECT_EQ(wait_status_text(33), "signal 33 (33)");
}

TEST(Flags, NamesAndLetters)
{
	using Names = std::vector<std::string>;

	EXPECT_EQ(flag_names(proc_flags(), 0), Names{});
	EXPECT_EQ(flag_letters(proc_flags(), 0), "-");
	EXPECT_EQ(flag_names(proc_flags(), BSDPROC_P_WEXIT | BSDPROC_P_EXEC),
		  (Names{"wexit", "exec"}));
	EXPECT_EQ(flag_letters(proc_flags(), BSDPROC_P_WEXIT | BSDPROC_P_EXEC), "xe");
	EXPECT_EQ(flag_letters(lwp_flags(), BSDPROC_LWP_MAIN), "m");
}

TEST(Flags, BitsOfANewerModuleAreShown)
{
	using Names = std::vector<std::string>;

	EXPECT_EQ(flag_names(lwp_flags(), BSDPROC_LWP_MAIN | 0x80000040u),
		  (Names{"main", "0x40", "0x80000000"}));
	EXPECT_EQ(flag_letters(lwp_flags(), 0x40), "?");
	EXPECT_EQ(proc_stat_name(77), "77?");
	EXPECT_EQ(lwp_stat_letter(77), '?');
}

// pid (comm) state ppid pgrp session tty tpgid flags, then fields 10 to 19, then
// num_threads, itrealvalue, starttime and what follows.
std::string stat_text(const std::string &comm)
{
	return "123 (" + comm +
	       ") S 77 120 100 34816 -1 4194560 11 12 13 14 15 16 17 18 20 0 3 0 987654321987 24 25 26\n";
}

TEST(ParseStat, Fields)
{
	auto task = parse_stat(stat_text("sleep"));

	ASSERT_TRUE(task);
	EXPECT_EQ(task->pid, 123);
	EXPECT_EQ(task->comm, "sleep");
	EXPECT_EQ(task->state, 'S');
	EXPECT_EQ(task->ppid, 77);
	EXPECT_EQ(task->pgrp, 120);
	EXPECT_EQ(task->session, 100);
	EXPECT_EQ(task->flags, 4194560u);
	EXPECT_EQ(task->num_threads, 3);
	EXPECT_EQ(task->starttime, 987654321987u);
}

TEST(ParseStat, NamesThatLookLikeFields)
{
	for (const char *comm :
	     {"", "(", ")", ") R 1 1 1", "a b", "a\nb", "((x))", ") Z 0 0 0 (", "\xff\xfe"}) {
		auto task = parse_stat(stat_text(comm));
		ASSERT_TRUE(task) << comm;
		EXPECT_EQ(task->comm, comm);
		EXPECT_EQ(task->state, 'S');
		EXPECT_EQ(task->ppid, 77);
	}
}

TEST(ParseStat, NegativeGroupOfADeadTask)
{
	auto task = parse_stat("5 (x) X 0 -1 -1 0 -1 4228108 0 0 0 0 0 0 0 0 0 20 0 0 0 1\n");

	ASSERT_TRUE(task);
	EXPECT_EQ(task->pgrp, -1);
	EXPECT_EQ(task->session, -1);
}

TEST(ParseStat, WhatIsNoStat)
{
	std::string whole = stat_text("x");

	for (const char *text :
	     {"", "123", "123 (", "123 )x( S 1 1 1", "x (y) S 1 1 1 1 1 1", "()"})
		EXPECT_FALSE(parse_stat(text)) << text;
	// Cut before the last field that is needed.
	EXPECT_FALSE(parse_stat(whole.substr(0, whole.find(" 987654321987"))));
	EXPECT_FALSE(parse_stat("123 (x) SS 77 120 100 34816 -1 0 1 1 1 1 1 1 1 1 1 1 3 0 9\n"));
}

std::string drawn(const std::map<int, int> &parents)
{
	std::string out;
	for (const TreeLine &line : tree_lines(parents, ascii_branches))
		out += line.head + std::to_string(line.pid) + "\n" + line.body + "+\n";
	return out;
}

TEST(Tree, DrawsLines)
{
	EXPECT_EQ(drawn({{1, 0}, {10, 1}, {11, 10}, {2, 1}, {3, 2}, {4, 99}}), "1\n"
									       "|  +\n"
									       "|- 2\n"
									       "|  |  +\n"
									       "|  `- 3\n"
									       "|        +\n"
									       "`- 10\n"
									       "   |  +\n"
									       "   `- 11\n"
									       "         +\n"
									       "4\n"
									       "   +\n");
}

TEST(Tree, CirclesAreShownOnce)
{
	EXPECT_EQ(tree_lines({{1, 1}}, ascii_branches).size(), 1u);
	EXPECT_EQ(tree_lines({{1, 2}, {2, 3}, {3, 1}, {4, 2}}, ascii_branches).size(), 4u);
}

TEST(Tree, DeepChain)
{
	std::map<int, int> parents;
	for (int pid = 1; pid <= 3000; pid++)
		parents[pid] = pid - 1;
	EXPECT_EQ(tree_lines(parents, ascii_branches).size(), 3000u);
}

TEST(Tree, NoProcesses)
{
	EXPECT_TRUE(tree_lines({}, ascii_branches).empty());
}

TEST(Table, AlignsAndCuts)
{
	Table table;

	table.column("PID", Table::Align::Right);
	table.column("NAME", Table::Align::Left);
	table.column("COMMAND", Table::Align::Left);
	table.row({"1", "root", "init"});
	table.row({"12345", "x", ""});
	EXPECT_EQ(table.text(0), "  PID NAME COMMAND\n    1 root init\n12345 x\n");
	EXPECT_EQ(table.text(12), "  PID NAME C\n    1 root i\n12345 x\n");
}

class Utf8 : public testing::Test
{
protected:
	void SetUp() override
	{
		if (!setlocale(LC_ALL, "C.UTF-8"))
			GTEST_SKIP() << "no C.UTF-8 locale here";
	}
	void TearDown() override { setlocale(LC_ALL, "C"); }
};

TEST(Show, NamesCannotSpeakToTheTerminal)
{
	EXPECT_EQ(printable("a\x1b[2Jb\n\x7f"), "a?[2Jb??");
	EXPECT_EQ(printable(std::string_view("\0x", 2)), "?x");
	EXPECT_EQ(printable("b\xc3\xb6"), "b??") << "not in the C locale";
}

TEST_F(Utf8, WidthsAreColumns)
{
	EXPECT_TRUE(locale_is_utf8());
	EXPECT_EQ(printable("b\xc3\xb6\xff"), "b\xc3\xb6?");
	EXPECT_EQ(display_width("├─ x"), 4u);
	EXPECT_EQ(cut("├─ x", 1), "├");
	EXPECT_EQ(cut("├─ x", 9), "├─ x");
	EXPECT_EQ(cut("\xe4\xb8\xad\xe4\xb8\xad", 3), "\xe4\xb8\xad") << "two columns each";
	// A C1 control character, which is a terminal's CSI.
	EXPECT_EQ(printable("\xc2\x9b"), "?");
}

} // namespace
