// SPDX-License-Identifier: BSD-2-Clause
// Waits of every kind, each of them held against all that it may write.
#ifndef VM_WAIT_H
#define VM_WAIT_H

#include "vm_test.h"

#include <thread>

namespace vm
{

// What a wait is to say: of a child, or that there is nothing, or an error.
struct Want {
	pid_t result;   // its number, 0, or -errno
	int kind = 0;   // WEXITED, WUNTRACED, WTRAPPED or WCONTINUED
	int status = 0; // as *status has it
	int code = 0;   // si_code
	int value = 0;  // si_status
	uid_t uid = 0;  // its real user

	Want as(uid_t user) const
	{
		Want other = *this;
		other.uid = user;
		return other;
	}
	Want of(pid_t pid) const
	{
		Want other = *this;
		other.result = pid;
		return other;
	}
};

inline Want nothing()
{
	return {0};
}

inline Want failed(int error)
{
	return {-error};
}

inline Want exited(pid_t pid, int code)
{
	return {pid, WEXITED, (code & 0xff) << 8, CLD_EXITED, code & 0xff, getuid()};
}

inline Want killed(pid_t pid, int sig)
{
	return {pid, WEXITED, sig, CLD_KILLED, sig, getuid()};
}

inline Want dumped(pid_t pid, int sig)
{
	return {pid, WEXITED, sig | 0x80, CLD_DUMPED, sig, getuid()};
}

inline Want stopped(pid_t pid, int sig)
{
	return {pid, WUNTRACED, sig << 8 | 0x7f, CLD_STOPPED, sig, getuid()};
}

// Stopped for its tracer, who is told of an event besides the signal, if there is one.
inline Want trapped(pid_t pid, int sig, int event = 0)
{
	sig |= event << 8;
	return {pid, WTRAPPED, sig << 8 | 0x7f, CLD_TRAPPED, sig, getuid()};
}

inline Want continued(pid_t pid)
{
	return {pid, WCONTINUED, SIGCONT, CLD_CONTINUED, SIGCONT, getuid()};
}

// A T for somebody else to fill, amid bytes that are nobody's.
template <class T> class Poisoned
{
public:
	Poisoned() { memset(raw_, kPoison, sizeof(raw_)); }
	T *get() { return reinterpret_cast<T *>(raw_ + kFence); }

	// Not a byte of it has changed, nor of what is around it.
	bool untouched() const { return clean(0, sizeof(raw_)); }

	// It is that value in every byte, and nothing around it has changed.
	bool is(const T &value) const
	{
		// Every byte on purpose, those between the members too.
		const void *bytes = &value;
		return memcmp(raw_ + kFence, bytes, sizeof(T)) == 0 && fenced();
	}
	bool fenced() const { return clean(0, kFence) && clean(kFence + sizeof(T), sizeof(raw_)); }

private:
	bool clean(size_t from, size_t to) const
	{
		for (; from < to; from++)
			if (raw_[from] != kPoison)
				return false;
		return true;
	}

	static constexpr unsigned char kPoison = 0xa5;
	static constexpr size_t kFence = 64;
	alignas(16) unsigned char raw_[kFence + sizeof(T) + kFence];
};

// The usage of a forked child that has run: at least it has touched a page. What Linux
// does not count is 0.
inline bool is_usage(const struct rusage &ru)
{
	const long of_time[] = {ru.ru_utime.tv_sec, ru.ru_utime.tv_usec, ru.ru_stime.tv_sec,
				ru.ru_stime.tv_usec};
	for (long part : of_time)
		if (part < 0 || part >= 1000000)
			return false;
	for (long count :
	     {ru.ru_maxrss, ru.ru_majflt, ru.ru_inblock, ru.ru_oublock, ru.ru_nvcsw, ru.ru_nivcsw})
		if (count < 0)
			return false;
	return ru.ru_minflt > 0 && (ru.ru_ixrss | ru.ru_idrss | ru.ru_isrss | ru.ru_nswap |
				    ru.ru_msgsnd | ru.ru_msgrcv | ru.ru_nsignals) == 0;
}

// Which addresses a call is given none of.
enum Without : unsigned { kNoStatus = 1, kNoUsage = 2, kNoInfo = 4 };

// What is wrong with what a wait has said; "": nothing.
class Judge
{
public:
	Judge(long got, const Want &want) : error_(got == -1 ? errno : 0)
	{
		const pid_t result = got == -1 ? -error_ : static_cast<pid_t>(got);
		if (result != want.result)
			complaint_ = "returned " + std::to_string(result) + ", not " +
				     std::to_string(want.result) + "; ";
		else
			want_ = &want;
	}

