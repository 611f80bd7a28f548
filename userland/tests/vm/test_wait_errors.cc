// SPDX-License-Identifier: BSD-2-Clause
// What the waits refuse, and that nothing has happened then.
#include "vm_wait.h"

#include <sys/ptrace.h>

#include <climits>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr int kKinds = WEXITED | WUNTRACED | WCONTINUED | WTRAPPED;

// Each of the kinds of reports that a child can have for us: children that have one, and how
// it is seen that it is still there.
struct Reporter {
	const char *name;
	Want want;
	int native; // Linux's kind
};

std::vector<Reporter> one_of_each()
{
	std::vector<Reporter> all;
	pid_t pid = spawn([] { return 12; });
	native_peek(pid);
	all.push_back({"exited", exited(pid, 12), WEXITED});
	pid = resting_child();
	stop(pid);
	all.push_back({"stopped", stopped(pid, SIGSTOP), WSTOPPED});
	pid = resting_child();
	stop(pid);
	kill(pid, SIGCONT);
	all.push_back({"continued", continued(pid), WCONTINUED});
	pid = resting_child();
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0)
		die("PTRACE_SEIZE");
	kill(pid, SIGUSR1);
	until_halted(pid);
	all.push_back({"trapped", trapped(pid, SIGUSR1), WSTOPPED});
	return all;
}

// It can be had, and has not been.
void expect_there(const Reporter &one)
{
	siginfo_t info{};
	EXPECT_EQ(syscall(SYS_waitid, P_PID, one.want.result, &info,
			  one.native | WNOHANG | WNOWAIT | __WALL, nullptr),
		  0);
	EXPECT_EQ(info.si_pid, one.want.result) << one.name;
	EXPECT_EQ(info.si_code, one.want.code) << one.name;
}

// Memory that cannot be written, for an object of that size.
std::vector<void *> bad_addresses(size_t size)
{
	const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	void *readable = mmap(nullptr, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *two = static_cast<char *>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (readable == MAP_FAILED || two == MAP_FAILED || mprotect(two + page, page, PROT_NONE))
		die("mmap");
	return {readable, two + page,
		two + page - (size > 8 ? size / 2 / 8 * 8 : 0), // its second half
		reinterpret_cast<void *>(0xffff888000000000ul), reinterpret_cast<void *>(8)};
}

template <class T> T *as(void *p)
{
	return static_cast<T *>(p);
}

} // namespace

VM_TEST(WaitErrors, Idtypes)
{
	const std::vector<Reporter> all = one_of_each();
	for (int idtype : {-1, 3, 4, 5, 6, 7, 16, 17, 18, 20, 23, 24, INT_MAX, INT_MIN})
		for (int options : {kKinds, kKinds | WNOHANG, kKinds | WNOWAIT}) {
			const auto type = static_cast<idtype_t>(idtype);
			expect_wait6(type, 0, options, failed(EINVAL));
			expect_waitid(type, id_of(all[0].want.result), options, failed(EINVAL));
		}
	for (const Reporter &one : all)
		expect_there(one);
}

VM_TEST(WaitErrors, Options)
{
	const std::vector<Reporter> all = one_of_each();
	const int known = kKinds | WNOHANG | WNOWAIT | static_cast<int>(WLINUXCLONE);
	for (int bit = 0; bit < 32; bit++) {
		const int option = static_cast<int>(1u << bit);
		if (option & known)
			continue;
		for (int options : {option, option | WNOHANG, option | WNOWAIT})
			for (const Reporter &one : all) {
				const pid_t pid = one.want.result;
				expect_wait6(P_PID, id_of(pid), options | kKinds, failed(EINVAL));
				expect_waitid(P_ALL, 0, options | kKinds, failed(EINVAL));
				expect_wait4(pid, options, failed(EINVAL));
				expect_wait4(-1, options | WUNTRACED | WCONTINUED, failed(EINVAL));
			}
	}
	for (const Reporter &one : all)
		expect_there(one);
}

// Something must be waited for; wait4 alone implies it.
VM_TEST(WaitErrors, NoKind)
{
	const std::vector<Reporter> all = one_of_each();
	for (unsigned options : {0u, unsigned(WNOHANG), unsigned(WNOWAIT), WLINUXCLONE + 0u,
				 WNOHANG | WNOWAIT | WLINUXCLONE}) {
		expect_wait6(P_ALL, 0, static_cast<int>(options), failed(EINVAL));
		expect_waitid(P_PID, id_of(all[0].want.result), static_cast<int>(options),
			      failed(EINVAL));
	}
	for (const Reporter &one : all)
		expect_there(one);
}

// Arguments come before children, of which there are none.
VM_TEST(WaitErrors, Order)
{
	expect_wait6(P_ALL, 0, 0, failed(EINVAL));
	expect_wait6(P_ALL, 0, WEXITED | 0x4000, failed(EINVAL));
	expect_wait6(static_cast<idtype_t>(3), 0, WEXITED, failed(EINVAL));
	expect_waitid(P_UID, UINT_MAX, WNOHANG, failed(EINVAL));
	expect_waitid(P_PID, UINT_MAX, 0x4000, failed(EINVAL));
	expect_wait4(INT_MIN, 0x4000, failed(EINVAL));
	expect_wait6(P_ALL, 0, WEXITED, failed(ECHILD));
	expect_waitid(P_ALL, 0, WUNTRACED, failed(ECHILD));
	expect_wait4(-1, WUNTRACED | WCONTINUED, failed(ECHILD));
}

