// SPDX-License-Identifier: BSD-2-Clause
#ifndef VM_TEST_H
#define VM_TEST_H

#include "vm_proc.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>

#include "bsdproc.h"

namespace vm
{

inline constexpr int kSkipped = 77;
inline constexpr unsigned kHangLimit = 300;

inline void kill_children()
{
	std::string list = slurp("/proc/thread-self/children");
	for (char *at = list.data(), *end; *at; at = end) {
		pid_t pid = static_cast<pid_t>(strtol(at, &end, 10));
		if (end == at)
			break;
		kill(pid, SIGKILL);
	}
}

// Ends what a case left behind, however deep: the next one starts with no relatives.
inline void clear_children()
{
	for (;;) {
		kill_children();
		if (waitpid(-1, nullptr, __WALL) < 0 && errno == ECHILD)
			return;
	}
}

// Runs a case in a process of its own, so that no case inherits another's children,
// threads, signals or handles.
template <class F> void in_process(F body)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(nullptr);
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		setpgid(0, 0);
		// A shell has what it starts in the background ignore these.
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		alarm(kHangLimit);
		body();
		fflush(nullptr);
		_exit(testing::Test::HasFailure() ? 1 : testing::Test::IsSkipped() ? kSkipped : 0);
	}
	int status = native_reap(pid);
	clear_children();
	if (WIFEXITED(status) && WEXITSTATUS(status) == kSkipped)
		GTEST_SKIP() << "see above";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		FAIL() << "hung";
	EXPECT_EQ(status, 0) << "wait status of the case's process";
}

// A case: `VM_TEST(Suite, Name) { ... }`, its body in its own process.
#define VM_TEST(suite, name)                           \
	static void suite##_##name##_body();           \
	TEST(suite, name)                              \
	{                                              \
		vm::in_process(suite##_##name##_body); \
	}                                              \
	static void suite##_##name##_body()

#define EXPECT_ERRNO(call, error)                  \
	do {                                       \
		errno = 0;                         \
		long got_ = (call);                \
		int errno_ = errno;                \
		EXPECT_EQ(got_, -1) << #call;      \
		EXPECT_EQ(errno_, error) << #call; \
	} while (0)

inline int exit_status(int code)
{
	return (code & 0xff) << 8;
}

// A waiter that must see no more than EINTR as a nuisance.
inline pid_t bsd_wait_hard(pid_t pid, int *status, int options = 0)
{
	pid_t got;
	do
		got = bsd_wait4(pid, status, options, nullptr);
	while (got < 0 && errno == EINTR);
	return got;
}

} // namespace vm

#endif // VM_TEST_H
