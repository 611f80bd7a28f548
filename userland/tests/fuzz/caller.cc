// SPDX-License-Identifier: BSD-2-Clause
#include "../vm/vm_proc.h"

#include "caller.hh"

#include <sys/ioctl.h>

#include "tally.hh"

namespace fuzz
{

int Caller::mark_;

void open_slots(Random &random)
{
	for (int i = 0; i < kSlots; i++) {
		int fd =
			open(BSDPROC_DEVICE, random.pick({O_RDONLY, O_WRONLY, O_RDWR}) | O_CLOEXEC);
		if (fd < 0 || dup3(fd, kFirstSlot + i, O_CLOEXEC) < 0)
			vm::die(BSDPROC_DEVICE);
		close(fd);
	}
}

void handle_signals()
{
	struct sigaction act = {};
	act.sa_handler = [](int) {};
	sigaction(kInterrupt, &act, nullptr);
	act.sa_flags = SA_RESTART;
	sigaction(kRestart, &act, nullptr);
}

Caller::Caller(Random random, Self &self, Shifting &shifting, int depth)
    : random_(random), self_(self), shifting_(shifting),
      memory_(shifting), me_{vm::gettid_raw(), 0}, depth_(depth)
{
	struct sigevent event = {};
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = kInterrupt;
	event._sigev_un._tid = me_.tid;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0)
		vm::die("timer_create");
	self.add_relative(me_.tid);
}

Caller::~Caller()
{
	timer_delete(timer_);
}

// Again and again, as the first signal may come before the sleep.
void Caller::interrupt_from_now_on(bool on)
{
	struct itimerspec every = {};
	if (on)
		every.it_value.tv_nsec = every.it_interval.tv_nsec = 1000000;
	timer_settime(timer_, 0, &every, nullptr);
}

void Caller::call()
{
	const Call call = make_call(random_, memory_, self_);
	const int slot = kFirstSlot + static_cast<int>(random_.below(kSlots));
	const bool may_sleep = call.may_sleep(memory_);
	const pid_t parent = getppid();

	if (may_sleep)
		interrupt_from_now_on(true);
	const int got = ioctl(slot, call.cmd, call.at);
	const int error = got >= 0 ? 0 : errno;
	if (may_sleep)
		interrupt_from_now_on(false);

	tally->calls++;
	tally->outcome[call.request][error < Outcomes::kLimit ? error : 0]++;
	const bool opens = call.request < kRequests && kRequest[call.request].opens();
	if ((got > 0 && !opens) || error >= Outcomes::kLimit)
		complain("%#x returned %d, errno %d", call.cmd, got, error);
	if (call.request == kWait)
		release_signals(call, error);
	struct bsdproc_wait told = {};
	if (call.request == kWait && !error && call.known(memory_))
		told = *reinterpret_cast<struct bsdproc_wait *>(call.at);
	judge(call, memory_, self_, me_, error, parent);
	const bool claimed = told.what == BSDPROC_WEXITED && !(told.options & BSDPROC_WNOWAIT);
	tally->claims += claimed;
	if (told.pid)
		follow_wait(told.pid, told.what, claimed);
	if (call.request == kKnote && !error)
		follow_note(got, call.known(memory_) ? call.in.knote.pid : 0);
	if (call.request == kAcct && !error)
		follow_acct(got);
	if (call.request == kHold && !error)
		follow_hold(got);
	if (call.request == kKtrace && !error)
		follow_trace(got);
}

// They are held if that was asked for, maybe by a page that changed under the call. We block
// none by ourselves.
void Caller::release_signals(const Call &call, int error)
{
	const uint64_t none = 0;
	uint64_t held = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, &held, sizeof(held));
	if (error || !call.known(memory_))
		return;
	const auto &w = *reinterpret_cast<struct bsdproc_wait *>(call.at);
	const uint64_t all = ~(uint64_t(1) << (SIGKILL - 1) | uint64_t(1) << (SIGSTOP - 1)),
		       asked = call.in.wait.flags & BSDPROC_WAIT_HELD ? call.in.wait.sigmask : 0;
	if (held != (w.flags & BSDPROC_WAIT_SIGNALS ? all : asked))
		complain("a wait with flags %#x left signals %#llx blocked", w.flags,
			 static_cast<unsigned long long>(held));
}