VM_TEST(WaitErrors, BadAddresses)
{
	for (const Reporter &one : one_of_each()) {
		SCOPED_TRACE(one.name);
		const pid_t pid = one.want.result;
		const id_t id = id_of(pid);
		const int kind = one.want.kind;
		const int four = kind & (WUNTRACED | WCONTINUED);
		for (int more : {0, WNOHANG, WNOWAIT}) {
			for (void *bad : bad_addresses(sizeof(int))) {
				EXPECT_ERRNO(bsd_wait4(pid, as<int>(bad), four | more, nullptr),
					     EFAULT);
				EXPECT_ERRNO(bsd_wait6(P_PID, id, as<int>(bad), kind | more,
						       nullptr, nullptr),
					     EFAULT);
				expect_there(one);
			}
			for (void *bad : bad_addresses(sizeof(struct rusage))) {
				EXPECT_ERRNO(bsd_wait4(pid, nullptr, four | more,
						       as<struct rusage>(bad)),
					     EFAULT);
				expect_there(one);
			}
			for (void *bad : bad_addresses(sizeof(struct __wrusage))) {
				EXPECT_ERRNO(bsd_wait6(P_PID, id, nullptr, kind | more,
						       as<struct __wrusage>(bad), nullptr),
					     EFAULT);
				expect_there(one);
			}
			for (void *bad : bad_addresses(sizeof(siginfo_t))) {
				EXPECT_ERRNO(bsd_wait6(P_PID, id, nullptr, kind | more, nullptr,
						       as<siginfo_t>(bad)),
					     EFAULT);
				EXPECT_ERRNO(bsd_waitid(P_PID, id, as<siginfo_t>(bad), kind | more),
					     EFAULT);
				expect_there(one);
			}
		}
		// Another thread gets it, and nobody after that.
		std::thread([&] { expect_wait6(P_PID, id, kind, one.want); }).join();
		expect_wait6(P_PID, id, kind | WNOHANG,
			     kind == WEXITED ? failed(ECHILD) : nothing());
	}
}

// There is nothing to report, and no place for that.
VM_TEST(WaitErrors, BadAddressesForNothing)
{
	const pid_t pid = resting_child();
	for (void *bad : bad_addresses(sizeof(siginfo_t))) {
		const int options = kKinds | WNOHANG;
		EXPECT_ERRNO(bsd_wait6(P_ALL, 0, as<int>(bad_addresses(4)[0]), options, nullptr,
				       nullptr),
			     EFAULT);
		EXPECT_ERRNO(
			bsd_wait6(P_ALL, 0, nullptr, options, as<struct __wrusage>(bad), nullptr),
			EFAULT);
		EXPECT_ERRNO(bsd_waitid(P_ALL, 0, as<siginfo_t>(bad), options), EFAULT);
	}
	finish(pid);
}

VM_TEST(WaitErrors, NothingIsAskedFor)
{
	for (const Reporter &one : one_of_each()) {
		const id_t id = id_of(one.want.result);
		EXPECT_EQ(bsd_waitid(P_PID, id, nullptr, one.want.kind | WNOWAIT), 0);
		EXPECT_EQ(bsd_wait6(P_PID, id, nullptr, one.want.kind, nullptr, nullptr),
			  one.want.result);
		expect_wait6(P_PID, id, one.want.kind | WNOHANG,
			     one.want.kind == WEXITED ? failed(ECHILD) : nothing());
	}
}

namespace
{

void handle_usr1(int flags)
{
	struct sigaction act = {};
	act.sa_handler = [](int) {};
	act.sa_flags = flags;
	if (sigaction(SIGUSR1, &act, nullptr) != 0)
		die("sigaction");
}

} // namespace

// A handler without SA_RESTART ends the sleep, and nothing is written.
VM_TEST(WaitErrors, Interrupted)
{
	const pid_t pid = resting_child(), self = getpid();
	handle_usr1(0);
	for (int kinds : {WEXITED, WUNTRACED, WCONTINUED, WTRAPPED, kKinds})
		for (int more : {0, WNOWAIT}) {
			spawn_orphan([=] {
				until_waiting(self);
				kill(self, SIGUSR1);
				return 0;
			});
			expect_wait6(P_PID, id_of(pid), kinds | more, failed(EINTR));
		}
	finish(pid);
}

VM_TEST(WaitErrors, InterruptedWithRestart)
{
	const pid_t pid = resting_child(), self = getpid();
	handle_usr1(SA_RESTART);
	const auto after_signals = [=](int sig) {
		spawn_orphan([=] {
			for (int i = 0; i < 5; i++) {
				until_waiting(self);
				kill(self, SIGUSR1);
			}
			until_waiting(self);
			kill(pid, sig);
			return 0;
		});
	};
	after_signals(SIGSTOP);
	expect_wait6(P_PGID, 0, WUNTRACED, stopped(pid, SIGSTOP));
	after_signals(SIGCONT);
	expect_wait6(P_SID, 0, WCONTINUED, continued(pid));
	after_signals(SIGKILL);
	expect_wait4(-1, WUNTRACED | WCONTINUED, killed(pid, SIGKILL));
}
