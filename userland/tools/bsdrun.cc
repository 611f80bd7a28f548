// SPDX-License-Identifier: BSD-2-Clause
// bsdrun: runs a program whose waits for children are served by the module.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "../preload/counts.h"
#include "cli.hh"
#include "model.hh"
#include "show.hh"
#include "start.hh"

using namespace bsdproc;

namespace
{

const std::string kPreload = "libbsdproc-preload.so";

struct Options {
	std::vector<std::string> program;
	bool verbose = false;
};

// The directory that this program is in.
std::string own_directory()
{
	char path[4096];
	const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));

	if (length <= 0 || length == ssize_t(sizeof(path)))
		throw Failure("cannot find out where this program is");
	const std::string self(path, size_t(length));
	return self.substr(0, self.rfind('/'));
}

// The preload: where it was built or, the whole of it moved elsewhere, installed beside this
// program; else where it was to be installed.
std::string find_preload()
{
	for (const std::string &directory :
	     {own_directory() + "/../lib", std::string(BSDPROC_LIBDIR)})
		if (char *real = realpath((directory + "/" + kPreload).c_str(), nullptr)) {
			const std::string path(real);
			free(real);
			// The dynamic linker has no way to write such a name.
			if (path.find_first_of(" :") != std::string::npos)
				throw Failure("the name of " + printable(path) +
					      " has a blank or a colon in it");
			return path;
		}
	throw Failure("there is no " + kPreload + " in " BSDPROC_LIBDIR);
}

void preload(const std::string &path)
{
	const char *others = getenv("LD_PRELOAD");

	setenv("LD_PRELOAD", others && *others ? (path + ":" + others).c_str() : path.c_str(), 1);
}

// What is counted, in memory that the program and whatever it starts can find.
class Counts
{
public:
	Counts()
	{
		struct stat st;
		char where[128];
		const int fd = memfd_create("bsdrun counts", MFD_CLOEXEC);

		if (fd == -1 || ftruncate(fd, sizeof(*counts_)) == -1 || fstat(fd, &st) == -1)
			throw Failure(std::string("cannot make room to count: ") + strerror(errno));
		void *room = mmap(nullptr, sizeof(*counts_), PROT_READ, MAP_SHARED, fd, 0);
		if (room == MAP_FAILED)
			throw Failure(std::string("cannot make room to count: ") + strerror(errno));
		counts_ = static_cast<const bsdrun_counts *>(room);
		snprintf(where, sizeof(where), BSDRUN_COUNTS_FORMAT, getpid(), fd, st.st_dev,
			 st.st_ino);
		setenv(BSDRUN_COUNTS, where, 1);
	}

	void tell(const CLI::App &app) const
	{
		char text[256];

		snprintf(text, sizeof(text),
			 "%llu waits served, %llu Linux's own, %llu refused, %llu disagreed, "
			 "%llu asked again",
			 value(counts_->served), value(counts_->linux_own), value(counts_->refused),
			 value(counts_->disagreed), value(counts_->again));
		complain(app, text);
	}

private:
	static unsigned long long value(const uint64_t &count)
	{
		return __atomic_load_n(&count, __ATOMIC_RELAXED);
	}

	const bsdrun_counts *counts_;
};

int run(const CLI::App &app, const Options &options)
{
	const Device device; // or there is no module
	preload(find_preload());
	if (!options.verbose)
		become("bsdrun", options.program);

	const Counts counts;
	const Start start("bsdrun", options.program);
	// The keyboard's signals are for the program.
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	start.go();
	const int code = start.code();
	counts.tell(app);
	return code;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app(
		"bsdrun [-v] PROGRAM [ARGUMENT...]\n"
		"Run a program, and what it starts, with its waits for children served by bsdproc.\n",
		"bsdrun");
	Options options;

	app.add_flag("-v,--verbose", options.verbose,
		     "Stay, and tell on stderr how many waits were served when PROGRAM has ended");
	app.prefix_command();
	app.footer(
		"Exit status: PROGRAM's, with -v 128 + N when signal N ended it; 126 or 127 if it\n"
		"cannot be run; 2 wrong usage; 3 the module is not loaded, or another failure.\n");
	app.final_callback([&] {
		options.program = app.remaining();
		if (!options.program.empty() && options.program[0] == "--")
			options.program.erase(options.program.begin());
		if (options.program.empty())
			throw CLI::ValidationError("there is no PROGRAM to run");
	});
	return run_tool(app, argc, argv, [&] { return run(app, options); });
}
