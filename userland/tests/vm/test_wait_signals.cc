// SPDX-License-Identifier: BSD-2-Clause
// BSDPROC_WAIT_SIGNALS: no handler runs between the claim and the reap.
#include "vm_device.h"
#include "vm_test.h"

using namespace vm;

namespace
{

volatile sig_atomic_t handled;

void count_signal(int)
{
	handled = handled + 1;
}

void handle(int sig)
{
	struct sigaction act = {};
	act.sa_handler = count_signal;
	if (sigaction(sig, &act, nullptr) != 0)
		die("sigaction");
}

// The thread's mask as the kernel has it, libc's own signals with it.
uint64_t mask()
{
	uint64_t now = 0;
	if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &now, sizeof(now)) != 0)
		die("rt_sigprocmask");
	return now;
}

void set_mask(uint64_t to)
{
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &to, nullptr, sizeof(to)) != 0)
		die("rt_sigprocmask");
}

constexpr uint64_t bit(int sig)
{
	return uint64_t(1) << (sig - 1);
}

constexpr uint64_t kAll = ~(bit(SIGKILL) | bit(SIGSTOP));

int wait_held(const Device &dev, pid_t pid, struct bsdproc_wait *w, uint32_t options = 0)
{
	*w = {};
	w->idtype = BSDPROC_P_PID;
	w->id = static_cast<uint64_t>(pid);
	w->options = options;
	w->flags = BSDPROC_WAIT_SIGNALS;
	return dev(BSDPROC_WAIT, w);
}

// With what an answer left, as if its child had been gone.
int wait_again(const Device &dev, struct bsdproc_wait *w, uint32_t options = 0)
{
	w->options = options;
	w->flags = BSDPROC_WAIT_SIGNALS | BSDPROC_WAIT_HELD;
	return dev(BSDPROC_WAIT, w);
}

} // namespace

// The signal of the child's end comes while we sleep, and its handler must wait until we have
// reaped.
VM_TEST(WaitSignals, TheEndsOwnSignal)
{
	Device dev;
	pid_t self = getpid();
	struct bsdproc_wait w;

	handle(SIGCHLD);
	set_mask(bit(SIGUSR1) | bit(34));
	pid_t pid = spawn([=] {
		until_waiting(self);
		return 3;
	});
	ASSERT_EQ(wait_held(dev, pid, &w), 0);
	EXPECT_EQ(handled, 0);
	EXPECT_EQ(mask(), kAll);
	EXPECT_EQ(w.pid, pid);
	EXPECT_EQ(w.flags & BSDPROC_WAIT_SIGNALS, BSDPROC_WAIT_SIGNALS);
	EXPECT_EQ(w.sigmask, bit(SIGUSR1) | bit(34));
	EXPECT_EQ(native_reap(pid), 3 << 8);
	EXPECT_EQ(handled, 0);
	set_mask(w.sigmask);
	EXPECT_EQ(handled, 1);
}

// Without the flag it does not wait: what the flag is for.
VM_TEST(WaitSignals, NotAskedFor)
{
	Device dev;
	pid_t self = getpid();
	struct bsdproc_wait w = {};

	handle(SIGCHLD);
	pid_t pid = spawn([=] {
		until_waiting(self);
		return 3;
	});
	ASSERT_EQ(dev(BSDPROC_WAIT, &w), 0);
	EXPECT_EQ(handled, 1);
	EXPECT_EQ(mask(), 0u);
	EXPECT_EQ(w.pid, pid);
	EXPECT_EQ(w.flags, 0u);
	EXPECT_EQ(w.sigmask, 0u);
	EXPECT_EQ(native_reap(pid), 3 << 8);
}