// Takes the place of the last one, which lets go whom it held.
void Caller::follow_hold(int fd)
{
	misuse(fd, sizeof(struct bsdproc_stop));
	const int old = self_.hold.exchange(fd);
	if (old < 0)
		return;
	struct bsdproc_stop stop = {};
	const ssize_t got = read(old, &stop, sizeof(stop));
	if (got == sizeof(stop) ? stop.event != BSDPROC_S_EXIT || stop.pid < 0 || stop.reserved
				: got != 0 && errno != EAGAIN)
		complain("a stop: read %zd, event %#x, errno %d", got, stop.event, errno);
	close(old);
}

// Takes the place of the last one, which ends what it traced.
void Caller::follow_trace(int fd)
{
	misuse(fd, sizeof(struct bsdproc_ktr));
	const int old = self_.trace.exchange(fd);
	if (old < 0)
		return;
	struct bsdproc_ktr records[8] = {};
	const ssize_t got = read(old, records, sizeof(records));
	if (got < 0 ? errno != EAGAIN : got % ssize_t(sizeof(records[0])))
		complain("a trace: read %zd, errno %d", got, errno);
	for (ssize_t i = 0; i < got / ssize_t(sizeof(records[0])); i++) {
		const bool known = records[i].type == BSDPROC_KTR_PSIG ||
				   (records[i].type >= BSDPROC_KTR_FORK &&
				    records[i].type <= BSDPROC_KTR_STOP);
		if (known ? records[i].pid < 0 || records[i].tid < 0 || records[i].other < 0
			  : records[i].type || !records[i].lost)
			complain("a trace: event %u of pid %d", records[i].type, records[i].pid);
	}
	close(old);
}

// Whole records of whatever ends beside, and errors as the header has them.
void Caller::follow_acct(int fd)
{
	struct bsdproc_acct records[4] = {};
	const size_t size = random_.pick({sizeof(records), sizeof(records[0]), sizeof(records) - 1,
					  sizeof(records[0]) - 1, size_t(1), size_t(0)});
	misuse(fd, sizeof(records[0]));
	// Some do not look at all that was written.
	for (uint64_t n = random_.below(4); n > 0; n--) {
		const bool nowhere = random_.one_in(4);
		const ssize_t got = nowhere ? syscall(SYS_read, fd, kernel_address, size)
					    : read(fd, records, size);
		const int error = got < 0 ? errno : 0;
		const bool small = size < sizeof(records[0]);
		const bool wrong = nowhere && error == EFAULT ? false // Linux's own, too
				   : small                    ? error != EINVAL && (error || size)
				   : got < 0                  ? error != EAGAIN
					     : nowhere || !got || got % ssize_t(sizeof(records[0]));
		if (wrong)
			complain("accounts: read of %zu gave %zd, errno %d", size, got, error);
		for (ssize_t i = 0; i < got / ssize_t(sizeof(records[0])); i++)
			if (records[i].pid < 0 || records[i].ppid < 0 || records[i].reserved ||
			    (!records[i].pid && !records[i].lost) ||
			    (records[i].flags & ~unsigned(BSDPROC_AFORK | BSDPROC_ASU |
							  BSDPROC_ACORE | BSDPROC_AXSIG)))
				complain("accounts: a record of pid %d", records[i].pid);
	}
	close(fd);
}

// The process, if it is a child of ours; by a descriptor, as its number may become another's.
static void end_child(pid_t ident, int note)
{
	siginfo_t child;
	const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, ident, 0));
	if (pidfd < 0)
		return;
	if (waitid(P_PIDFD, static_cast<id_t>(pidfd), &child,
		   WEXITED | WNOHANG | WNOWAIT | __WALL) == 0) {
		struct pollfd end = {note, POLLIN, 0};
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
		poll(&end, 1, 100); // it may be held
	}
	close(pidfd);
}

