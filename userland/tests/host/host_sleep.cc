// SPDX-License-Identifier: GPL-2.0-only
// tsleep and wakeup.
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "linux.hh"

using namespace sim;

namespace
{

std::mutex mutex;
std::condition_variable slept;
std::atomic<unsigned> wakeups;

} // namespace

void host_sleep(const void *, int (*awake)(void *), void *arg)
{
	must_be_able_to_sleep(__func__);
	intrude();
	for (;;) {
		// Before the look, as a wake-up after it must not be lost.
		const unsigned before = wakeups;
		if (awake(arg))
			return;
		const auto woken = [before] { return wakeups != before; };
		if (turns_here) {
			turns_here->until(woken);
			continue;
		}
		if (!may_block)
			die("the test itself would sleep");
		std::unique_lock g(mutex);
		if (!slept.wait_for(g, lost_wakeup, woken))
			die("nobody woke a sleeper");
	}
}

void host_wakeup(const void *)
{
	intrude();
	std::lock_guard g(mutex);
	wakeups++;
	slept.notify_all();
}
