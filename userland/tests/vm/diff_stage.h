// SPDX-License-Identifier: BSD-2-Clause
// Where diff_wait's scenarios are played: children that do what they are told, and a director,
// who acts when the player is asleep in a wait. Whoever waits to see that something has
// happened does it by Linux's raw calls and by /proc, which are the same with bsdrun.
#ifndef DIFF_STAGE_H
#define DIFF_STAGE_H

#include "vm_proc.h"

#include <sys/ptrace.h>

#include <thread>
#include <vector>

namespace diff
{

using namespace vm;

constexpr int kMost = 40; // children of a scenario

// What a child is told: one of these, and a number below 1 << 16.
enum Order {
	kExit = 1 << 16,      // with that code
	kDie = 2 << 16,       // of that signal
	kDump = 3 << 16,      // with room for a core
	kEndThread = 4 << 16, // alone, with that code
	kFork = 5 << 16,      // a child, which then is the one of that number
	kAsk = 6 << 16,       // wait for the child of that number, and exit with errno or 0
	kReap = 7 << 16,      // wait for that one's end, touch memory, and exit with 0
	kRaise = 8 << 16,     // that signal, and go on
	kThread = 9 << 16,    // make a second thread, which is told by `second`
	kExec = 10 << 16,     // exec a program that ends when it is told to by a signal
};

// What the director does; each when the one before is done.
struct Deed {
	enum { asleep, handled, order, second, signal, state } what;
	pid_t pid; // or the child's number
	int value;
};

struct Stage {
	std::atomic<int> orders[kMost], second[kMost];
	std::atomic<pid_t> pids[kMost];
	std::atomic<int> handled; // how often a handler has run
	Deed deeds[12];
	int count;
	std::atomic<int> over; // the wait is, whatever the director still waits for
};

inline Stage *stage;

inline void futex(std::atomic<int> &word, int op, int value)
{
	syscall(SYS_futex, reinterpret_cast<int *>(&word), op, value, nullptr, nullptr, 0);
}

inline void tell(std::atomic<int> &word, int order)
{
	// The one before has to be taken.
	while (word != 0)
		sched_yield();
	word = order;
	futex(word, FUTEX_WAKE, INT32_MAX);
}

inline int be_told(std::atomic<int> &word)
{
	int order;
	while ((order = word.exchange(0)) == 0)
		futex(word, FUTEX_WAIT, 0);
	return order;
}

[[noreturn]] inline void die_of(int sig)
{
	sigset_t all;
	signal(sig, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, nullptr);
	for (;;) {
		kill(static_cast<pid_t>(syscall(SYS_getpid)), sig);
		pause();
	}
}

inline std::string dump_directory; // which a core may go to

// The life of child n, or of a thread that is told by another word.
[[noreturn]] inline void obey(int n, std::atomic<int> &word)
{
	for (;;) {
		const int told = be_told(word), value = told & 0xffff;
		switch (told & ~0xffff) {
		case kExit:
			_exit(value);
		case kDump: {
			const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
			setrlimit(RLIMIT_CORE, &all);
			if (chdir(dump_directory.c_str()) != 0)
				_exit(250);
			die_of(value);
		}
		case kDie:
			die_of(value);
		case kEndThread:
			exit_thread_raw(value);
			break;
		case kFork: {
			const pid_t pid = fork();
			if (pid == 0)
				obey(value, stage->orders[value]);
			stage->pids[value] = pid;
			break;
		}
		case kAsk:
			_exit(waitpid(stage->pids[value], nullptr, WNOHANG) < 0 ? errno : 0);
		case kReap: {
			int status = -1;
			const pid_t got = waitpid(stage->pids[value], &status, 0);
			std::vector<char> pages(2 << 20);
			for (size_t i = 0; i < pages.size(); i += 4096)
				*const_cast<volatile char *>(&pages[i]) = 1;
			_exit(got == stage->pids[value] ? status : 252);
		}
		case kRaise:
			syscall(SYS_tgkill, syscall(SYS_getpid), gettid_raw(), value);
			break;
		case kThread:
			std::thread([n] { obey(n, stage->second[n]); }).detach();
			break;
		case kExec:
			execl("/bin/sleep", "sleep", "1000000", nullptr);
			_exit(251);
		}
	}
}

// ---- seeing that it is so -----------------------------------------------------

inline bool raw_peek(pid_t pid, int events)
{
	siginfo_t info{};
	long got;
	while ((got = syscall(SYS_waitid, P_PID, pid, &info, events | WNOWAIT | __WALL, nullptr)) <
		       0 &&
	       errno == EINTR)
		;
	return got == 0;
}

// To be seen by a wait, if we may wait for it at all.
inline void until_ended(pid_t pid)
{
	raw_peek(pid, WEXITED);
}

inline void until_stopped(pid_t pid)
{
	raw_peek(pid, WSTOPPED);
}

inline void until_dead(pid_t pid)
{
	while (!no_more(pid))
		sched_yield();
}

inline pid_t until_known(int n)
{
	while (stage->pids[n] == 0)
		sched_yield();
	return stage->pids[n];
}

// ---- the director --------------------------------------------------------------

inline int ask_fd[2], done_fd[2]; // pipes from and to the player

// What happens during the player's next wait. Its sleep comes first.
class Plan
{
public:
	explicit Plan(pid_t sleeper = gettid_raw())
	{
		stage->count = 0;
		stage->over = 0;
		asleep(sleeper);
	}
	Plan &asleep(pid_t tid = gettid_raw()) { return add({Deed::asleep, tid, 0}); }
	Plan &handled(int times) { return add({Deed::handled, 0, times}); }
	Plan &order(int n, int order) { return add({Deed::order, n, order}); }
	Plan &second(int n, int order) { return add({Deed::second, n, order}); }
	Plan &signal(pid_t pid, int sig) { return add({Deed::signal, pid, sig}); }
	Plan &state(pid_t pid, char letter) { return add({Deed::state, pid, letter}); }

