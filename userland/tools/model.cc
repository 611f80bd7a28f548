// SPDX-License-Identifier: BSD-2-Clause
#include "model.hh"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bsdproc
{

namespace
{

[[noreturn]] void fail(const char *what)
{
	if (errno == ENOTTY)
		throw Failure(
			"the bsdproc module does not know this request; it is older than this program");
	throw Failure(std::string(what) + ": " + strerror(errno));
}

} // namespace

Device::Device() : fd(open(BSDPROC_DEVICE, O_RDWR | O_CLOEXEC)), room(64)
{
	if (fd != -1)
		return;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		throw Failure("the bsdproc module is not loaded (no " BSDPROC_DEVICE ")");
	fail("cannot open " BSDPROC_DEVICE);
}

Device::~Device()
{
	close(fd);
}

std::vector<int> Device::list()
{
	std::vector<int> pids(1024);

	for (;;) {
		bsdproc_list args{};
		args.pids = reinterpret_cast<uintptr_t>(pids.data());
		args.room = pids.size();
		if (ioctl(fd, BSDPROC_LIST, &args) == -1)
			fail("cannot list the processes");
		if (args.count <= pids.size()) {
			pids.resize(args.count);
			return pids;
		}
		// More than are there now: the next call must not fall short again
		// because a few were born meanwhile.
		pids.resize(args.count + args.count / 8 + 64);
	}
}

std::optional<Proc> Device::get(int pid)
{
	for (;;) {
		bsdproc_getproc args{};
		args.pid = pid;
		args.room = room.size();
		args.lwps = reinterpret_cast<uintptr_t>(room.data());
		if (ioctl(fd, BSDPROC_GETPROC, &args) == -1) {
			if (errno == ESRCH)
				return std::nullopt;
			fail(("cannot read process " + std::to_string(pid)).c_str());
		}
		if (args.kproc.nlwps <= room.size())
			return Proc{args.kproc, {room.begin(), room.begin() + args.kproc.nlwps}};
		room.resize(args.kproc.nlwps + args.kproc.nlwps / 8 + 64);
	}
}

std::optional<Group> Device::group(int pgid)
{
	Group group;

	group.g.pgid = pgid;
	if (ioctl(fd, BSDPROC_GETPGRP, &group.g) == -1) {
		if (errno == ESRCH)
			return std::nullopt;
		fail(("cannot read group " + std::to_string(pgid)).c_str());
	}
	group.session.sid = group.g.sid;
	// A session out of sight has no number here.
	if (group.g.sid && ioctl(fd, BSDPROC_GETSESSION, &group.session) == -1) {
		if (errno == ESRCH)
			return std::nullopt;
		fail(("cannot read session " + std::to_string(group.g.sid)).c_str());
	}
	return group;
}

bsdproc_getuser Device::user(uint32_t uid)
{
	bsdproc_getuser user{};

	user.uid = uid;
	if (ioctl(fd, BSDPROC_GETUSER, &user) == -1)
		fail(("cannot read user " + std::to_string(uid)).c_str());
	return user;
}

Model Device::read()
{
	return read_listed(nullptr);
}

Model Device::read(const std::set<int> &pids)
{
	return read_listed(&pids);
}

Model Device::read_listed(const std::set<int> *pids)
{
	Model model;
	std::set<int> seen;

	for (int pid : list()) {
		if (pid <= 0) {
			model.impossible.push_back(pid);
			continue;
		}
		if (pids && !pids->contains(pid))
			continue;
		if (!seen.insert(pid).second) {
			model.twice.push_back(pid);
			continue;
		}
		if (auto proc = get(pid))
			model.procs.emplace(pid, std::move(*proc));
		else
			model.gone.push_back(pid);
	}
	return model;
}

} // namespace bsdproc
