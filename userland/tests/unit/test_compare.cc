// SPDX-License-Identifier: BSD-2-Clause
// bsdproc-check's judgement: what differs.
#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "compare.hh"

using namespace bsdproc;

namespace
{

using Texts = std::vector<std::string>;

Texts texts(const std::vector<Difference> &differences)
{
	Texts out;
	for (const Difference &difference : differences)
		out.push_back(difference.text());
	return out;
}

// A little system that agrees with itself: init (1) with children 123, which has
// the threads 123 and 125, and 130, a zombie; a kernel thread (2) with a user
// process (40).
class Compare : public testing::Test
{
protected:
	void SetUp() override
	{
		add(1, 0, "init", {1});
		add(123, 1, "work", {123, 125});
		add(130, 1, "gone", {130});
		add(40, 0, "helper", {40});
		kill(130);
		model.procs[1].k.nchildren = 2;
		model.procs[1].k.nzombies = 1;

		linux[2].leader.pid = 2;
		linux[2].leader.comm = "kthreadd";
		linux[2].kernel = true;
		linux[40].leader.ppid = 2;
		linux[40].kernel_parent = true;
	}

	void add(int pid, int ppid, const char *comm, const std::vector<int> &tids)
	{
		Proc &proc = model.procs[pid];
		LinuxProc &process = linux[pid];
		int lwpid = 0;

		proc.k.pid = process.leader.pid = pid;
		proc.k.ppid = process.leader.ppid = ppid;
		proc.k.pgid = process.leader.pgrp = pid;
		proc.k.sid = process.leader.session = 1;
		proc.k.stat = BSDPROC_SACTIVE;
		proc.k.vmsharers = 1;
		proc.k.nthreads = proc.k.nlwps = process.leader.num_threads = tids.size();
		process.leader.comm = comm;
		process.leader.starttime = 1000 + pid;
		strcpy(proc.k.comm, comm);
		for (int tid : tids) {
			proc.lwps.push_back({++lwpid, tid, BSDPROC_LSSLEEP,
					     tid == pid ? BSDPROC_LWP_MAIN : 0u});
			process.threads[tid] = 'S';
		}
	}

	void kill(int pid)
	{
		Proc &proc = model.procs[pid];

		proc.k.stat = BSDPROC_SZOMB;
		proc.k.nthreads = 0;
		proc.k.vmsharers = 0;
		for (bsdproc_klwp &lwp : proc.lwps)
			lwp.stat = BSDPROC_LSZOMB;
		for (auto &[tid, state] : linux[pid].threads)
			state = 'Z';
	}

	Texts found()
	{
		Texts all = texts(compare(model, linux)), more = texts(compare_families(model));
		all.insert(all.end(), more.begin(), more.end());
		return all;
	}

	Proc &ours(int pid) { return model.procs.at(pid); }

	LinuxProc &theirs(int pid) { return linux.at(pid); }

