// SPDX-License-Identifier: BSD-2-Clause
// What the storm programs share: their options, their rounds, their verdict.
//
//   storm_X [--procs N] [--rounds N] [--bsd]
//
// N workers run N rounds each. SIGTERM ends the storm after the round it is in. --bsd: wait
// and exit by bsdproc's calls, else by Linux's. Exit status 0: every result was right.
#ifndef STORM_H
#define STORM_H

#include "vm_proc.h"

#include <getopt.h>
#include <sys/prctl.h>

#include <cstdarg>
#include <map>
#include <vector>

#include "bsdproc.h"

namespace storm
{

using namespace vm;

struct Options {
	int procs = 4, rounds = 100;
	bool bsd = false;
};

// Shared with the workers: whoever gets the signal, all of them stop.
inline std::atomic<int> *stop;
inline const char *program = "storm";
inline int wrong;

inline Options parse(int argc, char **argv)
{
	static const struct option known[] = {
		{"procs", required_argument, nullptr, 'p'},
		{"rounds", required_argument, nullptr, 'r'},
		{"bsd", no_argument, nullptr, 'b'},
		{},
	};
	Options options;
	program = argv[0];
	for (int c; (c = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
		if (c == 'p')
			options.procs = atoi(optarg);
		else if (c == 'r')
			options.rounds = atoi(optarg);
		else if (c == 'b')
			options.bsd = true;
		else
			exit(64);
	}
	if (optind != argc || options.procs < 1 || options.rounds < 1) {
		fprintf(stderr, "usage: %s [--procs N] [--rounds N] [--bsd]\n", program);
		exit(64);
	}
	return options;
}

__attribute__((format(printf, 2, 3))) inline void expect(bool right, const char *format, ...)
{
	if (right)
		return;
	int saved = errno;
	va_list args;
	va_start(args, format);
	fprintf(stderr, "%s[%d]: ", program, getpid());
	vfprintf(stderr, format, args);
	fprintf(stderr, " (errno %d)\n", saved);
	va_end(args);
	wrong++;
}

static_assert(WLINUXCLONE == __WCLONE, "either kind of wait knows the same flags");

// Waits for `id`, past interruptions; status of nobody: -1.
inline pid_t collect(const Options &options, pid_t id, int *status, int flags = 0)
{
	pid_t pid;
	do
		pid = options.bsd ? bsd_wait4(id, status, flags, nullptr)
				  : wait4(id, status, flags, nullptr);
	while (pid < 0 && errno == EINTR);
	return pid;
}

inline void expect_end(const Options &options, pid_t pid, int want)
{
	int status = -1;
	pid_t got = collect(options, pid, &status);
	expect(got == pid && status == want, "waited for %d: got %d with status %#x, not %#x", pid,
	       got, static_cast<unsigned>(status), static_cast<unsigned>(want));
}

// Wait statuses, and how often each was met.
using Count = std::map<int, int>;

// Collects until there are no more.
inline Count collect_all(const Options &options, pid_t id = -1, int flags = 0)
{
	Count seen;
	int status = -1;
	while (collect(options, id, &status, flags) > 0)
		seen[status]++;
	expect(errno == ECHILD, "the wait for %d ended otherwise", id);
	return seen;
}

inline std::string text_of(const Count &count)
{
	std::string text;
	char buf[32];
	for (auto [status, times] : count) {
		snprintf(buf, sizeof(buf), " %d x %#x", times, static_cast<unsigned>(status));
		text += buf;
	}
	return text;
}

inline void expect_count(const Count &seen, const Count &want, const char *what, int n)
{
	expect(seen == want, "%s, round %d: met%s, not%s", what, n, text_of(seen).c_str(),
	       text_of(want).c_str());
}

inline void end_process(const Options &options, int code)
{
	if (options.bsd)
		bsd_extexit(EXTEXIT_PROC | EXTEXIT_SIMPLE, code, nullptr);
	_exit(options.bsd ? 97 : code);
}

inline void end_thread(const Options &options, int code)
{
	if (options.bsd)
		bsd_extexit(EXTEXIT_LWP | EXTEXIT_SIMPLE, code, nullptr);
	exit_thread_raw(options.bsd ? 97 : code);
}

// Runs `round(n)` in each worker; the exit status of the program.
template <class F> int run(const Options &options, F round)
{
	Shared<std::atomic<int>> stopped;
	stop = &*stopped;
	struct sigaction act = {};
	act.sa_handler = [](int) { *stop = 1; };
	act.sa_flags = SA_RESTART;
	sigaction(SIGTERM, &act, nullptr);
	std::vector<pid_t> pids;
	for (int p = 0; p < options.procs; p++)
		pids.push_back(spawn([&] {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			// Whom it leaves behind in a round shall come to it, to be met.
			prctl(PR_SET_CHILD_SUBREAPER, 1);
			for (int n = 0; n < options.rounds && !*stop; n++)
				round(n + p);
			return wrong ? 1 : 0;
		}));
	for (pid_t pid : pids) {
		int status = native_reap(pid);
		expect(status == 0, "worker %d ended with %#x", pid, static_cast<unsigned>(status));
	}
	return wrong ? 1 : 0;
}

} // namespace storm

#endif // STORM_H
