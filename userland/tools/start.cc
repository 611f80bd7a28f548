// SPDX-License-Identifier: BSD-2-Clause
#include "start.hh"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.hh"
#include "model.hh"
#include "show.hh"

namespace bsdproc
{

namespace
{

[[noreturn]] void fail(const std::string &what)
{
	throw Failure(what + ": " + strerror(errno));
}

[[noreturn]] void wait_and_become(const std::string &tool, const std::vector<std::string> &program,
				  int wait, int gate)
{
	char c;

	close(gate);
	if (read(wait, &c, 1) != 1)
		_exit(exit_failure);
	become(tool, program);
}

} // namespace

void become(const std::string &tool, const std::vector<std::string> &program)
{
	std::vector<char *> argv;

	for (const std::string &word : program)
		argv.push_back(const_cast<char *>(word.c_str()));
	argv.push_back(nullptr);
	execvp(argv[0], argv.data());
	const int error = errno;
	fprintf(stderr, "%s: cannot run %s: %s\n", tool.c_str(), printable(program[0]).c_str(),
		strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

Start::Start(const std::string &tool, const std::vector<std::string> &program)
{
	int fds[2];

	fflush(nullptr);
	if (pipe2(fds, O_CLOEXEC) == -1 || (pid_ = fork()) == -1)
		fail("cannot start " + printable(program[0]));
	if (pid_ == 0)
		wait_and_become(tool, program, fds[0], fds[1]);
	close(fds[0]);
	gate_ = fds[1];
}

Start::~Start()
{
	close(gate_);
}

void Start::go() const
{
	// It may have been killed meanwhile.
	const auto before = signal(SIGPIPE, SIG_IGN);
	const bool told = write(gate_, "", 1) == 1 || errno == EPIPE;
	signal(SIGPIPE, before);
	if (!told)
		fail("cannot start the program");
}

int Start::code() const
{
	int status = 0;

	while (waitpid(pid_, &status, 0) == -1)
		if (errno != EINTR)
			fail("cannot wait for the program");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace bsdproc
