// SPDX-License-Identifier: BSD-2-Clause
// The module's streams of records.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>

#include <bsdproc_ioctl.h>

namespace bsdproc
{

// A stream, read until its end, or until SIGINT or SIGTERM comes. One at a time in a program.
// All throw Failure.
class Stream
{
public:
	// request, args: as for the device's ioctl. right: what opening it takes. interruptible:
	// by SIGINT, which else is ignored, as when a terminal sends it to a program that runs
	// beside.
	Stream(unsigned long request, void *args, const char *right, bool interruptible = true);
	~Stream();
	Stream(const Stream &) = delete;
	Stream &operator=(const Stream &) = delete;

	// Up to `room` records of `size` bytes; sleeps until there is one. 0: the end; or a
	// signal came, and what was there then has been read.
	size_t read(void *records, size_t size, size_t room);
	int fd() const { return fd_; }
	// A signal has told the program to end.
	bool interrupted() const;

private:
	int fd_;
	sigset_t before;
	size_t left_ = BSDPROC_STREAM_MAX; // records that may be read after the signal
};

} // namespace bsdproc