	Judge &status(Poisoned<int> &status, bool given)
	{
		if (!untouched("*status", status, given) && !status.is(want_->status))
			complaint_ += "*status " + std::to_string(*status.get()) + ", not " +
				      std::to_string(want_->status) + "; ";
		return *this;
	}

	Judge &usage(Poisoned<struct rusage> &ru, bool given)
	{
		if (!untouched("*rusage", ru, given))
			count("*rusage", *ru.get(), ru.fenced());
		return *this;
	}

	// The children of the ones that are waited for here have had no children.
	Judge &usage(Poisoned<struct __wrusage> &wru, bool given)
	{
		if (untouched("*wru", wru, given))
			return *this;
		count("wru_self", wru.get()->wru_self, wru.fenced());
		const struct rusage zero = {};
		if (memcmp(&wru.get()->wru_children, &zero, sizeof(zero)) != 0)
			complaint_ += "wru_children is not zero; ";
		return *this;
	}

	Judge &info(Poisoned<siginfo_t> &info, bool given)
	{
		if (untouched("*info", info, given))
			return *this;
		siginfo_t all;
		memset(&all, 0, sizeof(all));
		if (want_->result != 0) {
			all.si_signo = SIGCHLD;
			all.si_code = want_->code;
			all.si_pid = want_->result;
			all.si_uid = want_->uid;
			all.si_status = want_->value;
		}
		if (info.is(all))
			return *this;
		const siginfo_t &is = *info.get();
		char text[128];
		snprintf(
			text, sizeof(text),
			"*info: signo %d errno %d code %d pid %d uid %u status %#x, or past that; ",
			is.si_signo, is.si_errno, is.si_code, is.si_pid, is.si_uid, is.si_status);
		complaint_ += text;
		return *this;
	}

	std::string said() const { return complaint_; }

private:
	// Has nothing to be in it; if something is, that is complained of.
	template <class T> bool untouched(const char *name, Poisoned<T> &buffer, bool given)
	{
		if (want_ && want_->result >= 0 && given)
			return false;
		if (want_ && !buffer.untouched())
			complaint_ += std::string(name) + " was written; ";
		return true;
	}

	void count(const char *name, const struct rusage &ru, bool fenced)
	{
		const struct rusage zero = {};
		const bool good =
			want_->kind == WEXITED ? is_usage(ru) : memcmp(&ru, &zero, sizeof(ru)) == 0;
		if (!good || !fenced)
			complaint_ += std::string(name) + " is not " +
				      (want_->kind == WEXITED ? "usage; " : "zero; ");
	}

	int error_;
	const Want *want_ = nullptr;
	std::string complaint_;
};

inline std::string try_wait6(idtype_t idtype, id_t id, int options, const Want &want,
			     unsigned without = 0)
{
	Poisoned<int> status;
	Poisoned<struct __wrusage> wru;
	Poisoned<siginfo_t> info;
	pid_t got = bsd_wait6(idtype, id, without & kNoStatus ? nullptr : status.get(), options,
			      without & kNoUsage ? nullptr : wru.get(),
			      without & kNoInfo ? nullptr : info.get());
	return Judge(got, want)
		.status(status, !(without & kNoStatus))
		.usage(wru, !(without & kNoUsage))
		.info(info, !(without & kNoInfo))
		.said();
}

inline std::string try_waitid(idtype_t idtype, id_t id, int options, const Want &want,
			      unsigned without = 0)
{
	Poisoned<siginfo_t> info;
	long got = bsd_waitid(idtype, id, without & kNoInfo ? nullptr : info.get(), options);
	// It says whom it means in info alone.
	if (got == 0 && want.result > 0)
		got = without & kNoInfo ? want.result : info.get()->si_pid;
	return Judge(got, want).info(info, !(without & kNoInfo)).said();
}

inline std::string try_wait4(pid_t pid, int options, const Want &want, unsigned without = 0)
{
	Poisoned<int> status;
	Poisoned<struct rusage> ru;
	int *status_or_none = without & kNoStatus ? nullptr : status.get();
	pid_t got;
	// The shorter calls are the same with less to say.
	if (!(without & kNoUsage) && pid != -1)
		got = bsd_wait4(pid, status_or_none, options, ru.get());
	else if (!(without & kNoUsage))
		got = bsd_wait3(status_or_none, options, ru.get());
	else if (pid != -1 || options != 0)
		got = bsd_waitpid(pid, status_or_none, options);
	else
		got = bsd_wait(status_or_none);
	return Judge(got, want)
		.status(status, !(without & kNoStatus))
		.usage(ru, !(without & kNoUsage))
		.said();
}

// As std::source_location, which clang's tools do not have yet.
struct Where {
	const char *file;
	int line;

