// SPDX-License-Identifier: GPL-2.0-only
// KTRACE: what is told of a traced process, in which order, to whom, and when that ends.
#include "world.hh"

using namespace sim;

namespace
{

constexpr unsigned all =
	CORE_KTRFAC_SIG | CORE_KTRFAC_FORK | CORE_KTRFAC_EXEC | CORE_KTRFAC_EXIT | CORE_KTRFAC_WAIT;
constexpr int esrch = -3, enomem = -12, ebusy = -16;

// A descriptor, with what the core keeps for it.
struct trace : host_ktrace {
	core_ktrace *core = core_ktrace_new(this);

	~trace() { close(); }
	void close()
	{
		if (!core)
			return;
		core_ktrace_close(core);
		rcu_synchronize();
		closed = true;
		core_ktrace_free(core);
		core = nullptr;
	}
	int set(task_struct *leader, unsigned facs)
	{
		host_rcu_read_lock();
		const int error = core_ktrace_set(core, leader, facs);
		host_rcu_read_unlock();
		return error;
	}
};

int nr(const task_struct *task)
{
	return task->signal->tgid->nr;
}

// "A fork B" and the like, with the numbers of these.
std::string line(const task_struct *task, const std::string &event)
{
	return std::to_string(nr(task)) + event;
}
std::string line(const task_struct *task, const std::string &event, const task_struct *other,
		 const std::string &rest = "")
{
	return line(task, event) + std::to_string(nr(other)) + rest;
}

void send(task_struct *task, int signo, bool group = true)
{
	core_signal signal{};
	signal.signo = signo;
	signal.group = group;
	host_rcu_read_lock();
	core_task_signal(task, &signal);
	host_rcu_read_unlock();
}

void take(task_struct *task, int signo)
{
	core_signal signal{};
	signal.signo = signo;
	signal.delivered = true;
	as self(task);
	host_rcu_read_lock();
	core_task_signal(task, &signal);
	host_rcu_read_unlock();
}

void native_wait(task_struct *task, pid *whom)
{
	as self(task);
	host_rcu_read_lock();
	core_task_wait(whom);
	host_rcu_read_unlock();
}

using lines = std::vector<std::string>;

class CoreKtrace : public CoreTest
{
};

// The life of a process and its child, as its trace tells it.
TEST_F(CoreKtrace, ALife)
{
	trace t;
	EXPECT_TRUE(t.over());
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, all), 0);
	EXPECT_FALSE(t.over());
	task_struct *child = linux_.fork(p);
	const int child_nr = nr(child);
	linux_.exec(p);
	linux_.exit(child, 3 << 8);
	native_wait(p, nullptr);
	linux_.reap(p, child);
	send(p, 15);
	take(p, 15);
	EXPECT_FALSE(t.over());
	linux_.group_exit(p, 15);
	linux_.exit(p, 15);
	const std::string number = std::to_string(child_nr);
	EXPECT_EQ(t.told(), (lines{line(p, " fork " + number), line(p, " exec"),
				   line(p, " wait any"), line(p, "? sig 15"), line(p, " psig 15"),
				   line(p, "? reap " + number + " 768"), line(p, " exit 15")}));
	EXPECT_TRUE(t.over());
}

