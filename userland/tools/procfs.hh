// SPDX-License-Identifier: BSD-2-Clause
// Linux's own view of its processes, from /proc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace bsdproc
{

// The fields of /proc/PID/stat that are compared.
struct TaskStat {
	int pid = 0;
	std::string comm;
	char state = '?'; // R, S, D, T, t, Z, X, I ...
	int ppid = 0;
	int pgrp = 0;
	int session = 0;
	uint32_t flags = 0; // the task's PF_* bits
	int num_threads = 0;
	uint64_t starttime = 0; // clock ticks since boot
};

// The text of a stat file, of whatever command name. Nothing if it is not one.
std::optional<TaskStat> parse_stat(std::string_view text);

struct LinuxProc {
	TaskStat leader;
	std::map<int, char> threads; // tid: state; empty for a kernel thread
	bool kernel = false;         // it is a kernel thread
	bool kernel_parent = false;  // its parent is one
};

using LinuxModel = std::map<int, LinuxProc>; // by pid

class Procfs
{
public:
	// root: where procfs is mounted. Throws Failure (see model.hh).
	explicit Procfs(const std::string &root = "/proc");
	~Procfs();
	Procfs(const Procfs &) = delete;
	Procfs &operator=(const Procfs &) = delete;

	// All processes and kernel threads; or only those of `pids` that exist.
	// What goes away while it is read is left out.
	LinuxModel read();
	LinuxModel read(const std::set<int> &pids);

private:
	std::optional<TaskStat> stat(int dir, const char *path);
	std::optional<LinuxProc> process(int pid);
	bool is_leader(int pid);
	void find_kernel_parents(LinuxModel &model);

	int root_fd;
};

} // namespace bsdproc