VM_TEST(WaitSignals, NobodyFoundNothingHeld)
{
	Device dev;
	Tokens go;
	struct bsdproc_wait w;

	EXPECT_ERRNO(wait_held(dev, getppid(), &w), ECHILD);
	EXPECT_EQ(mask(), 0u);
	pid_t pid = spawn([&] {
		go.take();
		return 3;
	});
	EXPECT_EQ(wait_held(dev, pid, &w, BSDPROC_WNOHANG), 0);
	EXPECT_EQ(w.pid, 0);
	EXPECT_EQ(w.flags, 0u);
	EXPECT_EQ(mask(), 0u);

	// A handler's signal ends the sleep as ever.
	handle(SIGUSR1);
	pid_t self = getpid();
	pid_t helper = spawn([=] {
		until_waiting(self);
		kill(self, SIGUSR1);
		return 0;
	});
	EXPECT_ERRNO(wait_held(dev, pid, &w), EINTR);
	EXPECT_EQ(handled, 1);
	EXPECT_EQ(mask(), 0u);
	go.give();
	EXPECT_EQ(native_reap(pid), 3 << 8);
	native_reap(helper);
}

VM_TEST(WaitSignals, AnswersThatCannotBeStored)
{
	Device dev;
	pid_t pid = spawn([] { return 3; });
	native_peek(pid);

	struct bsdproc_wait w = {};
	w.flags = BSDPROC_WAIT_SIGNALS;
	w.status = 1;
	EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), EFAULT);
	EXPECT_EQ(mask(), 0u);
	EXPECT_EQ(native_reap(pid), 3 << 8);
}

// What cannot be blocked is not: the machine would have no way to end us.
VM_TEST(WaitSignals, KillAndStopGetThrough)
{
	Device dev;
	Tokens held;
	pid_t victim = spawn([&] {
		struct bsdproc_wait w;
		pid_t pid = spawn([] { return 3; });
		if (wait_held(dev, pid, &w) != 0)
			return 1;
		held.give();
		for (;;)
			pause();
	});
	held.take();
	kill(victim, SIGTERM);
	kill(victim, SIGSTOP);
	until_state(victim, 'T');
	kill(victim, SIGCONT);
	kill(victim, SIGKILL);
	EXPECT_EQ(native_reap(victim), SIGKILL);
}

// What came while signals were held interrupts the next sleep, not the program before it.
VM_TEST(WaitSignals, AskedAgain)
{
	Device dev;
	Tokens go;
	struct bsdproc_wait w;

	handle(SIGUSR2);
	set_mask(bit(SIGUSR1));
	pid_t pid = spawn([] { return 3; });
	ASSERT_EQ(wait_held(dev, pid, &w), 0);
	pid_t other = spawn([&] {
		go.take();
		return 4;
	});
	EXPECT_EQ(native_reap(pid), 3 << 8);
	kill(getpid(), SIGUSR2);
	EXPECT_EQ(handled, 0);

	w.id = static_cast<uint64_t>(other);
	EXPECT_ERRNO(wait_again(dev, &w), EINTR);
	EXPECT_EQ(handled, 1);
	EXPECT_EQ(mask(), bit(SIGUSR1));
	go.give();
	EXPECT_EQ(native_reap(other), 4 << 8);
}

// Who finds somebody then is not interrupted, and holds them still.
VM_TEST(WaitSignals, AskedAgainAndFound)
{
	Device dev;
	struct bsdproc_wait w;

	handle(SIGUSR2);
	pid_t pid = spawn([] { return 3; }), other = spawn([] { return 4; });
	native_peek(pid);
	native_peek(other);
	ASSERT_EQ(wait_held(dev, pid, &w), 0);
	EXPECT_EQ(native_reap(pid), 3 << 8);
	kill(getpid(), SIGUSR2);
	w.id = static_cast<uint64_t>(other);
	EXPECT_EQ(wait_again(dev, &w), 0);
	EXPECT_EQ(w.pid, other);
	EXPECT_EQ(w.sigmask, 0u);
	EXPECT_EQ(mask(), kAll);
	EXPECT_EQ(handled, 0);
	EXPECT_EQ(native_reap(other), 4 << 8);
	set_mask(w.sigmask);
	EXPECT_EQ(handled, 1);
}