	static constexpr Where current(const char *file = __builtin_FILE(),
				       int line = __builtin_LINE())
	{
		return {file, line};
	}
};

inline void expect_none(const std::string &complaint, const Where &where)
{
	if (!complaint.empty())
		ADD_FAILURE_AT(where.file, where.line) << complaint;
}

inline void expect_wait6(idtype_t idtype, id_t id, int options, const Want &want,
			 const Where &where = Where::current())
{
	expect_none(try_wait6(idtype, id, options, want), where);
}

inline void expect_waitid(idtype_t idtype, id_t id, int options, const Want &want,
			  const Where &where = Where::current())
{
	expect_none(try_waitid(idtype, id, options, want), where);
}

inline void expect_wait4(pid_t pid, int options, const Want &want,
			 const Where &where = Where::current())
{
	expect_none(try_wait4(pid, options, want), where);
}

inline id_t id_of(pid_t pid)
{
	return static_cast<id_t>(pid);
}

// Sleeps until Linux has that to report of the child, and leaves it. A tracer's stops are
// WSTOPPED too.
inline siginfo_t until_reportable(pid_t pid, int kind)
{
	siginfo_t info{};
	while (syscall(SYS_waitid, P_PID, pid, &info, kind | WNOWAIT | __WALL, nullptr) != 0)
		if (errno != EINTR)
			die("waitid WNOWAIT");
	return info;
}

// A native wait takes it.
inline siginfo_t native_take(pid_t pid, int kind)
{
	siginfo_t info{};
	while (syscall(SYS_waitid, P_PID, pid, &info, kind | __WALL, nullptr) != 0)
		if (errno != EINTR)
			die("waitid");
	return info;
}

// And until it has said so, which it does after it can be seen: then it is off the CPU.
inline void until_halted(pid_t pid)
{
	until_reportable(pid, WSTOPPED);
	while (slurp("/proc/" + std::to_string(pid) + "/syscall").compare(0, 7, "running") == 0)
		sched_yield();
}

inline void stop(pid_t pid, int sig = SIGSTOP)
{
	kill(pid, sig);
	until_halted(pid);
}

inline void finish(pid_t pid, int sig = SIGKILL)
{
	kill(pid, sig);
	native_reap(pid);
}

[[noreturn]] inline void rest()
{
	for (;;)
		pause();
}

// A child that does nothing but what signals have it do.
inline pid_t resting_child()
{
	return spawn([]() -> int { rest(); });
}

// A process that nobody here is the parent of.
template <class F> pid_t spawn_orphan(F body)
{
	Shared<std::atomic<pid_t>> number{0};
	Tokens go;
	native_reap(spawn([&] {
		*number = spawn([&] {
			go.take(); // it may look at what its maker sleeps in
			return body();
		});
		return 0;
	}));
	go.give();
	return *number;
}

// Waits in a thread of its own, which sleeps in that when this returns.
class Sleeper
{
public:
	template <class F> explicit Sleeper(F wait)
	{
		thread_ = std::thread([this, wait] {
			tid_ = gettid_raw();
			wait();
			done_ = true;
		});
		while (tid_ == 0)
			sched_yield();
		until_asleep();
	}
	~Sleeper() { thread_.join(); }
	Sleeper(const Sleeper &) = delete;
	Sleeper &operator=(const Sleeper &) = delete;

	void until_asleep() { until_waiting(tid_); }
	bool done() const { return done_; }

private:
	std::atomic<pid_t> tid_{0};
	std::atomic<bool> done_{false};
	std::thread thread_;
};

inline constexpr int kAll = WEXITED | WUNTRACED | WCONTINUED;

} // namespace vm

#endif // VM_WAIT_H