	Model model;
	LinuxModel linux;
};

TEST_F(Compare, Agreement)
{
	EXPECT_EQ(found(), Texts{});
}

TEST_F(Compare, RunningAndSleepingAreOne)
{
	ours(123).lwps[0].stat = BSDPROC_LSRUN;
	for (char state : {'R', 'S', 'D', 'I'}) {
		theirs(123).threads[125] = state;
		EXPECT_EQ(found(), Texts{}) << state;
	}
}

TEST_F(Compare, Numbers)
{
	ours(123).k.ppid = 40;
	ours(123).k.pgid = 5;
	ours(123).k.sid = 6;
	EXPECT_EQ(texts(compare(model, linux)), (Texts{"pid 123: parent: model 40, /proc 1",
						       "pid 123: process group: model 5, /proc 123",
						       "pid 123: session: model 6, /proc 1"}));
}

TEST_F(Compare, ParentOfAKernelThreadsChild)
{
	ours(40).k.ppid = 2;
	EXPECT_EQ(texts(compare(model, linux)), Texts{"pid 40: parent: model 2, /proc 0"});
}

TEST_F(Compare, ParentOutOfSightMustBeSoInBoth)
{
	ours(123).k.ppid = 0;
	EXPECT_EQ(texts(compare(model, linux)), Texts{"pid 123: parent: model 0, /proc 1"});
}

TEST_F(Compare, Presence)
{
	model.procs.erase(123);
	linux.erase(40);
	strcpy(model.procs[2].k.comm, "kthreadd");
	Texts expected{"pid 2: kernel thread: model \"kthreadd\", expected none",
		       "pid 40: process: model \"helper\", /proc none",
		       "pid 123: process: model none, /proc \"work\""};
	Texts now = texts(compare(model, linux));
	for (const std::string &text : expected)
		EXPECT_NE(std::find(now.begin(), now.end(), text), now.end()) << text;
}

TEST_F(Compare, TheList)
{
	model.twice = {123};
	model.gone = {55};
	model.impossible = {0};
	EXPECT_EQ(
		found(),
		(Texts{"pid 0: list: model listed, expected no such pid",
		       "pid 55: list: model listed, but there is no such proc, expected both or neither",
		       "pid 123: list: model listed twice, expected once"}));
	EXPECT_EQ(texts(compare(model, linux, {1, 123})),
		  Texts{"pid 123: list: model listed twice, expected once"});
}

TEST_F(Compare, Threads)
{
	theirs(123).threads.erase(125);
	theirs(123).threads[126] = 'R';
	EXPECT_EQ(found(), (Texts{"pid 123: thread 125: model alive, /proc none",
				  "pid 123: thread 126: model none, /proc alive"}));
}

TEST_F(Compare, ThreadCountOfLinux)
{
	theirs(123).leader.num_threads = 3;
	EXPECT_EQ(found(), Texts{"pid 123: threads: model 2, /proc 3"});
}

TEST_F(Compare, AThreadThatStoppedAlone)
{
	theirs(123).threads[125] = 't';
	EXPECT_EQ(found(), Texts{"pid 123: thread 125 state: model alive, /proc stopped"});
	ours(123).lwps[1].stat = BSDPROC_LSSTOP;
	EXPECT_EQ(found(), Texts{}) << "the proc may be active or stopped then";
	ours(123).k.stat = BSDPROC_SSTOP;
	EXPECT_EQ(found(), Texts{});
}

TEST_F(Compare, StoppedProcess)
{
	for (auto &[tid, state] : theirs(123).threads)
		state = 'T';
	for (bsdproc_klwp &lwp : ours(123).lwps)
		lwp.stat = BSDPROC_LSSTOP;
	EXPECT_EQ(found(), Texts{"pid 123: state: model active, /proc stopped"});
	ours(123).k.stat = BSDPROC_SSTOP;
	EXPECT_EQ(found(), Texts{});
	for (auto &[tid, state] : theirs(123).threads)
		state = 'S';
	EXPECT_EQ(found().back(), "pid 123: thread 125 state: model stopped, /proc alive");
	EXPECT_EQ(found().front(), "pid 123: state: model stopped, /proc active");
}

TEST_F(Compare, LeaderThatEndedFirst)
{
	theirs(123).leader.state = theirs(123).threads[123] = 'Z';
	EXPECT_EQ(found(), Texts{"pid 123: thread 123 state: model alive, /proc zombie"});
	ours(123).lwps[0].stat = BSDPROC_LSZOMB;
	EXPECT_EQ(found(), Texts{"pid 123: nthreads: model 2, counted 1"});
	ours(123).k.nthreads = 1;
	EXPECT_EQ(found(), Texts{});
}

TEST_F(Compare, Zombies)
{
	ours(130).k.stat = BSDPROC_SACTIVE;
	ours(130).k.vmsharers = 1;
	EXPECT_EQ(found(),
		  (Texts{"pid 130: nthreads: model 0, expected 1 or more, as it is not a zombie",
			 "pid 130: state: model active, /proc zombie",
			 "pid 1: nzombies: model 1, counted 0"}));
}

TEST_F(Compare, SharersOfAnAddressSpace)
{
	ours(130).k.vmsharers = 2;
	ours(123).k.vmsharers = 0;
	EXPECT_EQ(found(),
		  (Texts{"pid 123: vmsharers: model 0, expected 1 or more, as it is not exiting",
			 "pid 130: vmsharers: model 2, expected 0"}));
	ours(123).k.flags |= BSDPROC_P_WEXIT;
	ours(130).k.vmsharers = 0;
	EXPECT_EQ(found(), Texts{});
}

TEST_F(Compare, ZombieThatIsAliveForLinux)
{
	theirs(130).threads[130] = 'R';
	EXPECT_EQ(found(), (Texts{"pid 130: state: model zombie, /proc active",
				  "pid 130: thread 130 state: model zombie, /proc alive"}));
}

TEST_F(Compare, ProcThatStaysUnborn)
{
	ours(40).k.stat = BSDPROC_SIDL;
	EXPECT_EQ(found(), Texts{"pid 40: state: model being created, /proc active"});
}

TEST_F(Compare, LwpIds)
{
	ours(123).lwps[1].lwpid = 1;
	EXPECT_EQ(found(), Texts{"pid 123: lwps with id 1: model 2, expected 1"});
	ours(123).lwps[1].lwpid = 0;
	EXPECT_EQ(found(), Texts{"pid 123: lwp id of thread 125: model 0, expected 1 or more"});
	ours(123).lwps[1] = {7, 123, BSDPROC_LSRUN, 0};
	theirs(123).threads.erase(125);
	EXPECT_EQ(found(), Texts{"pid 123: lwps of thread 123: model 2, expected 1"});
}

TEST_F(Compare, MainLwp)
{
	ours(123).lwps[0].flags = 0;
	EXPECT_EQ(found(), Texts{"pid 123: main lwps: model 0, expected 1"});
	ours(123).lwps[1].flags = BSDPROC_LWP_MAIN;
	EXPECT_EQ(found(), Texts{"pid 123: main lwp's thread: model 125, expected 123"});
}

TEST_F(Compare, Counts)
{
	ours(123).k.nlwps = 3;
	theirs(123).leader.num_threads = 3;
	ours(1).k.nchildren = 3;
	ours(40).k.nzombies = 1;
	EXPECT_EQ(found(), (Texts{"pid 40: nzombies: model 1, expected at most nchildren, 0",
				  "pid 123: nlwps: model 3, counted 2",
				  "pid 1: nchildren: model 3, counted 2",
				  "pid 40: nzombies: model 1, counted 0"}));
}

TEST_F(Compare, ZombieThatNobodyCanWaitForYet)
{
	ours(1).k.nzombies = 0;
	EXPECT_EQ(found(), Texts{});
}

TEST_F(Compare, ParentThatTheModelLost)
{
	ours(123).k.ppid = theirs(123).leader.ppid = 99;
	EXPECT_EQ(found(), (Texts{"pid 1: nchildren: model 2, counted 1",
				  "pid 123: parent: model 99, expected one that the model has"}));
}

TEST_F(Compare, ProcUnderAnotherNumber)
{
	ours(123).k.pid = 124;
	EXPECT_EQ(found(), Texts{"pid 123: pid: model 124, expected 123"});
}

} // namespace
