// SPDX-License-Identifier: GPL-2.0-only
// What a test of the core starts from: a Linux, and the module in it.
#pragma once

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "linux.hh"

namespace sim
{

// Errors of the core, positive.
inline constexpr int restartsys = 512;

// What one CPU does, in steps.
using steps = std::vector<std::function<void()>>;

struct world {
	kernel linux_;
	bool loaded = false; // events are connected
	bool ready = false;  // and calls are answered

	world() = default;
	~world();

	// insmod, and its steps.
	int load();
	void load_begin(); // the core is ready, the events are connected
	int load_end();    // everybody alive is adopted
	// rmmod: whoever is between its exit event and its task_work comes
	// through. Expects that nothing is left.
	void unload();

	// Every process but init ends and is reaped, from wherever it is.
	void end_everything();
	// The steps of a task's exit that are still to come.
	steps exit_of(task_struct *task);
};

// Both as text, a line for each process.
std::string text_of_linux(kernel &linux_);
std::string text_of_model(kernel &linux_);
// For a quiet moment: no task is inside do_exit.
void expect_model_equals_linux(kernel &linux_, const char *file, int line);
// At any moment: what can be seen of the model's tree is Linux's.
void expect_parents_equal_linux(kernel &linux_, const char *file, int line);
// At any moment: who waits for whomever is told what Linux would say.
void expect_waits_equal_linux(kernel &linux_, const char *file, int line);
#define EXPECT_WAITS_EQUAL_LINUX() expect_waits_equal_linux(linux_, __FILE__, __LINE__)
#define EXPECT_MODEL_EQUALS_LINUX() expect_model_equals_linux(linux_, __FILE__, __LINE__)
#define EXPECT_PARENTS_EQUAL_LINUX() expect_parents_equal_linux(linux_, __FILE__, __LINE__)

struct view {
	int error;
	core_kproc proc;
	int ppid;
	std::vector<core_klwp> lwps;
};
view look_at(pid *pid);
view look_at(const task_struct *task);

// ---- calls of a task ----

struct waited {
	int error = 0; // positive errno
	int pid = 0, xstat = 0;
	bool shared = false;
	unsigned what = 0; // CORE_W*, 0: an end

	bool operator==(const waited &) const = default;
};
std::ostream &operator<<(std::ostream &out, const waited &w);

struct wait_for {
	core_idtype idtype = CORE_P_ALL;
	::pid *id = nullptr;
	bool nohang = false, linuxclone = false;
	unsigned options = CORE_WEXITED; // besides
	unsigned user = 0;
};

waited wait(task_struct *task, const wait_for &what = {});
inline waited wait_nohang(task_struct *task, wait_for what = {})
{
	what.nohang = true;
	return wait(task, what);
}
void wait_end(task_struct *task);
// Claims, reaps natively and gives the claim back, as the library does.
waited wait_and_reap(task_struct *task, const wait_for &what = {});
int extexit(task_struct *task, core_who who, host_setint *setint = nullptr);
int lwp_tid(task_struct *task);

// Variant symbols, with the level first; 0 or a positive errno.
int varsym_set(task_struct *task, core_varsym_level level, const std::string &name,
	       const std::string &data);
int varsym_delete(task_struct *task, core_varsym_level level, const std::string &name);
// "?" and the errno: there is none.
std::string varsym_get(task_struct *task, const std::string &name, unsigned mask = 0xe);
// All of a level: "name=data name=data".
std::string varsym_list(task_struct *task, core_varsym_level level = CORE_VARSYM_PROC);

// A task that calls wait and may sleep in it.
class sleeper
{
public:
	explicit sleeper(task_struct *task, const wait_for &what = {});
	~sleeper();
	// Until it sleeps or returns; whether it sleeps.
	bool asleep();
	waited result();

private:
	task_struct *task_;
	waited result_;
	bool done_ = false; // under the tasklist
	std::thread thread_;
};

// Calls each() with every order of counts[0] zeros, counts[1] ones and so on.
void for_each_order(const std::vector<unsigned> &counts,
		    const std::function<void(const std::vector<unsigned> &)> &each);

// Has actors made anew, and does their steps in an order of each's own, for every
// such order; calls after() after each step with how many were done.
void in_every_order(const std::function<std::vector<steps>()> &make,
		    const std::function<void(unsigned)> &after);

// A test with the module loaded; leaves when all it did is over.
class CoreTest : public testing::Test, protected world
{
protected:
	void SetUp() override { ASSERT_EQ(load(), 0); }
	void TearDown() override;
};

// The same, but the test loads it.
class CoreLateTest : public CoreTest
{
protected:
	void SetUp() override {}
};

} // namespace sim
