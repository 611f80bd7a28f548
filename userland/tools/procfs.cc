// SPDX-License-Identifier: BSD-2-Clause
#include "procfs.hh"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include "model.hh"

namespace bsdproc
{

namespace
{

constexpr uint32_t pf_kthread = 0x00200000;

struct CloseDir {
	void operator()(DIR *dir) const { closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

// A directory below `at`, to be read from its start; null if it is gone.
Dir open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return nullptr;
	Dir dir(fdopendir(fd));
	if (!dir)
		close(fd);
	return dir;
}

bool number(std::string_view text, auto &value)
{
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	return error == std::errc() && end == text.data() + text.size();
}

// The next word of `text`, which loses it.
std::string_view word(std::string_view &text)
{
	text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
	std::string_view found = text.substr(0, text.find_first_of(" \t\n"));
	text.remove_prefix(found.size());
	return found;
}

template <typename Do> void for_each_number(DIR *dir, Do &&action)
{
	while (const dirent *entry = readdir(dir)) {
		int value;
		if (number(entry->d_name, value) && value > 0)
			action(value);
	}
}

} // namespace

std::optional<TaskStat> parse_stat(std::string_view text)
{
	// The name is anything, with parentheses, blanks and newlines: it ends at
	// the last parenthesis, as only numbers follow.
	size_t open = text.find('('), close = text.rfind(')');
	if (open == text.npos || close == text.npos || close < open)
		return std::nullopt;

	TaskStat task;
	std::string_view pid = text.substr(0, open), rest = text.substr(close + 1);
	task.comm = text.substr(open + 1, close - open - 1);
	std::string_view state;
	if (!number(word(pid), task.pid) || (state = word(rest)).size() != 1 ||
	    !number(word(rest), task.ppid) || !number(word(rest), task.pgrp) ||
	    !number(word(rest), task.session))
		return std::nullopt;
	task.state = state[0];

	// Fields 7 to 22, as proc(5) counts them.
	std::string_view fields[23];
	for (int i = 7; i <= 22; i++)
		fields[i] = word(rest);
	if (!number(fields[9], task.flags) || !number(fields[20], task.num_threads) ||
	    !number(fields[22], task.starttime))
		return std::nullopt;
	return task;
}

Procfs::Procfs(const std::string &root)
    : root_fd(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
{
	if (root_fd == -1)
		throw Failure("cannot open " + root + ": " + strerror(errno));
}

Procfs::~Procfs()
{
	close(root_fd);
}

std::optional<TaskStat> Procfs::stat(int dir, const char *path)
{
	char text[4096];
	size_t length = 0;
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd == -1) {
		if (errno == ENOENT || errno == ESRCH)
			return std::nullopt;
		throw Failure(std::string("cannot open ") + path + " in /proc: " + strerror(errno));
	}
	for (;;) {
		ssize_t got = ::read(fd, text + length, sizeof(text) - length);
		if (got <= 0)
			break;
		length += got;
	}
	close(fd);
	// A process that is gone by now gives nothing to read.
	if (length == 0)
		return std::nullopt;
	auto task = parse_stat({text, length});
	if (!task)
		throw Failure(std::string("cannot make sense of ") + path + " in /proc");
	return task;
}

// /proc/TID can be opened for any thread, though it is not listed.
bool Procfs::is_leader(int pid)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "%d/status", pid);
	int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	ssize_t got = ::read(fd, text, sizeof(text));
	close(fd);
	std::string_view status(text, got > 0 ? got : 0);
	size_t at = status.find("\nTgid:\t");
	if (at == status.npos)
		return false;
	status.remove_prefix(at + 7);
	int tgid;
	return number(word(status), tgid) && tgid == pid;
}

std::optional<LinuxProc> Procfs::process(int pid)
{
	char path[64];
	LinuxProc proc;

	snprintf(path, sizeof(path), "%d/stat", pid);
	auto leader = stat(root_fd, path);
	if (!leader)
		return std::nullopt;
	proc.leader = *leader;
	proc.kernel = leader->flags & pf_kthread;
	if (proc.kernel)
		return proc;

	snprintf(path, sizeof(path), "%d/task", pid);
	Dir tasks = open_dir(root_fd, path);
	if (!tasks) {
		if (errno == ENOENT || errno == ESRCH)
			return std::nullopt;
		throw Failure(std::string("cannot open /proc/") + path + ": " + strerror(errno));
	}
	for_each_number(tasks.get(), [&](int tid) {
		snprintf(path, sizeof(path), "%d/stat", tid);
		if (auto thread = stat(dirfd(tasks.get()), path))
			proc.threads[tid] = thread->state;
	});
	if (proc.threads.empty())
		return std::nullopt;
	return proc;
}

void Procfs::find_kernel_parents(LinuxModel &model)
{
	char path[64];

	for (auto &[pid, proc] : model) {
		int ppid = proc.leader.ppid;
		if (proc.kernel || ppid == 0)
			continue;
		if (auto parent = model.find(ppid); parent != model.end()) {
			proc.kernel_parent = parent->second.kernel;
			continue;
		}
		snprintf(path, sizeof(path), "%d/stat", ppid);
		if (auto parent = stat(root_fd, path))
			proc.kernel_parent = parent->flags & pf_kthread;
	}
}

LinuxModel Procfs::read()
{
	LinuxModel model;
	Dir dir = open_dir(root_fd, ".");

	if (!dir)
		throw Failure(std::string("cannot read /proc: ") + strerror(errno));
	for_each_number(dir.get(), [&](int pid) {
		if (auto proc = process(pid))
			model.emplace(pid, std::move(*proc));
	});
	if (model.empty())
		throw Failure(
			"there are no processes in /proc: it is not mounted, or not readable");
	find_kernel_parents(model);
	return model;
}

LinuxModel Procfs::read(const std::set<int> &pids)
{
	LinuxModel model;

	for (int pid : pids)
		if (auto proc = is_leader(pid) ? process(pid) : std::nullopt)
			model.emplace(pid, std::move(*proc));
	find_kernel_parents(model);
	return model;
}

} // namespace bsdproc
