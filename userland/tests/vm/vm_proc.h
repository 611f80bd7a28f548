// SPDX-License-Identifier: BSD-2-Clause
// Processes, and ways to order them, for the tests and storms that run in the guest.
#ifndef VM_PROC_H
#define VM_PROC_H

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace vm
{

[[noreturn]] inline void die(const char *what)
{
	fprintf(stderr, "cannot test: %s: %s\n", what, strerror(errno));
	fflush(nullptr);
	_exit(99);
}

inline pid_t gettid_raw()
{
	return static_cast<pid_t>(syscall(SYS_gettid));
}

inline void exit_thread_raw(int code)
{
	syscall(SYS_exit, code);
}

template <class F> pid_t spawn(F body)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		_exit(body());
	return pid;
}

// fork() with clone flags and an exit signal of one's own choice.
template <class F> pid_t spawn_flags(unsigned long flags, F body)
{
	long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
	if (pid < 0)
		die("clone");
	if (pid == 0)
		_exit(body());
	return static_cast<pid_t>(pid);
}

// The child runs `body` in our memory and on our stack; this thread sleeps until it execs or
// ends.
template <class F> __attribute__((noinline)) pid_t spawn_vfork(F body)
{
	pid_t pid = vfork();
	if (pid < 0)
		die("vfork");
	if (pid == 0)
		_exit(body());
	return pid;
}

// A counting semaphore that any relative of its maker can use.
class Tokens
{
public:
	Tokens()
	{
		if (pipe2(fd_, O_CLOEXEC) != 0)
			die("pipe2");
	}
	~Tokens()
	{
		close(fd_[0]);
		close(fd_[1]);
	}
	Tokens(const Tokens &) = delete;
	Tokens &operator=(const Tokens &) = delete;

	void give(int count = 1)
	{
		while (count-- > 0) {
			while (write(fd_[1], "", 1) != 1)
				if (errno != EINTR)
					die("write");
		}
	}
	void take(int count = 1)
	{
		char c;
		while (count > 0) {
			ssize_t n = read(fd_[0], &c, 1);
			if (n == 1)
				count--;
			else if (n == 0 || errno != EINTR)
				die("read");
		}
	}
	// Makes the two ends standard input and output, also after exec.
	void as_stdio() const
	{
		dup2(fd_[0], STDIN_FILENO);
		dup2(fd_[1], STDOUT_FILENO);
	}

private:
	int fd_[2];
};

// One T that parent and children see alike.
template <class T> class Shared
{
public:
	template <class... A> explicit Shared(A &&...args)
	{
		void *p = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("mmap");
		t_ = new (p) T{static_cast<A &&>(args)...};
	}
	~Shared() { munmap(t_, sizeof(T)); }
	Shared(const Shared &) = delete;
	Shared &operator=(const Shared &) = delete;
	T *operator->() const { return t_; }
	T &operator*() const { return *t_; }

private:
	T *t_;
};

inline void spin(int turns)
{
	while (turns-- > 0)
		std::atomic_signal_fence(std::memory_order_seq_cst);
}

// Those who meet sleep until the last has come, and then leave as close together as they
// can: they spin for those still waking up, but not for long, as there may be more of them
// than CPUs.
class Barrier
{
public:
	explicit Barrier(int n) : n_(n) {}
	void meet()
	{
		if (come_.fetch_add(1) + 1 == n_) {
			open_ = 1;
			futex(FUTEX_WAKE, INT32_MAX);
		}
		while (open_ == 0)
			futex(FUTEX_WAIT, 0);
		awake_++;
		for (int turns = 0; awake_ < n_ && turns < 5000; turns++)
			spin(1);
	}

private:
	void futex(int op, int value)
	{
		syscall(SYS_futex, reinterpret_cast<int *>(&open_), op, value, nullptr, nullptr, 0);
	}

	std::atomic<int> come_{0}, awake_{0}, open_{0};
	int n_;
};

inline std::string slurp(const std::string &path)
{
	std::string text;
	int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return text;
	char buf[4096];
	for (ssize_t n; (n = read(fd, buf, sizeof(buf))) > 0;)
		text.append(buf, static_cast<size_t>(n));
	close(fd);
	return text;
}

inline void write_to(const std::string &path, const std::string &text)
{
	int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
		die(path.c_str());
	close(fd);
}

// Our number where /proc was mounted: in another pid namespace than ours, maybe.
inline pid_t pid_in_proc()
{
	char number[16] = {};
	if (readlink("/proc/self", number, sizeof(number) - 1) <= 0)
		die("/proc/self");
	return atoi(number);
}

// The state letter of a task; 0: there is none.
inline char state_of(pid_t tid)
{
	std::string stat = slurp("/proc/" + std::to_string(tid) + "/stat");
	size_t at = stat.rfind(')');
	return at == std::string::npos || at + 2 >= stat.size() ? 0 : stat[at + 2];
}

inline void until_state(pid_t tid, char state)
{
	while (state_of(tid) != state)
		sched_yield();
}

inline void until_gone(pid_t tid)
{
	while (state_of(tid) != 0)
		sched_yield();
}

// Nothing that a wait could report: dead to Linux as well, if not swept up yet.
inline bool no_more(pid_t pid)
{
	char state = state_of(pid);
	return state == 0 || state == 'X';
}

inline bool waits_in_kernel(pid_t tid)
{
	std::string call = slurp("/proc/" + std::to_string(tid) + "/syscall");
	int nr = -1;
	if (sscanf(call.c_str(), "%d", &nr) != 1)
		return false;
	return (nr == SYS_ioctl || nr == SYS_wait4 || nr == SYS_waitid) && state_of(tid) == 'S';
}

// Until the thread sleeps in its wait. Makes an order likely; no result may hang on it alone.
inline void until_waiting(pid_t tid)
{
	while (!waits_in_kernel(tid))
		sched_yield();
}

// Until the program `head`, which reads one byte, has been exec'd and waits for that. Earlier
// its name may be there and the exec not over.
inline void until_head_reads(pid_t pid)
{
	const std::string proc = "/proc/" + std::to_string(pid);
	while (slurp(proc + "/comm") != "head\n" ||
	       slurp(proc + "/syscall").compare(0, 4, "0 0x") != 0 || state_of(pid) != 'S')
		sched_yield();
}

// The child has ended and stays as it is: what Linux says of it.
inline siginfo_t native_peek(pid_t pid, struct rusage *ru = nullptr)
{
	siginfo_t info{};
	while (syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT | __WALL, ru) != 0)
		if (errno != EINTR)
			die("waitid WNOWAIT");
	return info;
}

inline int native_reap(pid_t pid)
{
	int status = -1;
	while (waitpid(pid, &status, __WALL) != pid)
		if (errno != EINTR)
			die("waitpid");
	return status;
}

// BSDPROC_TEST_SCALE: percent of the rounds that a test asks for by itself.
inline int rounds(int normal)
{
	const char *scale = getenv("BSDPROC_TEST_SCALE");
	int n = scale ? normal * atoi(scale) / 100 : normal;
	return n > 0 ? n : 1;
}

// Another program of the same build, by name.
inline std::string sibling(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		die("readlink");
	self[n] = 0;
	std::string path(self);
	return path.substr(0, path.rfind('/') + 1) + name;
}

} // namespace vm

#endif // VM_PROC_H
