// SPDX-License-Identifier: BSD-2-Clause
// What stays of the differences that bsdproc-check finds, and what was motion.
#include <gtest/gtest.h>

#include "suspects.hh"

using namespace bsdproc;

namespace
{

Difference parent(int pid, const char *other)
{
	return {pid, "parent", "1", Against::Linux, other};
}

LinuxModel started(int pid, uint64_t start)
{
	LinuxModel linux;
	linux[pid].leader.starttime = start;
	return linux;
}

TEST(SuspectsTest, AgreementAtAnyLookClears)
{
	Difference wrong = parent(5, "7");

	for (bool first : {true, false}) {
		Suspects suspects({wrong}, started(5, 100));
		Sight bad{100, {wrong}}, good{100, {}};
		suspects.look(5, first ? good : bad, first ? bad : good);
		EXPECT_TRUE(suspects.pids().empty());
		EXPECT_TRUE(suspects.moving(1).empty());
	}
}

TEST(SuspectsTest, WhatIsUnchangedStays)
{
	Difference wrong = parent(5, "7");
	Suspects suspects({wrong}, started(5, 100));
	Sight bad{100, {wrong}};

	suspects.look(5, bad, bad);
	suspects.look(5, bad, bad);
	EXPECT_EQ(suspects.pids(), std::set<int>{5});
	EXPECT_TRUE(suspects.settled(3).empty());
	EXPECT_EQ(suspects.moving(3).size(), 1u);
	suspects.look(5, bad, bad);
	EXPECT_EQ(suspects.settled(3), std::vector{wrong});
	EXPECT_TRUE(suspects.moving(3).empty());
}

TEST(SuspectsTest, NoRoundsMeansTheFirstLookIsBelieved)
{
	Suspects suspects({parent(5, "7")}, started(5, 100));

	EXPECT_EQ(suspects.settled(0).size(), 1u);
	EXPECT_TRUE(suspects.moving(0).empty());
}

TEST(SuspectsTest, WhatChangesIsMotionAndToldAsSuch)
{
	Suspects suspects({parent(5, "0")}, started(5, 100));

	for (const char *now : {"1", "2", "3", "4"}) {
		Sight sight{100, {parent(5, now)}};
		suspects.look(5, sight, sight);
	}
	EXPECT_TRUE(suspects.settled(3).empty());
	ASSERT_EQ(suspects.moving(3).size(), 1u);
	EXPECT_EQ(suspects.moving(3)[5], std::vector{parent(5, "4")});
}

TEST(SuspectsTest, BetweenTwoLooksToo)
{
	Suspects suspects({parent(5, "7")}, started(5, 100));

	for (int i = 0; i < 5; i++)
		suspects.look(5, {100, {parent(5, "7")}}, {100, {parent(5, "8")}});
	EXPECT_TRUE(suspects.settled(1).empty());
	EXPECT_EQ(suspects.moving(1).size(), 1u);
}

// A process whose threads come and go all the time cannot hide a wrong parent.
TEST(SuspectsTest, MotionBesideItHidesNothing)
{
	Difference wrong = parent(5, "7");
	Suspects suspects({wrong}, started(5, 100));

	for (int i = 0; i < 5; i++) {
		Difference noise{5, "thread " + std::to_string(i), "none", Against::Linux, "alive"};
		Sight sight{100, {noise, wrong}};
		suspects.look(5, sight, sight);
	}
	EXPECT_EQ(suspects.settled(5), std::vector{wrong});
	EXPECT_TRUE(suspects.moving(5).empty());
}

TEST(SuspectsTest, ARunMustNotBeInterrupted)
{
	Difference wrong = parent(5, "7"), other = parent(5, "8");
	Suspects suspects({wrong}, started(5, 100));

	for (const Difference &now : {wrong, wrong, other, wrong, wrong})
		suspects.look(5, {100, {now}}, {100, {now}});
	EXPECT_TRUE(suspects.settled(3).empty());
	EXPECT_EQ(suspects.settled(2), std::vector{wrong});
}

TEST(SuspectsTest, AReusedPidIsDropped)
{
	Difference wrong = parent(5, "7");
	Sight before{100, {wrong}}, after{200, {wrong}};

	Suspects suspects({wrong}, started(5, 100));
	suspects.look(5, before, after);
	EXPECT_TRUE(suspects.pids().empty());
}

TEST(SuspectsTest, AProcThatLingersInTheModelIsNotDropped)
{
	Difference wrong{5, "process", "\"x\"", Against::Linux, "none"};
	Suspects suspects({wrong}, started(5, 100));

	suspects.look(5, {{}, {wrong}}, {{}, {wrong}});
	EXPECT_EQ(suspects.settled(1), std::vector{wrong});
}

TEST(SuspectsTest, APidThatAppearsLaterIsFollowed)
{
	Difference wrong = parent(5, "7");
	Suspects suspects({wrong}, {});

	suspects.look(5, {300, {wrong}}, {300, {wrong}});
	EXPECT_EQ(suspects.pids(), std::set<int>{5});
	suspects.look(5, {400, {wrong}}, {400, {wrong}});
	EXPECT_TRUE(suspects.pids().empty());
}

} // namespace
