// SPDX-License-Identifier: BSD-2-Clause
// Streams of the device's, and what is common to reading them.
#ifndef VM_STREAM_H
#define VM_STREAM_H

#include "vm_device.h"
#include "vm_test.h"

namespace vm
{

// A stream of records T; what it tells were lost adds up.
template <class T> class Stream
{
public:
	explicit Stream(int fd) : fd(fd)
	{
		EXPECT_GE(fd, 0) << strerror(errno);
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	~Stream() { close(fd); }
	Stream(const Stream &) = delete;
	Stream &operator=(const Stream &) = delete;

	// All that is there, but what only counts.
	std::vector<T> take(size_t at_once = 64)
	{
		std::vector<T> all, some(at_once);
		for (;;) {
			const ssize_t n = read(fd, some.data(), at_once * sizeof(T));
			if (n < 0) {
				EXPECT_EQ(errno, EAGAIN);
				return all;
			}
			EXPECT_EQ(n % ssize_t(sizeof(T)), 0);
			over = n == 0;
			if (over)
				return all;
			for (size_t i = 0; i < size_t(n) / sizeof(T); i++) {
				lost += some[i].lost;
				if (some[i].pid)
					all.push_back(some[i]);
			}
		}
	}

	bool readable(int timeout = 0) const
	{
		struct pollfd p = {fd, POLLIN, 0};
		return poll(&p, 1, timeout) == 1 && (p.revents & POLLIN);
	}

	const int fd;
	uint64_t lost = 0;
	bool over = false; // its end has been read
};

// Becomes the root of a user namespace, and its children of a pid namespace.
inline void own_namespaces()
{
	const uid_t uid = getuid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
		die("unshare");
	write_to("/proc/self/setgroups", "deny");
	write_to("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
}

inline void become_nobody()
{
	if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
		die("setresuid");
	prctl(PR_SET_DUMPABLE, 1); // or the maps are root's
}

} // namespace vm

#endif // VM_STREAM_H
