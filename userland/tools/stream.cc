// SPDX-License-Identifier: BSD-2-Clause
#include "stream.hh"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bsdproc_ioctl.h>

#include "model.hh"

namespace bsdproc
{

namespace
{

volatile sig_atomic_t told_to_end;

void end(int)
{
	told_to_end = 1;
}

int open_device()
{
	const int device = open(BSDPROC_DEVICE, O_RDWR | O_CLOEXEC);
	if (device != -1)
		return device;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		throw Failure("the bsdproc module is not loaded (no " BSDPROC_DEVICE ")");
	throw Failure(std::string("cannot open " BSDPROC_DEVICE ": ") + strerror(errno));
}

int open_stream(unsigned long request, void *args, const char *right)
{
	const int device = open_device();
	const int fd = ioctl(device, request, args);
	const int error = errno;
	close(device);
	if (fd != -1)
		return fd;
	if (error == ENOTTY)
		throw Failure("the bsdproc module does not have this");
	if (error == EPERM)
		throw Failure(std::string("not permitted: it takes ") + right);
	throw Failure(std::string("cannot open the stream: ") + strerror(error));
}

} // namespace

Stream::Stream(unsigned long request, void *args, const char *right, bool interruptible)
    : fd_(open_stream(request, args, right))
{
	fcntl(fd_, F_SETFL, O_NONBLOCK);
	// Delivered only where it is asked for.
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &before);
	struct sigaction act = {};
	act.sa_handler = end;
	sigaction(SIGTERM, &act, nullptr);
	if (!interruptible)
		act.sa_handler = SIG_IGN;
	sigaction(SIGINT, &act, nullptr);
	sigdelset(&before, SIGINT);
	sigdelset(&before, SIGTERM);
}

Stream::~Stream()
{
	close(fd_);
}

size_t Stream::read(void *records, size_t size, size_t room)
{
	// Signals are heard here alone, also while there is always more to read.
	struct pollfd polled = {fd_, POLLIN, 0};
	const struct timespec now = {};
	if (!told_to_end)
		ppoll(&polled, 1, &now, &before);
	if (told_to_end && left_ < room)
		return 0;
	left_ -= told_to_end ? room : 0;
	for (bool over = false;;) {
		const ssize_t got = ::read(fd_, records, room * size);
		if (got >= 0)
			return static_cast<size_t>(got) / size;
		if (got == -1 && errno != EAGAIN && errno != EINTR)
			throw Failure(std::string("cannot read the stream: ") + strerror(errno));
		if (over)
			return 0;
		if (!told_to_end)
			ppoll(&polled, 1, nullptr, &before);
		over = told_to_end;
	}
}

bool Stream::interrupted() const
{
	return told_to_end;
}

} // namespace bsdproc