// Only what was asked for, and nothing of others.
TEST_F(CoreKtrace, OnlyWhatWasAskedFor)
{
	const struct {
		unsigned facs;
		const char *events;
	} cases[] = {
		{CORE_KTRFAC_FORK, "fork"},      {CORE_KTRFAC_EXEC, "exec"},
		{CORE_KTRFAC_EXIT, "exit"},      {CORE_KTRFAC_SIG, "sig psig"},
		{CORE_KTRFAC_WAIT, "wait reap"}, {CORE_KTRFAC_INHERIT, ""},
	};
	for (const auto &c : cases) {
		trace t;
		task_struct *p = linux_.fork(linux_.init()), *other = linux_.fork(linux_.init());
		ASSERT_EQ(t.set(p, c.facs), 0);
		for (task_struct *task : {p, other}) {
			task_struct *child = linux_.fork(task);
			linux_.exec(task);
			linux_.exit(child);
			native_wait(task, child->signal->tgid);
			linux_.reap(task, child);
			send(task, 10);
			take(task, 10);
			linux_.exit(task);
		}
		std::string events;
		for (const std::string &told : t.told()) {
			const std::string event = told.substr(told.find(' ') + 1);
			events += (events.empty() ? "" : " ") + event.substr(0, event.find(' '));
			EXPECT_EQ(told.rfind(std::to_string(nr(p)), 0), 0u) << told;
		}
		EXPECT_EQ(events, c.events);
		linux_.idle_a_while();
	}
}

// Children are traced too, if that was asked for, and theirs; after the fork was told.
TEST_F(CoreKtrace, Inherited)
{
	for (bool inherit : {false, true}) {
		trace t;
		task_struct *p = linux_.fork(linux_.init());
		ASSERT_EQ(
			t.set(p, CORE_KTRFAC_FORK | (inherit ? unsigned(CORE_KTRFAC_INHERIT) : 0u)),
			0);
		task_struct *child = linux_.fork(p), *grandchild = linux_.fork(child);
		lines expected = {line(p, " fork ", child)};
		if (inherit)
			expected.push_back(line(child, " fork ", grandchild));
		EXPECT_EQ(t.told(), expected);
		linux_.exit(p);
		linux_.exit(child);
		EXPECT_EQ(t.over(), !inherit);
		linux_.exit(grandchild);
		EXPECT_TRUE(t.over());
	}
}

// The maker is who called fork, not the parent that CLONE_PARENT gives.
TEST_F(CoreKtrace, TheMakers)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, all | CORE_KTRFAC_INHERIT), 0);
	task_struct *sibling = linux_.copy_process(p, {.parent = true});
	linux_.newtask(sibling);
	linux_.exit(sibling, 1 << 8);
	EXPECT_EQ(t.told(), (lines{line(p, " fork ", sibling), line(sibling, " exit 256")}));
}

TEST_F(CoreKtrace, ThreadsAreNamed)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	ASSERT_EQ(t.set(p, all), 0);
	const std::string by = "/" + std::to_string(thread->thread_pid->nr);
	task_struct *child = linux_.fork(thread);
	send(thread, 10, false);
	send(thread, 12, true);
	take(thread, 12);
	native_wait(thread, child->signal->tgid);
	linux_.exit(p);
	linux_.exit(thread, 0);
	EXPECT_EQ(t.told(), (lines{line(p, by + " fork ", child), line(p, by + " sig 10"),
				   line(p, "? sig 12"), line(p, by + " psig 12"),
				   line(p, by + " wait ", child), line(p, by + " exit 0")}));
}

// A wait of ours is told when it begins, also one that finds nobody.
TEST_F(CoreKtrace, BsdWait)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, CORE_KTRFAC_WAIT), 0);
	EXPECT_EQ(wait_nohang(p).error, 10);
	task_struct *child = linux_.fork(p);
	linux_.exit(child, 7);
	const int child_nr = nr(child);
	EXPECT_EQ(wait_and_reap(p, {.idtype = CORE_P_PID, .id = child->signal->tgid}).pid,
		  child_nr);
	linux_.idle_a_while();
	const std::string number = std::to_string(child_nr);
	EXPECT_EQ(t.told(), (lines{line(p, " wait any"), line(p, " wait " + number),
				   line(p, "? reap " + number + " 7")}));
}

