// SPDX-License-Identifier: BSD-2-Clause
// The device's ABI as such: requests, sizes, bits, addresses, handles.
#include "vm_device.h"
#include "vm_test.h"

#include <sys/stat.h>

#include <thread>
#include <vector>

using namespace vm;

namespace
{

struct Request {
	const char *name;
	unsigned long number;
	size_t size;
};

const Request kRequests[] = {
	{"VERSION", BSDPROC_VERSION, sizeof(struct bsdproc_version)},
	{"EXTEXIT", BSDPROC_EXTEXIT, sizeof(struct bsdproc_extexit)},
	{"WAIT", BSDPROC_WAIT, sizeof(struct bsdproc_wait)},
	{"GETTID", BSDPROC_GETTID, sizeof(struct bsdproc_gettid)},
	{"LIST", BSDPROC_LIST, sizeof(struct bsdproc_list)},
	{"GETPROC", BSDPROC_GETPROC, sizeof(struct bsdproc_getproc)},
	{"VARSYM_GET", BSDPROC_VARSYM_GET, sizeof(struct bsdproc_varsym_get)},
	{"VARSYM_LIST", BSDPROC_VARSYM_LIST, sizeof(struct bsdproc_varsym_list)},
	{"GETPGRP", BSDPROC_GETPGRP, sizeof(struct bsdproc_getpgrp)},
	{"GETSESSION", BSDPROC_GETSESSION, sizeof(struct bsdproc_getsession)},
	{"GETUSER", BSDPROC_GETUSER, sizeof(struct bsdproc_getuser)},
	{"REAPER", BSDPROC_REAPER, sizeof(struct bsdproc_reaper)},
};

unsigned long resized(const Request &request, size_t size)
{
	return _IOC(_IOC_DIR(request.number), _IOC_TYPE(request.number), _IOC_NR(request.number),
		    size);
}

// Arguments that every request takes and that change nothing.
std::vector<char> harmless(const Request &request, size_t size)
{
	std::vector<char> buf(size < request.size ? request.size : size, 0);
	if (request.number == BSDPROC_WAIT)
		reinterpret_cast<struct bsdproc_wait *>(buf.data())->options = BSDPROC_WNOHANG;
	if (request.number == BSDPROC_EXTEXIT) // refused after the struct was read: see below
		reinterpret_cast<struct bsdproc_extexit *>(buf.data())->how = 2;
	if (request.number == BSDPROC_VARSYM_GET) // looked for nowhere
		reinterpret_cast<struct bsdproc_varsym_get *>(buf.data())->name = uintptr_t("");
	if (request.number == BSDPROC_VARSYM_LIST)
		reinterpret_cast<struct bsdproc_varsym_list *>(buf.data())->level = 1;
	return buf;
}

// What the harmless arguments come to.
int outcome(const Request &request)
{
	if (request.number == BSDPROC_EXTEXIT)
		return EINVAL;
	if (request.number == BSDPROC_VARSYM_GET)
		return ENOENT;
	return request.number == BSDPROC_WAIT ? ECHILD : 0;
}

int error_of(const Device &dev, unsigned long number, void *arg)
{
	return dev(number, arg) == 0 ? 0 : errno;
}

} // namespace

VM_TEST(Device, Node)
{
	struct stat st;
	ASSERT_EQ(stat(BSDPROC_DEVICE, &st), 0);
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(st.st_mode & 0666, 0666u);
}

VM_TEST(Device, Version)
{
	Device dev;
	struct bsdproc_version v = {};
	v.version = 12345;
	EXPECT_EQ(dev(BSDPROC_VERSION, &v), 0);
	EXPECT_EQ(v.version, static_cast<unsigned>(BSDPROC_ABI_VERSION));
}

VM_TEST(Device, UnknownRequests)
{
	Device dev;
	char buf[256] = {};
	for (unsigned nr : {0x0eu, 0x0fu, 0x1fu, 0x7fu, 0xffu})
		EXPECT_ERRNO(dev(_IOC(_IOC_READ | _IOC_WRITE, BSDPROC_IOC_MAGIC, nr, 32), buf),
			     ENOTTY);
	EXPECT_ERRNO(dev(_IOC(_IOC_READ | _IOC_WRITE, 'T', 1, 32), buf), ENOTTY);
	EXPECT_ERRNO(dev(0x5401, buf), ENOTTY); // TCGETS: isatty() asks so
	EXPECT_ERRNO(dev(0, buf), ENOTTY);
}

