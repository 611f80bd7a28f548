// SPDX-License-Identifier: BSD-2-Clause
#include "record_file.hh"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.hh"

namespace bsdproc
{

RecordFile::RecordFile(const std::string &path, bool truncate)
    : path_(path),
      fd_(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (truncate ? O_TRUNC : 0),
	       0600))
{
	if (fd_ == -1)
		fail();
}

RecordFile::~RecordFile()
{
	close(fd_);
}

size_t RecordFile::size() const
{
	struct stat st;

	if (fstat(fd_, &st) == -1)
		fail();
	return static_cast<size_t>(st.st_size);
}

void RecordFile::add(const void *record, size_t size)
{
	const ssize_t n = write(fd_, record, size);
	if (n == ssize_t(size))
		return;
	const int error = n == -1 ? errno : ENOSPC;
	struct stat st;
	if (n > 0 && fstat(fd_, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(fd_, st.st_size - n) == -1)
		throw Failure(path_ + ": ends in a part of a record");
	errno = error;
	fail();
}

void RecordFile::fail() const
{
	throw Failure("cannot write to " + path_ + ": " + strerror(errno));
}

} // namespace bsdproc
