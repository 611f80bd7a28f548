// SPDX-License-Identifier: BSD-2-Clause
// Lwps and signals for them; reapers.
#include "provoke.hh"

#include <thread>

using namespace vm;

namespace errors
{

namespace
{

Provoke signalling(pid_t pid, int lwp, int sig)
{
	return [=] { return bsd_lwp_kill(pid, lwp, sig); };
}

// A real-time signal, of which none may be queued.
long one_more_than_may_be_queued()
{
	const struct rlimit none = {0, 0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0 || setrlimit(RLIMIT_SIGPENDING, &none) != 0)
		die("setrlimit");
	return bsd_lwp_kill(-1, 1, SIGRTMIN);
}

// With more lwps than there is room for on the stack, where memory is not to be had.
long of_many_lwps()
{
	return in_child([] {
		const struct rlimit none = {0, 0};
		for (int i = 0; i < 70; i++)
			std::thread([] {
				for (;;)
					pause();
			}).detach();
		open_handles();
		if (setrlimit(RLIMIT_AS, &none) != 0)
			die("setrlimit");
		return bsd_lwp_kill(-1, 1, 0);
	});
}

void add_lwps(Rows &rows)
{
	rows.push_back({"bsd_lwp.3/bsd_lwp_gettid bsdproc.4/BSDPROC_GETTID",
			ENOMEM,
			{[] { return bsd_lwp_gettid(); }},
			Short::of_objects});

	const char *of = "bsd_lwp.3/bsd_lwp_kill";
	rows.push_back({of, EAGAIN, {one_more_than_may_be_queued}});
	rows.push_back({of,
			EINVAL,
			{signalling(-1, 0, 0), signalling(-1, -1, SIGUSR1), signalling(-1, 1, -1),
			 signalling(-1, 1, 1000)}});
	rows.push_back({of, EPERM, {[] {
				const pid_t pid = getpid();
				return as_nobody([=] { return bsd_lwp_kill(pid, 1, 0); });
			}}});
	rows.push_back(
		{of,
		 ESRCH,
		 {signalling(-1, 9999, SIGUSR1), signalling(kNoPid, 1, 0), signalling(0, 1, 0)}});
	rows.push_back({of, ENOMEM, {of_many_lwps}});
	rows.push_back({of, ENOMEM, {signalling(-1, 1, 0)}, Short::in_the_call});
}

Provoke control(int cmd, void *data = nullptr, idtype_t type = P_PID)
{
	return [=] { return bsd_procctl(type, 0, cmd, data); };
}

void add_procctl(Rows &rows)
{
	const char *of = "bsd_procctl.3/bsd_procctl";
	const auto acquire = control(PROC_REAP_ACQUIRE), release = control(PROC_REAP_RELEASE);

	rows.push_back({of, EALREADY, {[=] {
				EXPECT_EQ(acquire(), 0) << strerror(errno);
				return acquire();
			}}});
	rows.push_back({of, ENOTCONN, {release, [=] {
					       EXPECT_EQ(acquire(), 0) << strerror(errno);
					       EXPECT_EQ(release(), 0) << strerror(errno);
					       return release();
				       }}});
	rows.push_back({of, EFAULT, {control(PROC_REAP_STATUS, nowhere())}});
	rows.push_back(
		{of,
		 EINVAL,
		 {control(0), control(99), control(PROC_REAP_ACQUIRE, nullptr, P_PGID),
		  [] { return bsd_procctl(P_PID, id_t(getppid()), PROC_REAP_ACQUIRE, nullptr); }}});
}

} // namespace

Rows rows_of_lwps()
{
	Rows rows;
	add_lwps(rows);
	add_procctl(rows);
	return rows;
}

} // namespace errors
