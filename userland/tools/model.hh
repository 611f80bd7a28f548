// SPDX-License-Identifier: BSD-2-Clause
// The module's model, read from its device.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <bsdproc_ioctl.h>

namespace bsdproc
{

struct Proc {
	bsdproc_kproc k{};
	std::vector<bsdproc_klwp> lwps;
};

struct Group {
	bsdproc_getpgrp g{};
	bsdproc_getsession session{};
};

struct Model {
	std::map<int, Proc> procs;   // by pid
	std::vector<int> twice;      // pids that were listed more than once
	std::vector<int> gone;       // listed, but there was no such proc then
	std::vector<int> impossible; // listed, but not a number a process can have
};

// What keeps a tool from its work; what() is a sentence for the user.
struct Failure : std::runtime_error {
	using std::runtime_error::runtime_error;
};

class Device
{
public:
	// Opens the device. Throws Failure, as all functions here do.
	Device();
	~Device();
	Device(const Device &) = delete;
	Device &operator=(const Device &) = delete;

	// The pids of all procs that the caller can see, the lowest first.
	std::vector<int> list();

	// The proc `pid` (> 0) with all its lwps, or nothing if there is none.
	std::optional<Proc> get(int pid);

	// The group `pgid`, or nothing if there is none (any more), or its session.
	std::optional<Group> group(int pgid);
	// What the user with that real id has; an id of this user namespace.
	bsdproc_getuser user(uint32_t uid);

	// All procs; or only those of `pids` that are listed.
	Model read();
	Model read(const std::set<int> &pids);

private:
	Model read_listed(const std::set<int> *pids);

	int fd;
	std::vector<bsdproc_klwp> room; // kept from call to call
};

} // namespace bsdproc