// One trace at a time; another gets it when the first has let go.
TEST_F(CoreKtrace, OneAtATime)
{
	trace t, other;
	task_struct *p = linux_.fork(linux_.init());
	EXPECT_EQ(t.set(p, 0), esrch);
	ASSERT_EQ(t.set(p, CORE_KTRFAC_EXEC), 0);
	EXPECT_EQ(other.set(p, all), ebusy);
	EXPECT_EQ(other.set(p, 0), ebusy);
	EXPECT_EQ(t.set(p, CORE_KTRFAC_FORK), 0); // in place of the others
	linux_.exec(p);
	EXPECT_EQ(t.told(), lines{});
	EXPECT_EQ(t.set(p, 0), 0);
	EXPECT_TRUE(t.over());
	EXPECT_EQ(other.set(p, all), 0);
	linux_.exec(p);
	EXPECT_EQ(t.told(), lines{});
	EXPECT_EQ(other.told(), lines{line(p, " exec")});
}

// Closing ends it for all, and leaves nothing behind.
TEST_F(CoreKtrace, Closed)
{
	task_struct *p = linux_.fork(linux_.init()), *other = linux_.fork(linux_.init());
	{
		trace t;
		ASSERT_EQ(t.set(p, all | CORE_KTRFAC_INHERIT), 0);
		ASSERT_EQ(t.set(other, all), 0);
		t.close();
		linux_.exec(p);
		EXPECT_EQ(t.told(), lines{});
	}
	linux_.fork(p);
	linux_.exit(p);
	linux_.exit(other);
}

TEST_F(CoreKtrace, WhoCannotBeTraced)
{
	trace t;
	EXPECT_EQ(t.set(linux_.kthreadd(), all), esrch);
	task_struct *p = linux_.fork(linux_.init());
	linux_.exit_until(p, stage::worked);
	EXPECT_EQ(t.set(p, all), esrch);
	EXPECT_TRUE(t.over());
	linux_.exit(p);
	EXPECT_EQ(t.set(p, all), esrch);
	EXPECT_EQ(t.told(), lines{});
}

// An exec of another thread is no end.
TEST_F(CoreKtrace, InAnExec)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
	linux_.exec_begin(thread);
	linux_.exit_until(p, stage::worked);
	ASSERT_EQ(t.set(p, all), 0);
	linux_.exit(p);
	linux_.de_thread(thread);
	linux_.exec_event(thread);
	EXPECT_EQ(t.told(), lines{line(thread, " exec")});
	linux_.exit(thread, 9);
	EXPECT_EQ(t.told(), (lines{line(thread, " exec"), line(thread, " exit 9")}));
	EXPECT_TRUE(t.over());
}

// A program that gives rights is traced on only by who has them too; and that is told.
TEST_F(CoreKtrace, ProgramThatGivesRights)
{
	for (bool may : {false, true}) {
		trace t;
		t.may = may;
		task_struct *p = linux_.fork(linux_.init());
		ASSERT_EQ(t.set(p, all), 0);
		p->signal->gains_rights = true;
		linux_.exec(p);
		EXPECT_EQ(t.over(), !may);
		linux_.exit(p);
		EXPECT_EQ(t.told(), may ? (lines{line(p, " exec"), line(p, " exit 0")})
					: (lines{line(p, " exec"), line(p, " stop")}));
	}
}

// The exit is told before anybody can wait for it, and it is the last.
TEST_F(CoreKtrace, BeforeTheZombie)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, all), 0);
	linux_.exit_until(p, stage::told, 1 << 8);
	EXPECT_EQ(t.told(), lines{});
	linux_.exit_until(p, stage::worked);
	EXPECT_EQ(t.told(), lines{line(p, " exit 256")});
	send(p, 9);
	linux_.exit(p);
	linux_.idle_a_while();
	EXPECT_EQ(t.told(), lines{line(p, " exit 256")});
}

// One that has no pipeline, as the model could not have its last thread.
TEST_F(CoreKtrace, NoPipeline)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, all), 0);
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(p);
	const std::string by = "/" + std::to_string(missed->thread_pid->nr);
	linux_.exit(p, 4 << 8);
	linux_.exit(missed, 5 << 8);
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(t.told(), lines{line(p, by + " exit 1280")});
	EXPECT_TRUE(t.over());
}