VM_TEST(Device, Harmless)
{
	Device dev;
	for (auto &request : kRequests) {
		auto buf = harmless(request, request.size);
		EXPECT_EQ(error_of(dev, request.number, buf.data()), outcome(request))
			<< request.name;
	}
}

VM_TEST(Device, TooSmall)
{
	Device dev;
	for (auto &request : kRequests)
		for (size_t size :
		     {size_t(0), size_t(1), request.size / 2, request.size - 4, request.size - 1}) {
			auto buf = harmless(request, request.size);
			EXPECT_ERRNO(dev(resized(request, size), buf.data()), EINVAL);
		}
}

VM_TEST(Device, LargerWithZeroTail)
{
	Device dev;
	for (auto &request : kRequests)
		for (size_t more : {1, 8, 100, 4096}) {
			size_t size = request.size + more;
			auto buf = harmless(request, size);
			EXPECT_EQ(error_of(dev, resized(request, size), buf.data()),
				  outcome(request))
				<< request.name << " + " << more;
		}
}

VM_TEST(Device, LargerWithSomethingInTheTail)
{
	Device dev;
	for (auto &request : kRequests)
		for (size_t more : {1, 8, 100, 4096})
			for (size_t at : {size_t(0), more / 2, more - 1}) {
				size_t size = request.size + more;
				auto buf = harmless(request, size);
				buf[request.size + at] = 1;
				EXPECT_EQ(error_of(dev, resized(request, size), buf.data()), E2BIG)
					<< request.name << " + " << more << " at " << at;
			}
}

// The tail must be readable as well.
VM_TEST(Device, LargerWithoutATail)
{
	Device dev;
	size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	char *p = static_cast<char *>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ASSERT_NE(p, MAP_FAILED);
	ASSERT_EQ(munmap(p + page, page), 0);
	for (auto &request : kRequests) {
		auto buf = harmless(request, request.size);
		char *at = p + page - request.size;
		memcpy(at, buf.data(), request.size);
		EXPECT_ERRNO(dev(resized(request, request.size + 8), at), EFAULT);
	}
}

VM_TEST(Device, ReservedFields)
{
	Device dev;
	struct bsdproc_version v = {};
	v.reserved = 1;
	EXPECT_ERRNO(dev(BSDPROC_VERSION, &v), EINVAL);
	struct bsdproc_extexit e = {};
	e.reserved = 1;
	EXPECT_ERRNO(dev(BSDPROC_EXTEXIT, &e), EINVAL);
	struct bsdproc_gettid t = {};
	t.reserved = 1;
	EXPECT_ERRNO(dev(BSDPROC_GETTID, &t), EINVAL);
	struct bsdproc_reaper r = {};
	r.reserved = 1;
	EXPECT_ERRNO(dev(BSDPROC_REAPER, &r), EINVAL);

	pid_t pid = spawn([] { return 1; });
	native_peek(pid);
	struct bsdproc_wait w = {};
	w.flags = 1;
	EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), EINVAL);
	EXPECT_EQ(native_reap(pid), 1 << 8);
}

VM_TEST(Device, WaitBits)
{
	Device dev;
	pid_t pid = spawn([] { return 1; });
	native_peek(pid);
	const uint32_t known = BSDPROC_WNOHANG | BSDPROC_WUNTRACED | BSDPROC_WEXITED |
			       BSDPROC_WCONTINUED | BSDPROC_WTRAPPED | BSDPROC_WNOWAIT |
			       BSDPROC_WALL | BSDPROC_WLINUXCLONE;
	for (uint32_t bit = 1; bit; bit <<= 1) {
		struct bsdproc_wait w = {};
		w.options = bit | (bit & known ? BSDPROC_WALL | BSDPROC_WLINUXCLONE : 0);
		EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), EINVAL);
	}
	for (uint32_t type : {3u, 7u, 18u, 20u, 23u, 100u, 0x80000000u, 0xffffffffu}) {
		struct bsdproc_wait w = {};
		w.idtype = type;
		EXPECT_ERRNO(dev(BSDPROC_WAIT, &w), EINVAL);
	}
	struct bsdproc_wait w = {};
	EXPECT_EQ(dev(BSDPROC_WAIT, &w), 0);
	EXPECT_EQ(w.pid, pid);
	EXPECT_EQ(native_reap(pid), 1 << 8);
}

