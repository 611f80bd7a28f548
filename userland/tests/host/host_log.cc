// SPDX-License-Identifier: GPL-2.0-only
// What goes to the kernel's log.
#include <mutex>
#include <utility>

#include "linux.hh"

using namespace sim;

namespace
{

std::mutex mutex;
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

void host_warn(const char *what, const void *)
{
	must_hold_no_core_lock(__func__);
	std::lock_guard g(mutex);
	said.push_back(what);
}

void host_assert_failed(const char *what)
{
	die("assertion failed: %s", what);
}

void host_init_died(int signal, int exit)
{
	must_hold_no_core_lock(__func__);
	std::lock_guard g(mutex);
	said.push_back("init died " + std::to_string(signal) + " " + std::to_string(exit));
}
