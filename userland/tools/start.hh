// SPDX-License-Identifier: BSD-2-Clause
// A program that a tool starts, and may prepare before it runs.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace bsdproc
{

// A child that becomes the program once go() is called, or never. All throw Failure.
class Start
{
public:
	// tool: whose name goes before what the child has to say.
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
