// SPDX-License-Identifier: BSD-2-Clause
// A file to which whole records are added, or none.
#pragma once

#include <cstddef>
#include <string>

namespace bsdproc
{

class RecordFile
{
public:
	// Creates the file, readable by its owner alone, if it is not there; keeps what it holds
	// unless `truncate`. All throw Failure.
	RecordFile(const std::string &path, bool truncate);
	~RecordFile();
	RecordFile(const RecordFile &) = delete;
	RecordFile &operator=(const RecordFile &) = delete;

	size_t size() const;
	void add(const void *record, size_t size);

private:
	[[noreturn]] void fail() const;

	std::string path_;
	int fd_;
};

} // namespace bsdproc
