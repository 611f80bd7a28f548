// SPDX-License-Identifier: BSD-2-Clause
#include "tally.hh"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace fuzz
{

Tally *tally;
thread_local Place place;

void complain(const char *format, ...)
{
	// The first ones tell; a bug that shows in each call need not fill the log.
	if (tally->wrong++ >= 40)
		return;
	char line[512];
	size_t n = static_cast<size_t>(snprintf(
		line, sizeof(line), "fuzz_device[%d] seed %llu player %u.%u call %u: ", getpid(),
		static_cast<unsigned long long>(place.seed), place.player, place.thread,
		place.call));
	va_list args;
	va_start(args, format);
	vsnprintf(line + n, sizeof(line) - n - 1, format, args);
	va_end(args);
	n = strlen(line);
	line[n++] = '\n';
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
}

void print_outcomes()
{
	for (int r = 0; r <= kRequests; r++) {
		printf("%-8s", r < kRequests ? kRequest[r].name : "(others)");
		for (int e = 0; e < Outcomes::kLimit; e++)
			if (uint64_t n = tally->outcome[r][e])
				printf(" %s=%llu", e ? strerrorname_np(e) : "ok",
				       static_cast<unsigned long long>(n));
		printf("\n");
	}
	printf("waits that claimed a child: %llu\n",
	       static_cast<unsigned long long>(tally->claims));
}

} // namespace fuzz
