// SPDX-License-Identifier: BSD-2-Clause
// /dev/bsdproc without the library.
#ifndef VM_DEVICE_H
#define VM_DEVICE_H

#include "vm_proc.h"

#include <sys/ioctl.h>

#include <vector>

#include "bsdproc_ioctl.h"

namespace vm
{

class Device
{
public:
	Device() : fd_(open(BSDPROC_DEVICE, O_RDWR | O_CLOEXEC))
	{
		if (fd_ < 0)
			die(BSDPROC_DEVICE);
	}
	~Device() { close(fd_); }
	Device(const Device &) = delete;
	Device &operator=(const Device &) = delete;

	int operator()(unsigned long request, void *arg) const { return ioctl(fd_, request, arg); }
	int fd() const { return fd_; }

private:
	int fd_;
};

// Waits for `pid` and holds the claim; w.pid tells whether there was one.
inline struct bsdproc_wait claim(const Device &dev, pid_t pid, uint32_t options = 0)
{
	struct bsdproc_wait w = {};
	w.idtype = BSDPROC_P_PID;
	w.id = static_cast<uint64_t>(pid);
	w.options = options;
	if (dev(BSDPROC_WAIT, &w) != 0)
		w.pid = -errno;
	return w;
}

struct Proc {
	int error = 0;
	struct bsdproc_kproc k = {};
	std::vector<struct bsdproc_klwp> lwps;
};

inline Proc get_proc(const Device &dev, pid_t pid)
{
	Proc proc;
	proc.lwps.resize(64);
	struct bsdproc_getproc g = {};
	g.pid = pid;
	g.room = static_cast<uint32_t>(proc.lwps.size());
	g.lwps = reinterpret_cast<uint64_t>(proc.lwps.data());
	if (dev(BSDPROC_GETPROC, &g) != 0)
		proc.error = errno;
	proc.k = g.kproc;
	proc.lwps.resize(g.kproc.nlwps < 64 ? g.kproc.nlwps : 64);
	return proc;
}

} // namespace vm

#endif // VM_DEVICE_H
