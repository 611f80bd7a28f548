// SPDX-License-Identifier: BSD-2-Clause
// What else can be done with a descriptor than what it is for.
#include "../vm/vm_proc.h"

#include "caller.hh"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>

#include "memory.hh"
#include "tally.hh"

namespace fuzz
{

namespace
{

void must_fail(const char *what, long got, std::initializer_list<int> errors)
{
	const int error = errno;
	if (got == -1)
		for (int e : errors)
			if (error == e)
				return;
	complain("%s on a descriptor gave %ld, errno %d", what, got, got < 0 ? error : 0);
}

// Nothing of this is for any of ours.
void what_none_can(Random &random, int fd)
{
	char byte = 0;
	struct termios terminal;
	void *p;

	switch (random.below(6)) {
	case 0:
		must_fail("write", write(fd, &byte, random.below(2)), {EINVAL, EBADF});
		break;
	case 1:
		p = mmap(nullptr, kPage, PROT_READ, random.pick({MAP_SHARED, MAP_PRIVATE}), fd, 0);
		must_fail("mmap", p == MAP_FAILED ? -1 : 0, {ENODEV, EACCES});
		break;
	case 2:
		must_fail("ftruncate", ftruncate(fd, 1), {EINVAL, EBADF});
		break;
	case 3:
		must_fail("fsync", fsync(fd), {EINVAL});
		break;
	case 4:
		must_fail("a terminal's ioctl", ioctl(fd, TCGETS, &terminal), {ENOTTY});
		break;
	case 5:
		if (lseek(fd, static_cast<off_t>(random.next() >> 1), SEEK_SET) != 0 &&
		    errno != ESPIPE)
			complain("lseek on a descriptor gave errno %d", errno);
	}
}

void look_whether_ready(int fd)
{
	struct pollfd look = {fd, POLLIN | POLLOUT | POLLPRI, 0};
	if (poll(&look, 1, 0) < 0 || (look.revents & ~(POLLIN | POLLHUP)))
		complain("poll said %#x, errno %d", static_cast<unsigned>(look.revents), errno);
}

// Watched by a set of descriptors which may go first, or last.
void be_watched(Random &random, int fd)
{
	struct epoll_event event = {};
	const int set = epoll_create1(EPOLL_CLOEXEC);
	if (set < 0)
		return;
	event.events = EPOLLIN | random.pick<uint32_t>({0, EPOLLET, EPOLLONESHOT});
	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
		complain("epoll_ctl gave errno %d", errno);
	if (random.one_in(2))
		epoll_wait(set, &event, 1, 0);
	const int copy = random.one_in(2) ? dup(fd) : -1;
	if (random.one_in(2))
		epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr);
	close(set);
	if (copy >= 0)
		close(copy);
}

} // namespace

// Too little room, or a place where nothing can be stored: then nothing is lost by it.
void Caller::read_amiss(int fd, size_t record)
{
	unsigned char room[1024];
	const bool small = random_.one_in(2);
	const size_t size = small ? random_.below(record) : sizeof(room) - random_.below(2);
	const bool nowhere = !small || random_.one_in(4);
	const uintptr_t at = !nowhere ? reinterpret_cast<uintptr_t>(room)
				      : random_.pick({uintptr_t(0), uintptr_t(16), kernel_address});

	const long got = syscall(SYS_read, fd, at, size);
	// Linux itself refuses the kernel's addresses first; at the end of a file nothing is
	// stored, wherever to.
	if (got == 0 && !small)
		return;
	if (small)
		must_fail("a read with too little room", got, {EINVAL, nowhere ? EFAULT : EINVAL});
	else
		must_fail("a read to nowhere", got, {EFAULT, EAGAIN});
}

// A new descriptor that gives records of that size; it does not sleep any more after this.
void Caller::misuse(int fd, size_t record)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (uint64_t n = random_.below(4); n > 0; n--)
		switch (random_.below(4)) {
		case 0:
			what_none_can(random_, fd);
			break;
		case 1:
			look_whether_ready(fd);
			break;
		case 2:
			be_watched(random_, fd);
			break;
		default:
			read_amiss(fd, record);
		}
}

// The device itself, which cannot be read; or /dev/null, where others change the descriptors.
void Caller::misuse_slot()
{
	const int slot = kFirstSlot + static_cast<int>(random_.below(kSlots));
	char byte;

	if (self_.moves_descriptors) {
		struct pollfd look = {slot, POLLIN, 0};
		poll(&look, 1, 0);
		(void)!read(slot, &byte, 1);
		(void)!write(slot, &byte, 1);
		return;
	}
	if (random_.one_in(2))
		must_fail("read", read(slot, &byte, 1), {EINVAL, EBADF});
	else
		what_none_can(random_, slot);
}

} // namespace fuzz
