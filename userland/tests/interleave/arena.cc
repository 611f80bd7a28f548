// SPDX-License-Identifier: GPL-2.0-only
#include "arena.hh"

#include <algorithm>
#include <cstring>

namespace sim
{

namespace
{

constexpr size_t grain = 8;
alignas(64) char memory_of_all[1 << 18];
bool freed[sizeof(memory_of_all) / grain];
size_t used;

} // namespace

arena::arena()
{
	std::fill_n(freed, used / grain, false);
	used = 0;
	the_memory_source = this;
}

arena::~arena()
{
	the_memory_source = nullptr;
}

void *arena::get(size_t size)
{
	size = (size + 63) & ~size_t{63};
	if (used + size > sizeof(memory_of_all))
		die("the scenario is too large for its arena");
	void *object = memory_of_all + used;
	used += size;
	return memset(object, 0, size);
}

void arena::put(void *memory, size_t size)
{
	const size_t at = static_cast<char *>(memory) - memory_of_all;
	std::fill_n(freed + at / grain, size / grain, true);
}

bool arena::is_freed(const void *address)
{
	const size_t at = static_cast<const char *>(address) - memory_of_all;
	return at < used && freed[at / grain];
}

} // namespace sim
