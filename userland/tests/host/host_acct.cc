// SPDX-License-Identifier: GPL-2.0-only
// Who reads what is accounted for.
#include <atomic>
#include <mutex>

#include "linux.hh"

using namespace sim;

namespace
{

std::atomic<bool> wanted;
std::mutex mutex;
std::vector<account> records;

} // namespace

namespace sim
{

void acct_read(bool on)
{
	std::lock_guard g(mutex);
	wanted = on;
	records.clear();
}

std::vector<account> accounts()
{
	std::lock_guard g(mutex);
	return records;
}

} // namespace sim

int host_acct_wanted(void)
{
	return wanted;
}

unsigned host_tty(void)
{
	must_hold_no_core_lock(__func__);
	return current_task()->tty;
}

void host_acct(task_struct *task, const host_acct_end *end)
{
	must_be_in_rcu(__func__);
	must_hold_no_core_lock(__func__);
	intrude();
	std::lock_guard g(mutex);
	records.push_back({task->signal->tgid->nr, end->xstat, end->flags, end->tty});
}
