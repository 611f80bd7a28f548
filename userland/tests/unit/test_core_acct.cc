// SPDX-License-Identifier: GPL-2.0-only
// acct_process: one record for each process that ends, however it does, with what the model
// knows of it.
#include "world.hh"

using namespace sim;

namespace
{

class CoreAcct : public CoreLateTest
{
protected:
	void SetUp() override { acct_read(true); }
	void TearDown() override
	{
		memory_fault::fail_until_waits(0);
		acct_read(false);
		CoreLateTest::TearDown();
	}
	static void no_memory() { memory_fault::fail_until_waits(1000); }
	// The record of a process, and that there is no other.
	static account only(const task_struct *task)
	{
		const std::vector<account> all = accounts();
		EXPECT_EQ(all.size(), 1u);
		if (all.empty())
			return {};
		EXPECT_EQ(all[0].pid, task->signal->tgid->nr);
		return all[0];
	}
};

TEST_F(CoreAcct, StatusAndFlags)
{
	ASSERT_EQ(load(), 0);
	const struct {
		int status;
		bool exec;
		unsigned flags;
	} cases[] = {
		{0, false, HOST_AFORK},
		{3 << 8, true, 0},
		{9, true, HOST_AXSIG},
		{11 | 0x80, false, HOST_AFORK | HOST_AXSIG | HOST_ACORE},
	};
	for (const auto &c : cases) {
		acct_read(true);
		task_struct *p = linux_.fork(linux_.init());
		p->tty = 0x8801;
		if (c.exec)
			linux_.exec(p);
		linux_.exit(p, c.status);
		EXPECT_EQ(only(p), (account{p->signal->tgid->nr, c.status, c.flags, 0x8801}));
	}
}

TEST_F(CoreAcct, NobodyReads)
{
	ASSERT_EQ(load(), 0);
	acct_read(false);
	linux_.exit(linux_.fork(linux_.init()));
	EXPECT_TRUE(accounts().empty());
}

// At the stage of the seed: after the callouts, and before anybody can wait for it.
TEST_F(CoreAcct, BeforeTheZombie)
{
	ASSERT_EQ(load(), 0);
	task_struct *p = linux_.fork(linux_.init());
	linux_.exit_until(p, stage::told);
	EXPECT_TRUE(accounts().empty());
	linux_.exit_until(p, stage::worked);
	EXPECT_EQ(accounts().size(), 1u);
	linux_.exit(p);
	EXPECT_EQ(accounts().size(), 1u);
}

// A privilege that any thread used is the process's, whoever ends last.
TEST_F(CoreAcct, OfAllThreads)
{
	ASSERT_EQ(load(), 0);
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exec(p);
	task_struct *third = linux_.thread(p), *fourth = linux_.thread(p);
	EXPECT_NE(second, third);
	third->privileged = true;
	linux_.exit(third);
	linux_.exit(p);
	EXPECT_TRUE(accounts().empty());
	linux_.exit(fourth, 7 << 8);
	EXPECT_EQ(only(p), (account{p->signal->tgid->nr, 7 << 8, HOST_ASU, 0}));
}

// Linux takes the terminal away between the exit's beginning and exit1.
TEST_F(CoreAcct, TheTerminalOfItsLife)
{
	ASSERT_EQ(load(), 0);
	task_struct *p = linux_.fork(linux_.init());
	p->tty = 0x0401;
	linux_.exit_until(p, stage::told);
	p->tty = 0;
	linux_.exit(p);
	EXPECT_EQ(only(p).tty, 0x0401u);
}

// Of those older than the module, Linux knows whether they ever called exec.
TEST_F(CoreAcct, Adopted)
{
	task_struct *forked = linux_.fork(linux_.init()), *execed = linux_.fork(linux_.init());
	task_struct *later = linux_.fork(linux_.init());
	linux_.exec(execed);
	ASSERT_EQ(load(), 0);
	linux_.exit(forked);
	EXPECT_EQ(only(forked).flags, unsigned(HOST_AFORK));
	acct_read(true);
	linux_.exit(execed);
	EXPECT_EQ(only(execed).flags, 0u);
	acct_read(true);
	linux_.exec(later);
	linux_.exit(later);
	EXPECT_EQ(only(later).flags, 0u);
}

TEST_F(CoreAcct, Unknown)
{
	ASSERT_EQ(load(), 0);
	no_memory();
	task_struct *p = linux_.fork(linux_.init()), *execed = linux_.fork(linux_.init());
	p->tty = 5;
	p->privileged = true;
	linux_.exit(p, 6);
	EXPECT_EQ(only(p),
		  (account{p->signal->tgid->nr, 6, HOST_AFORK | HOST_AXSIG | HOST_ASU, 5}));
	acct_read(true);
	linux_.exec(execed);
	linux_.exit(execed, 2 << 8);
	EXPECT_EQ(only(execed), (account{execed->signal->tgid->nr, 2 << 8, 0, 0}));
}

// Threads of one process end in every order of their steps, some of them known. With `begun`
// Linux has counted all of them down before any is told of.
void expect_one_record(unsigned threads, bool begun)
{
	for (unsigned known = 0; known < 1u << threads; known++) {
		SCOPED_TRACE(known);
		const std::vector<unsigned> counts(threads, begun ? 3 : 4);
		for_each_order(counts, [&](const std::vector<unsigned> &order) {
			world w;
			kernel &k = w.linux_;
			ASSERT_EQ(w.load(), 0);
			std::vector<task_struct *> tasks;
			for (unsigned i = 0; i < threads; i++) {
				memory_fault::fail_until_waits(known >> i & 1 ? 0 : 1000);
				tasks.push_back(i ? k.thread(tasks[0]) : k.fork(k.init()));
			}
			memory_fault::fail_until_waits(1000);
			acct_read(true);
			std::vector<steps> left;
			for (task_struct *task : tasks) {
				if (begun)
					k.exit_until(task, stage::begun);
				left.push_back(w.exit_of(task));
			}
			std::vector<unsigned> at(threads);
			for (const unsigned i : order)
				if (at[i] < left[i].size())
					left[i][at[i]++]();
			EXPECT_EQ(accounts().size(), 1u);
			memory_fault::fail_until_waits(0);
		});
	}
}

TEST_F(CoreAcct, TwoThreadsInEveryOrder)
{
	expect_one_record(2, false);
}

TEST_F(CoreAcct, ThreeThatBeganTogetherInEveryOrder)
{
	expect_one_record(3, true);
}

// One whose first thread the model met inside do_exit, and which never comes to exit1.
TEST_F(CoreAcct, StrandedThread)
{
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exit_until(p, stage::told);
	ASSERT_EQ(load(), 0);
	linux_.exit(second, 3 << 8);
	EXPECT_EQ(only(p).xstat, 3 << 8);
	linux_.exit(p);
	EXPECT_EQ(accounts().size(), 1u);
}

// One is remembered by its number until the exit after its last, and no longer.
TEST_F(CoreAcct, TheNumberOfAnUnknownIsDropped)
{
	ASSERT_EQ(load(), 0);
	no_memory();
	const int before = linux_.model_pid_refs();
	task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
	linux_.exit_until(second, stage::begun);
	linux_.exit(p);
	EXPECT_EQ(linux_.model_pid_refs(), before + 1);
	linux_.exit(linux_.fork(linux_.init())); // while its second thread is yet to come
	EXPECT_EQ(linux_.model_pid_refs(), before + 1);
	linux_.exit(second);
	linux_.exit(linux_.fork(linux_.init()));
	EXPECT_EQ(linux_.model_pid_refs(), before);
	EXPECT_EQ(accounts().size(), 3u);
}

// More unknown processes at a time than are remembered.
TEST_F(CoreAcct, ManyUnknown)
{
	ASSERT_EQ(load(), 0);
	no_memory();
	std::vector<task_struct *> first, second;
	for (int i = 0; i < 40; i++) {
		first.push_back(linux_.fork(linux_.init()));
		second.push_back(linux_.thread(first.back()));
	}
	for (int i = 0; i < 40; i++) {
		linux_.exit_until(second[i], stage::begun);
		linux_.exit(first[i], 1 << 8);
		linux_.exit(second[i], 1 << 8);
	}
	EXPECT_EQ(accounts().size(), 40u);
}

} // namespace
