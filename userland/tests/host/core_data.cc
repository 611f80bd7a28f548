// SPDX-License-Identifier: GPL-2.0-only
// Each load of a module starts with the data it was linked with. The build puts
// the core's into sections of their own, see core.mk.
#include <vector>

#include "host.hh"

extern "C" {
extern char __start_core_data[] __attribute__((weak));
extern char __stop_core_data[] __attribute__((weak));
extern char __start_core_bss[] __attribute__((weak));
extern char __stop_core_bss[] __attribute__((weak));
// In a program that measures its coverage, whose counters lie there too.
void __gcov_dump(void) __attribute__((weak));
void __gcov_reset(void) __attribute__((weak));
}

namespace
{

// Byte by byte and unchecked: what the sanitizers keep between variables is
// moved along.
__attribute__((no_sanitize("address"), noinline)) void copy(volatile char *to,
							    const volatile char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = from[i];
}

struct section {
	char *start, *stop;
	std::vector<char> linked;

	section(char *from, char *to) : start{from}, stop{to}, linked(to - from)
	{
		copy(linked.data(), start, linked.size());
	}
	void reset() { copy(start, linked.data(), linked.size()); }
};

} // namespace

void sim::core_data_reset()
{
	static section data{__start_core_data, __stop_core_data};
	static section bss{__start_core_bss, __stop_core_bss};

	if (__gcov_dump) {
		__gcov_dump();
		__gcov_reset();
	}
	data.reset();
	bss.reset();
}
