// SPDX-License-Identifier: GPL-2.0-only
#include "races.hh"

#include <algorithm>

namespace sim
{

races::races()
{
	for (unsigned t = 0; t < most_threads; t++) {
		now_[t].fill(0);
		now_[t][t] = 1;
	}
}

void races::join(clock &to, const clock &from)
{
	for (unsigned t = 0; t < most_threads; t++)
		to[t] = std::max(to[t], from[t]);
}

void races::acquire(unsigned thread, const void *sync)
{
	const auto at = syncs_.find(sync);
	if (at != syncs_.end())
		join(now_[thread], at->second);
}

void races::release(unsigned thread, const void *sync)
{
	join(syncs_[sync], now_[thread]);
	now_[thread][thread]++;
}

void races::acquire_all(unsigned thread)
{
	for (const clock &other : now_)
		join(now_[thread], other);
}

bool races::seen(unsigned thread, const clock &by) const
{
	for (unsigned t = 0; t < most_threads; t++)
		if (t != thread && by[t] > now_[thread][t])
			return false;
	return true;
}

const char *races::access(unsigned thread, const void *address, size_t size, bool write)
{
	const char *with = nullptr;
	for (uintptr_t at = uintptr_t(address); at < uintptr_t(address) + size; at++) {
		byte &b = bytes_[at];
		if (!seen(thread, b.written))
			with = "a write";
		else if (write && !seen(thread, b.read))
			with = "a read";
		(write ? b.written : b.read)[thread] = now_[thread][thread];
	}
	return with;
}

} // namespace sim