	// Before the wait, and after it.
	void begin()
	{
		while (write(ask_fd[1], "", 1) != 1)
			if (errno != EINTR)
				die("write");
	}
	void end()
	{
		char c;
		stage->over = 1;
		while (read(done_fd[0], &c, 1) != 1)
			if (errno != EINTR)
				die("read");
	}

private:
	Plan &add(Deed deed)
	{
		if (stage->count == sizeof(stage->deeds) / sizeof(stage->deeds[0]))
			die("too long a plan");
		stage->deeds[stage->count++] = deed;
		return *this;
	}
};

// `ended`: a descriptor that tells of the player's end.
inline void direct(const Deed &deed, int ended)
{
	// A wait that did not sleep shows in the transcript; we go on.
	const auto over = [ended] {
		struct pollfd fd = {ended, POLLIN, 0};
		return stage->over || poll(&fd, 1, 0) == 1;
	};
	switch (deed.what) {
	case Deed::asleep:
		while (!waits_in_kernel(deed.pid) && !over())
			sched_yield();
		break;
	case Deed::handled:
		while (stage->handled < deed.value && !over())
			sched_yield();
		break;
	case Deed::order:
		tell(stage->orders[deed.pid], deed.value);
		break;
	case Deed::second:
		tell(stage->second[deed.pid], deed.value);
		break;
	case Deed::signal:
		kill(deed.pid, deed.value);
		break;
	case Deed::state:
		while (state_of(deed.pid) != deed.value && !over())
			sched_yield();
		break;
	}
}

// Serves the player until it has ended; its wait status.
inline int be_director(pid_t player)
{
	const int ended = static_cast<int>(syscall(SYS_pidfd_open, player, 0));
	if (ended < 0)
		die("pidfd_open");
	struct pollfd fds[] = {{ask_fd[0], POLLIN, 0}, {ended, POLLIN, 0}};
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		char c;
		if (read(ask_fd[0], &c, 1) != 1)
			die("read");
		for (int i = 0; i < stage->count; i++)
			direct(stage->deeds[i], ended);
		if (write(done_fd[1], "", 1) != 1)
			die("write");
	}
	close(ended);
	return native_reap(player);
}

} // namespace diff

#endif // DIFF_STAGE_H