// Ids wider than a pid name nobody, least of all whoever has their lower half.
VM_TEST(Device, WideIds)
{
	Device dev;
	pid_t pid = spawn([] { return 1; });
	native_peek(pid);
	for (uint32_t type : {BSDPROC_P_PID, BSDPROC_P_PGID})
		for (uint64_t high : {uint64_t(1) << 32, uint64_t(1) << 63, uint64_t(0x80000000)}) {
			struct bsdproc_wait w = {};
			w.idtype = type;
			w.options = BSDPROC_WNOHANG;
			w.id = high |
			       static_cast<uint64_t>(type == BSDPROC_P_PID ? pid : getpgrp());
			EXPECT_EQ(dev(BSDPROC_WAIT, &w), -1);
			EXPECT_TRUE(errno == ECHILD || errno == EINVAL) << strerror(errno);
		}
	EXPECT_EQ(native_reap(pid), 1 << 8);
}

VM_TEST(Device, BadStructAddresses)
{
	Device dev;
	pid_t pid = spawn([] { return 1; });
	native_peek(pid);
	for (auto &request : kRequests)
		for (uintptr_t at : {uintptr_t(0), uintptr_t(16), uintptr_t(0x800000000000),
				     uintptr_t(0xffff888000000000), ~uintptr_t(0) - 7}) {
			SCOPED_TRACE(request.name);
			EXPECT_ERRNO(dev(request.number, reinterpret_cast<void *>(at)), EFAULT);
		}
	EXPECT_EQ(native_reap(pid), 1 << 8);
}

// Readable but not writable: the answer has nowhere to go, so nothing may happen.
VM_TEST(Device, ReadOnlyStruct)
{
	Device dev;
	size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	void *p = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(p, MAP_FAILED);
	for (auto &request : kRequests) {
		SCOPED_TRACE(request.name);
		memset(p, 0, page); // for EXTEXIT: the whole process, please
		ASSERT_EQ(mprotect(p, page, PROT_READ), 0);
		pid_t pid = spawn([] { return 1; });
		native_peek(pid);
		EXPECT_ERRNO(dev(request.number, p), EFAULT);
		EXPECT_EQ(native_reap(pid), 1 << 8);
		ASSERT_EQ(mprotect(p, page, PROT_READ | PROT_WRITE), 0);
	}
	// Nor has it marked us as exiting.
	EXPECT_EQ(get_proc(dev, 0).k.flags & BSDPROC_P_WEXIT, 0u);
	EXPECT_EQ(get_proc(dev, 0).k.nthreads, 1u);
}

VM_TEST(Device, OtherCalls)
{
	Device dev;
	char buf[16];
	EXPECT_EQ(read(dev.fd(), buf, sizeof(buf)), -1);
	EXPECT_EQ(write(dev.fd(), buf, sizeof(buf)), -1);
	EXPECT_EQ(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, dev.fd(), 0), MAP_FAILED);
}

VM_TEST(Device, EveryOpenMode)
{
	for (int mode : {O_RDONLY, O_WRONLY, O_RDWR}) {
		int fd = open(BSDPROC_DEVICE, mode | O_CLOEXEC);
		ASSERT_GE(fd, 0);
		struct bsdproc_gettid t = {};
		EXPECT_EQ(ioctl(fd, BSDPROC_GETTID, &t), 0);
		EXPECT_EQ(t.lwpid, 1);
		close(fd);
	}
}

// A verdict that is not followed: the program goes on, and ends as Linux says.
VM_TEST(Device, VerdictNotFollowed)
{
	for (uint32_t who : {BSDPROC_EXTEXIT_PROC, BSDPROC_EXTEXIT_LWP}) {
		pid_t pid = spawn([=] {
			Device dev;
			struct bsdproc_extexit e = {};
			e.how = static_cast<int>(who);
			e.status = 5;
			for (int i = 0; i < 3; i++)
				if (dev(BSDPROC_EXTEXIT, &e) != 0)
					return 90;
			pid_t child = spawn([] { return 4; });
			native_reap(child);
			return 6;
		});
		int status = -1;
		EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
		EXPECT_EQ(status, 6 << 8);
	}
}

VM_TEST(Device, VerdictNotFollowedByOneOfTwo)
{
	pid_t pid = spawn([] {
		std::thread([] {
			Device dev;
			struct bsdproc_extexit e = {};
			e.how = BSDPROC_EXTEXIT_LWP;
			e.status = 5;
			if (dev(BSDPROC_EXTEXIT, &e) != 0 || e.verdict != BSDPROC_VERDICT_LWP)
				_exit(90);
		}).join();
		return 6;
	});
	int status = -1;
	EXPECT_EQ(bsd_wait4(pid, &status, 0, nullptr), pid);
	EXPECT_EQ(status, 6 << 8);
}