// A note tells of an end once, or of nothing so far; ident 0: another thread may have changed
// whose it is.
void Caller::follow_note(int fd, pid_t ident)
{
	struct bsdproc_note note = {};
	// Some have come to their end before the note is read.
	if (ident > 0 && random_.one_in(2))
		end_child(ident, fd);
	misuse(fd, sizeof(note));
	const ssize_t got = read(fd, &note, sizeof(note));
	if (got == sizeof(note) ? note.fflags != BSDPROC_NOTE_EXIT || (ident && note.ident != ident)
				: got != -1 || errno != EAGAIN)
		complain("a note of %d: read %zd, ident %d", ident, got, note.ident);
	if (got == sizeof(note) && read(fd, &note, sizeof(note)) != 0)
		complain("a note of %d: read twice", ident);
	close(fd);
}

// A claim is on a child that Linux lets us reap, or has let another thread. What else is
// reported is whoever's who comes first; it may have gone on or ended since.
void Caller::follow_wait(pid_t pid, uint32_t what, bool claimed)
{
	if (random_.one_in(4))
		return;
	siginfo_t info = {};
	const int kind = static_cast<int>(what == BSDPROC_WTRAPPED ? WSTOPPED : what) |
			 (claimed ? 0 : WNOWAIT);
	const long got = waitid(P_PID, static_cast<id_t>(pid), &info, kind | WNOHANG | __WALL);
	const bool gone = !claimed && got == 0 && !info.si_pid;
	if (got == 0 ? info.si_pid != pid && !gone : errno != ECHILD)
		complain("told of %d, but waitid says %ld, pid %d", pid, got, info.si_pid);
	if (random_.one_in(2))
		ioctl(kFirstSlot, BSDPROC_REAPED);
}

void Caller::move_descriptor()
{
	const int slot = kFirstSlot + static_cast<int>(random_.below(kSlots));
	const char *path = random_.one_in(4) ? "/dev/null" : BSDPROC_DEVICE;
	if (random_.one_in(4)) {
		close(slot);
		return;
	}
	int fd = open(path, random_.pick({O_RDWR, O_RDONLY, O_PATH}) | O_CLOEXEC);
	if (fd < 0)
		return;
	dup3(fd, slot, O_CLOEXEC);
	close(fd);
}

void Caller::act()
{
	switch (random_.below(8)) {
	case 0:
	case 1:
		spawn();
		break;
	case 2:
		if (pid_t child = self_.child(random_))
			kill(child, random_.pick({SIGKILL, SIGKILL, SIGSTOP, SIGCONT}));
		break;
	case 3:
		waitpid(-1, nullptr, WNOHANG | (random_.one_in(2) ? __WALL : 0));
		break;
	case 4:
		syscall(SYS_tgkill, self_.pid, self_.relative(random_),
			random_.pick({kInterrupt, kRestart}));
		break;
	case 5:
		if (self_.moves_descriptors)
			move_descriptor();
		break;
	case 6:
		misuse_slot();
		break;
	default:
		shifting_.shift(random_);
	}
}

void Caller::run(unsigned calls)
{
	for (unsigned i = 0; i < calls; i++) {
		place.call = i;
		if (random_.one_in(40))
			act();
		call();
	}
}

void Caller::end_by_extexit()
{
	struct bsdproc_extexit x = {};
	x.how = BSDPROC_EXTEXIT_LWP | BSDPROC_EXTEXIT_SETINT;
	x.addr = reinterpret_cast<uint64_t>(&mark_);
	ioctl(kFirstSlot, BSDPROC_EXTEXIT, &x);
	if (x.verdict == BSDPROC_VERDICT_PROC)
		_exit(0);
	for (;;)
		vm::exit_thread_raw(0);
}

} // namespace fuzz
