// SPDX-License-Identifier: BSD-2-Clause
// What is common to all calls; ends, peers, tracers.
#include "provoke.hh"

#include "../vm/vm_peer.h"

#include <sys/ptrace.h>
#include <sys/stat.h>

using namespace vm;

namespace errors
{

namespace
{

// The calls all go by one handle, which they open when there is none.
long any_call()
{
	return bsd_lwp_gettid();
}

long in_an_empty_root()
{
	char dir[] = "/tmp/errors.XXXXXX";
	if (!mkdtemp(dir) || chroot(dir) != 0)
		die("chroot");
	return any_call();
}

// The device is not the caller's to open.
long not_allowed()
{
	struct stat st;
	if (stat(BSDPROC_DEVICE, &st) != 0 || chmod(BSDPROC_DEVICE, 0600) != 0)
		die(BSDPROC_DEVICE);
	return then(as_nobody(any_call), [&] { chmod(BSDPROC_DEVICE, st.st_mode); });
}

void add_common(Rows &rows)
{
	const char *of = "bsdproc.3/";
	rows.push_back({of, ENOSYS, {in_an_empty_root}});
	rows.push_back({of, EACCES, {not_allowed}});
	rows.push_back({of, EMFILE, {[] { return without_descriptors(any_call); }}});
	rows.push_back(
		{of, ENFILE, {[] { return without_files([] { return as_nobody(any_call); }); }}});
}

void add_extexit(Rows &rows)
{
	const char *of = "extexit.3/bsd_extexit bsdproc.4/BSDPROC_EXTEXIT";
	const auto call = [](int how, void *addr) {
		return [=] { return bsd_extexit(how, 0, addr); };
	};
	static int target;

	rows.push_back({of,
			EFAULT,
			{call(EXTEXIT_LWP | EXTEXIT_SETINT, nowhere()),
			 call(EXTEXIT_PROC | EXTEXIT_SETINT, nowhere()),
			 call(EXTEXIT_PROC | EXTEXIT_SETINT, nullptr)}});
	rows.push_back(
		{of,
		 EINVAL,
		 {call(EXTEXIT_LWP | 2, nullptr), call(2 << 16, nullptr), call(-1, nullptr)}});
	rows.push_back({of,
			ENOMEM,
			{call(EXTEXIT_LWP | EXTEXIT_SIMPLE, nullptr),
			 call(EXTEXIT_PROC | EXTEXIT_SETINT, &target)},
			Short::of_objects});
	rows.push_back(
		{of, ENOMEM, {call(EXTEXIT_PROC | EXTEXIT_SETINT, &target)}, Short::in_the_call});
}

void add_tracekill(Rows &rows)
{
	const char *of = "bsd_tracekill.3/bsd_tracekill bsdproc.4/BSDPROC_TRACEKILL";
	rows.push_back(
		{of, EINVAL, {[] { return bsd_tracekill(2); }, [] { return bsd_tracekill(-1); }}});
	rows.push_back({of, ENOMEM, {[] { return bsd_tracekill(1); }}, Short::of_objects});
}

// ---- peers --------------------------------------------------------------------

long a_peer()
{
	return make_peer(peer_sleeps);
}

// The limit does not hold for who has CAP_SYS_ADMIN or CAP_SYS_RESOURCE.
long more_than_its_processes()
{
	open_handles();
	return as_nobody([] {
		const struct rlimit one = {1, 1};
		if (setrlimit(RLIMIT_NPROC, &one) != 0)
			die("setrlimit");
		return a_peer();
	});
}

// Children would go into a pid namespace whose init has ended.
long into_an_ended_namespace()
{
	open_handles();
	if (unshare(CLONE_NEWPID) != 0)
		die("unshare");
	native_reap(spawn([] { return 0; }));
	return a_peer();
}

// Its tracer has the child at its birth.
long killed_at_birth()
{
	return in_child([] {
		open_handles();
		const pid_t maker = getpid();
		Tokens seized, go;
		const pid_t tracer = spawn([&] {
			int status;
			if (ptrace(PTRACE_SEIZE, maker, 0, PTRACE_O_TRACEFORK) != 0)
				return 1;
			seized.give();
			do {
				if (waitpid(maker, &status, __WALL) != maker)
					return 2;
			} while (status >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8) &&
				 ptrace(PTRACE_CONT, maker, 0, WSTOPSIG(status)) == 0);
			unsigned long child = 0;
			if (ptrace(PTRACE_GETEVENTMSG, maker, 0, &child) != 0)
				return 3;
			kill(pid_t(child), SIGKILL);
			if (ptrace(PTRACE_DETACH, maker, 0, 0) != 0)
				return 4;
			return waitpid(pid_t(child), nullptr, __WALL) == pid_t(child) ? 0 : 5;
		});
		seized.take();
		return then(a_peer(), [=] { EXPECT_EQ(native_reap(tracer), 0); });
	});
}

void add_rfork(Rows &rows)
{
	const char *of = "bsd_rfork_thread.3/bsd_rfork_thread";
	const auto flags = [](int flags) {
		return [=] { return make_peer(peer_sleeps, nullptr, flags); };
	};
	rows.push_back(
		{of,
		 EINVAL,
		 {flags(RFPROC | RFTHREAD), flags(RFMEM | RFTHREAD),
		  flags(kPeerFlags | RFFDG | RFCFDG), flags(kPeerFlags | 1),
		  [] { return bsd_rfork_thread(kPeerFlags, nullptr, peer_sleeps, nullptr); },
		  [] { return bsd_rfork_thread(kPeerFlags, peer_stack(), nullptr, nullptr); }}});
	rows.push_back({of, EAGAIN, {more_than_its_processes}});
	rows.push_back({of, ENOMEM, {into_an_ended_namespace}});
	rows.push_back({of, ENOMEM, {a_peer}, Short::of_objects});
	rows.push_back({of, ESRCH, {killed_at_birth}});
}

} // namespace

Rows rows_of_library()
{
	Rows rows;
	add_common(rows);
	add_extexit(rows);
	add_tracekill(rows);
	add_rfork(rows);
	return rows;
}

} // namespace errors