// An exec by a thread that the model has missed leaves behind a proc that is nobody's.
TEST_F(CoreKtrace, LostInAnExec)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	const std::string number = std::to_string(nr(p));
	ASSERT_EQ(t.set(p, all), 0);
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(p);
	linux_.exec(missed);
	linux_.idle_a_while();
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(t.told(), lines{number + "? stop"});
	EXPECT_TRUE(t.over());
}

// A signal for a thread that the model has missed is its process's.
TEST_F(CoreKtrace, MissedThread)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, all), 0);
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(p);
	send(missed, 10);
	native_wait(missed, nullptr);
	memory_fault::fail_until_waits(0);
	const std::string by = "/" + std::to_string(missed->thread_pid->nr);
	EXPECT_EQ(t.told(), (lines{line(p, "? sig 10"), line(p, by + " wait any")}));
}

// A birth that was missed is told when the child is found, which is traced from then on.
TEST_F(CoreKtrace, MissedBirth)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, all | CORE_KTRFAC_INHERIT), 0);
	memory_fault::fail_nth(1);
	task_struct *child = linux_.fork(p);
	memory_fault::fail_nth(0);
	EXPECT_EQ(t.told(), lines{});
	{
		as worker(linux_.kthreadd());
		run_heal();
	}
	EXPECT_EQ(t.told(), lines{line(p, "? fork ", child)});
	linux_.exit(child, 2 << 8);
	EXPECT_EQ(t.told(), (lines{line(p, "? fork ", child), line(child, " exit 512")}));
}

// One that was missed may have got rights since.
TEST_F(CoreKtrace, MissedBirthOfAnothersProcess)
{
	trace t;
	t.may = false;
	task_struct *p = linux_.fork(linux_.init());
	ASSERT_EQ(t.set(p, all | CORE_KTRFAC_INHERIT), 0);
	memory_fault::fail_nth(1);
	task_struct *child = linux_.fork(p);
	memory_fault::fail_nth(0);
	{
		as worker(linux_.kthreadd());
		run_heal();
	}
	linux_.exit(child, 2 << 8);
	EXPECT_EQ(t.told(), lines{line(p, "? fork ", child)});
}

// By its rights when it is put on the trace, not when it was looked for.
TEST_F(CoreKtrace, AnothersProcess)
{
	trace t;
	task_struct *p = linux_.fork(linux_.init());
	p->signal->may_be_inspected = false;
	EXPECT_EQ(t.set(p, all), -1);
	EXPECT_EQ(t.set(p, 0), -1);
	EXPECT_TRUE(t.over());
}

// Many come and go, in the same chains.
TEST_F(CoreKtrace, Many)
{
	trace t;
	std::vector<task_struct *> tasks;
	for (int i = 0; i < 300; i++) {
		tasks.push_back(linux_.fork(linux_.init()));
		ASSERT_EQ(t.set(tasks.back(), CORE_KTRFAC_SIG), 0);
	}
	for (size_t i = 0; i < tasks.size(); i += 2)
		EXPECT_EQ(t.set(tasks[i], 0), 0);
	for (size_t i = 0; i < tasks.size(); i += 3)
		t.set(tasks[i], CORE_KTRFAC_SIG);
	lines expected;
	for (size_t i = 0; i < tasks.size(); i++) {
		send(tasks[i], 10);
		if (i % 2 || i % 3 == 0)
			expected.push_back(line(tasks[i], "? sig 10"));
	}
	EXPECT_EQ(t.told(), expected);
}

TEST_F(CoreKtrace, NoMemory)
{
	memory_fault::fail_nth(1);
	EXPECT_EQ(core_ktrace_new(nullptr), nullptr);
	memory_fault::fail_nth(0);

	trace t;
	memory_fault::fail_until_waits(1000);
	task_struct *p = linux_.fork(linux_.init());
	EXPECT_EQ(t.set(p, all), enomem);
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(t.set(p, all), 0);
}

} // namespace
