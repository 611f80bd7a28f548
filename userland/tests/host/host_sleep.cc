// SPDX-License-Identifier: GPL-2.0-only
// tsleep and wakeup; what goes to the log.
#include <condition_variable>
#include <mutex>
#include <utility>

#include "linux.hh"

using namespace sim;

namespace
{

std::mutex mutex;
std::condition_variable woken;
std::vector<std::string> said;

} // namespace

namespace sim
{

std::vector<std::string> warnings()
{
	std::lock_guard g(mutex);
	return std::exchange(said, {});
}

} // namespace sim

void host_sleep(const void *, int (*awake)(void *), void *arg)
{
	must_be_able_to_sleep(__func__);
	intrude();
	while (turns_here && !awake(arg))
		turns_here->until([=] { return awake(arg) != 0; });
	if (!may_block && !awake(arg))
		die("the test itself would sleep");
	std::unique_lock g(mutex);
	if (!woken.wait_for(g, lost_wakeup, [=] { return awake(arg) != 0; }))
		die("nobody woke a sleeper");
}

void host_wakeup(const void *)
{
	intrude();
	std::lock_guard g(mutex);
	woken.notify_all();
}

void host_warn(const char *what, const void *)
{
	must_hold_no_core_lock(__func__);
	std::lock_guard g(mutex);
	said.push_back(what);
}
