// SPDX-License-Identifier: BSD-2-Clause
// The overlay in C++17, and that its calls are libbsdproc's, in C too: tests/overlay/names.c.
#include <cstdlib>
#include <unistd.h>
#include <signal.h>
#include <sys/lwp.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/unistd.h>
#include <sys/wait.h>

#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <future>
#include <map>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "../overlay/names.h"
#include "../overlay/numbers.h"

// After the overlay: what both define is the same.
#include "bsdproc.h"

namespace
{

using Function = void (*)();

const call calls_of_cxx[] = {CALLS, {nullptr, nullptr, nullptr}};

const std::map<std::string, Function> &ours()
{
	static const std::map<std::string, Function> map = {
#define OURS(name) {#name, ANY_FUNCTION(bsd_##name)}
		OURS(extexit), OURS(wait),       OURS(waitpid),  OURS(wait3),
		OURS(wait4),   OURS(wait6),      OURS(waitid),   OURS(rfork_thread),
		OURS(procctl), OURS(lwp_gettid), OURS(lwp_kill),
	};
	return map;
}

void expect_ours(const call *at)
{
	size_t n = 0;
	for (; at->name; at++, n++) {
		EXPECT_EQ(at->function, ours().at(at->name)) << at->name;
		EXPECT_EQ(at->address, ours().at(at->name)) << at->name;
	}
	EXPECT_EQ(n, ours().size());
}

// Methods and variables of those names.
struct Waiter {
	int wait() const { return 1; }
	static int wait4(int waitpid) { return waitpid; }
	int waitid = 2;
};

} // namespace

TEST(OverlayNames, CallsOfC)
{
	expect_ours(calls_of_c);
}

TEST(OverlayNames, CallsOfCxx)
{
	expect_ours(calls_of_cxx);
}

TEST(OverlayNames, NamesAreLeftAlone)
{
	std::mutex mutex;
	std::condition_variable told;
	bool is_told = false;
	auto value = std::async(std::launch::async, [&] {
		const std::lock_guard lock(mutex);
		is_told = true;
		told.notify_one();
		return 3;
	});
	std::unique_lock lock(mutex);
	told.wait(lock, [&] { return is_told; });
	lock.unlock();
	value.wait();
	EXPECT_EQ(value.get() + Waiter().wait() + Waiter::wait4(4) + Waiter().waitid, 10);
}

// No module, or at least no child: the call was libbsdproc's, which says so.
TEST(OverlayNames, CallsCome)
{
	int status = 0;
	EXPECT_EQ(::wait(&status), -1);
	EXPECT_TRUE(errno == ENOSYS || errno == ECHILD) << errno;
}
