// SPDX-License-Identifier: BSD-2-Clause
// A program that a tool starts, and may prepare before it runs.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace bsdproc
{

// Becomes the program. When it cannot be run that is told on stderr, and the exit status is as
// a shell has it, 126 or 127. tool: whose name goes before what there is to say.
[[noreturn]] void become(const std::string &tool, const std::vector<std::string> &program);

// A child that becomes the program once go() is called, or never. All throw Failure.
class Start
{
public:
	// tool: as above.
	Start(const std::string &tool, const std::vector<std::string> &program);
	~Start();
	Start(const Start &) = delete;
	Start &operator=(const Start &) = delete;

	pid_t pid() const { return pid_; }
	void go() const;
	// Waits for its end: its exit code as a shell has it.
	int code() const;

private:
	pid_t pid_;
	int gate_;
};

} // namespace bsdproc