// Nobody, or nothing yet: nothing is held any more.
VM_TEST(WaitSignals, AskedAgainForNobody)
{
	Device dev;
	Tokens go;
	struct bsdproc_wait w;

	pid_t pid = spawn([] { return 3; });
	ASSERT_EQ(wait_held(dev, pid, &w), 0);
	EXPECT_EQ(native_reap(pid), 3 << 8);
	EXPECT_ERRNO(wait_again(dev, &w), ECHILD);
	EXPECT_EQ(mask(), 0u);

	pid = spawn([&] {
		go.take();
		return 3;
	});
	set_mask(kAll);
	w.id = static_cast<uint64_t>(pid);
	w.sigmask = bit(SIGUSR1) | bit(SIGKILL) | bit(SIGSTOP);
	EXPECT_EQ(wait_again(dev, &w, BSDPROC_WNOHANG), 0);
	EXPECT_EQ(w.pid, 0);
	EXPECT_EQ(w.flags, 0u);
	EXPECT_EQ(mask(), bit(SIGUSR1));

	// HELD alone says nothing.
	w.flags = BSDPROC_WAIT_HELD;
	EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), EINVAL);
	go.give();
	EXPECT_EQ(native_reap(pid), 3 << 8);
}

namespace
{

int told;           // the status that the wait has written
int handler_told;   // what the handler found in it
pid_t handler_took; // whom the handler's own wait reported, or -errno

void wait_in_handler(int)
{
	handled = handled + 1;
	handler_told = told;
	handler_took = bsd_waitpid(-1, nullptr, WNOHANG);
	if (handler_took == -1)
		handler_took = -errno;
}

} // namespace

// The library's waits: a handler of the end's own signal finds the child collected, and its
// status written, as with Linux's.
VM_TEST(WaitSignals, HandlersThatWait)
{
	struct sigaction act = {};
	act.sa_handler = wait_in_handler;
	act.sa_flags = SA_RESTART;
	ASSERT_EQ(sigaction(SIGCHLD, &act, nullptr), 0);
	set_mask(bit(SIGUSR1));
	const pid_t self = getpid();

	for (int i = 1; i <= rounds(200); i++) {
		const int code = i % 256;
		const pid_t pid = spawn([=] {
			until_waiting(self);
			return code;
		});
		told = -1;
		EXPECT_EQ(bsd_waitpid(-1, &told, 0), pid) << i;
		EXPECT_EQ(told, code << 8) << i;
		EXPECT_EQ(handled, i);
		EXPECT_EQ(handler_told, told) << i;
		EXPECT_EQ(handler_took, -ECHILD) << i;
		EXPECT_EQ(mask(), bit(SIGUSR1)) << i;
	}
}

// Whatever a wait comes to, the mask is the thread's own again.
VM_TEST(WaitSignals, TheMaskAfterWaits)
{
	Tokens go;
	set_mask(bit(SIGUSR1) | bit(34));
	EXPECT_ERRNO(bsd_waitpid(-1, nullptr, 0), ECHILD);
	EXPECT_EQ(mask(), bit(SIGUSR1) | bit(34));

	const pid_t pid = spawn([&] {
		go.take();
		return 3;
	});
	EXPECT_EQ(bsd_waitpid(-1, nullptr, WNOHANG), 0);
	EXPECT_EQ(mask(), bit(SIGUSR1) | bit(34));
	handle(SIGUSR2);
	const pid_t self = getpid();
	const pid_t helper = spawn([=] {
		until_waiting(self);
		kill(self, SIGUSR2);
		return 0;
	});
	EXPECT_ERRNO(bsd_waitpid(pid, nullptr, 0), EINTR);
	EXPECT_EQ(mask(), bit(SIGUSR1) | bit(34));
	native_reap(helper);

	go.give();
	EXPECT_EQ(bsd_waitid(P_ALL, 0, nullptr, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(mask(), bit(SIGUSR1) | bit(34));
	EXPECT_EQ(
		bsd_wait6(P_PID, id_t(pid), reinterpret_cast<int *>(16), WEXITED, nullptr, nullptr),
		-1);
	EXPECT_EQ(mask(), bit(SIGUSR1) | bit(34));
	EXPECT_EQ(bsd_waitpid(pid, nullptr, 0), pid);
	EXPECT_EQ(mask(), bit(SIGUSR1) | bit(34));
}
