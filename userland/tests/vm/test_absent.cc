// SPDX-License-Identifier: BSD-2-Clause
// Where the module is not loaded: ENOSYS, and nothing else happens. The runner starts this
// while it is out.
#include "vm_peer.h"
#include "vm_test.h"

using namespace vm;

VM_TEST(Absent, WaitCalls)
{
	pid_t pid = spawn([] { return 3; });
	native_peek(pid);
	int status = 0x5a5a5a5a;
	struct rusage ru;
	memset(&ru, 0xa5, sizeof(ru));
	EXPECT_ERRNO(bsd_wait(&status), ENOSYS);
	EXPECT_ERRNO(bsd_waitpid(pid, &status, 0), ENOSYS);
	EXPECT_ERRNO(bsd_wait3(&status, WNOHANG, &ru), ENOSYS);
	EXPECT_ERRNO(bsd_wait4(-1, &status, 0, &ru), ENOSYS);
	struct __wrusage wru;
	siginfo_t info;
	EXPECT_ERRNO(bsd_wait6(P_ALL, 0, &status, WEXITED, &wru, &info), ENOSYS);
	EXPECT_ERRNO(bsd_waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG), ENOSYS);
	EXPECT_EQ(status, 0x5a5a5a5a);
	EXPECT_EQ(native_reap(pid), 3 << 8);
}

VM_TEST(Absent, Extexit)
{
	int mark = 7;
	for (int who : {EXTEXIT_PROC, EXTEXIT_LWP})
		for (int action : {EXTEXIT_SIMPLE, EXTEXIT_SETINT})
			EXPECT_ERRNO(bsd_extexit(who | action, 5, &mark), ENOSYS);
	EXPECT_EQ(mark, 7);
}

// What they would do to a process is not done.
VM_TEST(Absent, Descriptors)
{
	EXPECT_ERRNO(bsd_knote(getpid(), NOTE_EXIT), ENOSYS);
	EXPECT_ERRNO(bsd_hold(), ENOSYS);
	EXPECT_ERRNO(bsd_ktrace(16), ENOSYS);
	Tokens pipe;
	for (int fd = 3; fd < 8; fd++) {
		EXPECT_ERRNO(bsd_hold_stops(fd, 0, S_EXIT), ENOSYS);
		EXPECT_ERRNO(bsd_hold_cont(fd, getpid()), ENOSYS);
		EXPECT_ERRNO(bsd_ktrace_set(fd, 0, BSD_KTRFAC_EXIT), ENOSYS);
	}
	pipe.give();
	pipe.take();
}

// No child is made.
VM_TEST(Absent, RforkThread)
{
	EXPECT_ERRNO(make_peer(peer_sleeps), ENOSYS);
	EXPECT_ERRNO(bsd_rfork_thread(RFPROC | RFMEM, peer_stack(), peer_sleeps, nullptr), ENOSYS);
	EXPECT_ERRNO(waitpid(-1, nullptr, __WALL), ECHILD);
}

VM_TEST(Absent, Tracekill)
{
	EXPECT_ERRNO(bsd_tracekill(1), ENOSYS);
}

VM_TEST(Absent, Lwps)
{
	EXPECT_ERRNO(bsd_lwp_gettid(), ENOSYS);
	EXPECT_ERRNO(bsd_lwp_kill(-1, 1, SIGKILL), ENOSYS);
	EXPECT_ERRNO(bsd_lwp_kill(getppid(), 1, 0), ENOSYS);
}

// Of Linux's calls too, none is made.
VM_TEST(Absent, Procctl)
{
	union reaper_info info;
	for (int cmd : {PROC_REAP_ACQUIRE, PROC_REAP_RELEASE, PROC_REAP_STATUS})
		EXPECT_ERRNO(bsd_procctl(P_PID, 0, cmd, &info), ENOSYS);
	int reaper = -1;
	EXPECT_EQ(prctl(PR_GET_CHILD_SUBREAPER, &reaper), 0);
	EXPECT_EQ(reaper, 0);
}

VM_TEST(Absent, Varsyms)
{
	char buf[8] = "before";
	int marker = 5;
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "a", "b"), ENOSYS);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, "a", buf, sizeof(buf)), ENOSYS);
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_USER, buf, sizeof(buf), &marker), ENOSYS);
	EXPECT_STREQ(buf, "before");
	EXPECT_EQ(marker, 5);
}

// A program that asks again and again leaves no descriptors behind.
VM_TEST(Absent, NoDescriptorsLeft)
{
	int before = dup(0);
	ASSERT_GE(before, 0);
	close(before);
	for (int i = 0; i < 100; i++)
		EXPECT_ERRNO(bsd_wait(nullptr), ENOSYS);
	int after = dup(0);
	close(after);
	EXPECT_EQ(after, before);
}
