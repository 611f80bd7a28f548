// SPDX-License-Identifier: BSD-2-Clause
// A player's children by number, and waits for them, told in words that have no pid in them.
#ifndef DIFF_CALL_H
#define DIFF_CALL_H

#include "diff_stage.h"

#include <algorithm>
#include <cstdarg>
#include <sys/stat.h>

#ifndef P_PIDFD
#define P_PIDFD static_cast<idtype_t>(3)
#endif

namespace diff
{

constexpr int kClone = static_cast<int>(__WCLONE);

// The same numbers on every run from the same seed (splitmix64).
class Random
{
public:
	explicit Random(uint64_t seed) : state_(seed) {}
	int below(int n)
	{
		uint64_t z = state_ += 0x9e3779b97f4a7c15;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		return static_cast<int>((z ^ (z >> 31)) % static_cast<uint64_t>(n));
	}
	bool one_in(int n) { return below(n) == 0; }
	template <class T> T pick(std::initializer_list<T> from)
	{
		return from.begin()[below(static_cast<int>(from.size()))];
	}

private:
	uint64_t state_;
};

enum class Form { wait, waitpid, wait3, wait4, waitid };

// Who is waited for.
struct Target {
	enum { any, child, group, own_group, self, nobody, pidfd } who = any;
	int n = 0; // the child, or whose group it is
};

// Pointers that are given: to be filled, none, or to where nothing can be written.
enum class To { memory, null, nowhere };

struct Call {
	Form form;
	Target target = {};
	int options = 0;
	To status = To::memory; // or info
	To usage = To::memory;
};

struct Result {
	std::string text;
	int n = -1;         // the child's number; -1: none
	bool ended = false; // it was its end that was reported
	bool taken = false; // and taken away
	long value = 0;
	int error = 0;
};

struct Child {
	pid_t pid;
	bool clone = false, two_threads = false;
	int group = -1; // the child whose group it is in; -1: ours
	enum { runs, stopped, half, ended, gone } state = runs;
	bool pending = false; // it has something to report
};

inline std::vector<Child> children; // by number

// A line of the transcript, out at once: the player may not come to its end.
__attribute__((format(printf, 1, 2))) inline void say(const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	const int n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	size_t length = std::min<size_t>(static_cast<size_t>(n), sizeof(line) - 2);
	line[length++] = '\n';
	if (write(STDOUT_FILENO, line, length) != static_cast<ssize_t>(length))
		_exit(98);
}

inline void say(const std::string &text)
{
	say("%s", text.c_str());
}

inline void say(const Result &result)
{
	say(result.text);
}

inline std::string format(const char *pattern, long value)
{
	char text[64];
	snprintf(text, sizeof(text), pattern, value);
	return text;
}

// The latest that had the number: it may have been given twice.
inline int number_of(pid_t pid)
{
	for (int n = static_cast<int>(children.size()) - 1; n >= 0; n--)
		if (children[static_cast<size_t>(n)].pid == pid)
			return n;
	return -1;
}

inline std::string name_of(pid_t pid)
{
	const int n = number_of(pid);
	return pid <= 0 ? std::to_string(pid) : n >= 0 ? "#" + std::to_string(n) : "a stranger";
}

inline int add_child(Child child)
{
	if (children.size() == kMost)
		die("too many children");
	children.push_back(child);
	stage->pids[children.size() - 1] = child.pid;
	return static_cast<int>(children.size()) - 1;
}

// One that obeys.
inline int make_child(unsigned long flags = SIGCHLD)
{
	const int n = static_cast<int>(children.size());
	const auto live = [n]() -> int {
		signal(SIGCHLD, SIG_DFL);
		obey(n, stage->orders[n]);
	};
	Child child = {};
	child.clone = flags != SIGCHLD;
	child.pid = child.clone ? spawn_flags(flags, live) : spawn(live);
	return add_child(child);
}

inline void give_order(int n, int order)
{
	tell(stage->orders[n], order);
}

// ---- words ---------------------------------------------------------------------

inline std::string words_of(int options)
{
	static const struct {
		int bit;
		const char *word;
	} names[] = {
		{WNOHANG, "NOHANG"},       {WSTOPPED, "STOPPED"}, {WEXITED, "EXITED"},
		{WCONTINUED, "CONTINUED"}, {WNOWAIT, "NOWAIT"},   {__WNOTHREAD, "NOTHREAD"},
		{__WALL, "ALL"},           {kClone, "CLONE"},
	};
	std::string words;
	for (const auto &name : names)
		if (options & name.bit) {
			words += (words.empty() ? "" : "|") + std::string(name.word);
			options &= ~name.bit;
		}
	if (options)
		words += format("|%#lx", options);
	return words.empty() ? "0" : words;
}

inline std::string words_of(const Target &target)
{
	switch (target.who) {
	case Target::any:
		return "any";
	case Target::child:
		return "#" + std::to_string(target.n);
	case Target::group:
		return "group of #" + std::to_string(target.n);
	case Target::own_group:
		return "own group";
	case Target::self:
		return "self";
	case Target::pidfd:
		return "pidfd of #" + std::to_string(target.n);
	default:
		return "nobody";
	}
}

// What Linux says is what it says: the bytes as they were before are told from those written.
constexpr int kBefore = 0x5a5a5a5a;

inline std::string words_of(const struct rusage &ru)
{
	struct rusage before;
	memset(&before, 0x5a, sizeof(before));
	if (memcmp(&ru, &before, sizeof(ru)) == 0)
		return "untouched";
	// Not its values, which differ from run to run; see usage().
	const bool right = ru.ru_utime.tv_usec >= 0 && ru.ru_utime.tv_usec < 1000000 &&
			   ru.ru_stime.tv_usec >= 0 && ru.ru_stime.tv_usec < 1000000 &&
			   ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 100000 &&
			   ru.ru_minflt >= 0 && ru.ru_minflt < 1 << 30 && ru.ru_nvcsw >= 0 &&
			   ru.ru_nvcsw < 1 << 30;
	return right ? "right" : "odd";
}

inline std::string words_of(const siginfo_t &info)
{
	unsigned char before[sizeof(info)];
	memset(before, 0x5a, sizeof(before));
	const void *after = &info;
	if (memcmp(after, before, sizeof(before)) == 0)
		return "untouched";
	char text[160];
	snprintf(text, sizeof(text), "signo %d errno %d code %d pid %s uid %s status %#x",
		 info.si_signo, info.si_errno, info.si_code, name_of(info.si_pid).c_str(),
		 info.si_uid == getuid() ? "ours"
		 : info.si_uid           ? "odd"
					 : "0",
		 static_cast<unsigned>(info.si_status));
	// Linux writes no more than these.
	const auto *bytes = reinterpret_cast<const unsigned char *>(&info);
	for (size_t i = offsetof(siginfo_t, si_status) + sizeof(int); i < sizeof(info); i++)
		if (bytes[i] != 0x5a)
			return std::string(text) + " and more";
	return text;
}

inline std::string status_words(int status)
{
	return status == kBefore ? "untouched" : format("%#lx", static_cast<unsigned>(status));
}

// ---- the calls ------------------------------------------------------------------

inline pid_t group_of(int n)
{
	const int group = children[static_cast<size_t>(n)].group;
	return group < 0 ? getpgrp() : children[static_cast<size_t>(group)].pid;
}

inline pid_t pid_argument(const Target &target)
{
	switch (target.who) {
	case Target::child:
		return children[static_cast<size_t>(target.n)].pid;
	case Target::group:
		return -group_of(target.n);
	case Target::own_group:
		return 0;
	case Target::self:
		return getpid();
	case Target::nobody:
		return INT32_MIN;
	default:
		return -1;
	}
}

struct Id {
	idtype_t type;
	id_t id;
	int fd = -1; // to be closed
};

inline Id id_argument(const Target &target)
{
	switch (target.who) {
	case Target::any:
		return {P_ALL, 0};
	case Target::group:
		return {P_PGID, static_cast<id_t>(group_of(target.n))};
	case Target::own_group:
		return {P_PGID, 0};
	case Target::nobody:
		return {static_cast<idtype_t>(17), 1};
	case Target::pidfd: {
		const int fd = static_cast<int>(
			syscall(SYS_pidfd_open, children[static_cast<size_t>(target.n)].pid, 0));
		return {P_PIDFD, static_cast<id_t>(fd), fd};
	}
	default:
		return {P_PID, static_cast<id_t>(pid_argument(target))};
	}
}

template <class T> T *place(To to, T *memory)
{
	return to == To::memory ? memory : to == To::null ? nullptr : reinterpret_cast<T *>(8);
}

inline void record(Result &result, pid_t pid, bool ended, const Call &call)
{
	result.n = number_of(pid);
	result.ended = ended;
	result.taken = !(call.options & WNOWAIT) || call.form != Form::waitid;
	if (result.n < 0 || !result.taken)
		return;
	Child &child = children[static_cast<size_t>(result.n)];
	child.pending = false;
	if (ended)
		child.state = Child::gone;
}

inline Result perform_waitid(const Call &call)
{
	Result result;
	siginfo_t info;
	memset(&info, 0x5a, sizeof(info));
	const Id id = id_argument(call.target);
	errno = 77;
	result.value = waitid(id.type, id.id, place(call.status, &info), call.options);
	result.error = errno;
	if (id.fd >= 0)
		close(id.fd);
	result.text = "waitid(" + words_of(call.target) + ", " + words_of(call.options) +
		      ") = " + std::to_string(result.value) +
		      format(" errno %ld, info ", result.error) + words_of(info);
	if (result.value == 0 && info.si_signo == SIGCHLD)
		record(result, info.si_pid, info.si_code <= CLD_DUMPED, call);
	return result;
}

inline Result perform(const Call &call)
{
	if (call.form == Form::waitid)
		return perform_waitid(call);
	static const char *const names[] = {"wait", "waitpid", "wait3", "wait4"};
	Result result;
	int status = kBefore;
	struct rusage ru;
	memset(&ru, 0x5a, sizeof(ru));
	const pid_t pid = pid_argument(call.target);
	int *to = place(call.status, &status);
	struct rusage *ru_to = place(call.usage, &ru);
	errno = 77;
	switch (call.form) {
	case Form::wait:
		result.value = wait(to);
		break;
	case Form::waitpid:
		result.value = waitpid(pid, to, call.options);
		break;
	case Form::wait3:
		result.value = wait3(to, call.options, ru_to);
		break;
	default:
		result.value = wait4(pid, to, call.options, ru_to);
	}
	result.error = errno;
	result.text = std::string(names[static_cast<int>(call.form)]) + "(" +
		      words_of(call.target) + ", " + words_of(call.options) +
		      ") = " + name_of(static_cast<pid_t>(result.value)) +
		      format(" errno %ld, status ", result.error) + status_words(status) +
		      ", usage " + words_of(ru);
	if (result.value > 0)
		record(result, static_cast<pid_t>(result.value),
		       status == kBefore ? false : !WIFSTOPPED(status) && !WIFCONTINUED(status),
		       call);
	return result;
}

// Until nothing more comes. Who is first is not told: Linux goes by birth, the module by death.
inline void drain(Call call)
{
	std::vector<std::string> lines;
	call.options &= ~WNOWAIT;
	call.options |= WNOHANG;
	call.status = To::memory;
	for (int i = 0; i < 2 * kMost; i++) {
		const Result result = perform(call);
		lines.push_back(result.text);
		if (result.n < 0)
			break;
	}
	std::sort(lines.begin(), lines.end());
	for (const std::string &line : lines)
		say(line);
}

// The end of every scenario: nobody is left, and nobody more is known.
inline void finish()
{
	std::vector<std::string> lines;
	for (const Child &child : children)
		if (child.state != Child::gone && child.pid > 0 && getpgid(child.pid) >= 0) {
			kill(child.pid, SIGKILL);
			until_ended(child.pid);
		}
	drain({Form::waitid, {}, WEXITED | __WALL});
	say(perform({Form::waitpid, {}, __WALL}));
}

} // namespace diff

#endif // DIFF_CALL_H
