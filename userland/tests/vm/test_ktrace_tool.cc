// SPDX-License-Identifier: BSD-2-Clause
// bsdktrace and bsdkdump, as one runs them.
#include "vm_command.h"
#include "vm_test.h"

#include <regex>

using namespace vm;

namespace
{

// A directory to run them in, with their names as variables of the shell.
struct Place {
	Place()
	{
		if (!mkdtemp(dir) || chdir(dir) != 0)
			die(dir);
		setenv("ktrace", sibling("../bin/bsdktrace").c_str(), 1);
		setenv("kdump", sibling("../bin/bsdkdump").c_str(), 1);
	}
	~Place()
	{
		if (chdir("/") != 0 || run("rm -r " + std::string(dir)).status != 0)
			die(dir);
	}
	char dir[32] = "/tmp/ktracetoolXXXXXX";
};

void expect(const std::string &command, const std::string &pattern, int code)
{
	const Said said = run(command);
	EXPECT_TRUE(std::regex_match(said.text, std::regex(pattern))) << command << ":\n"
								      << said.text;
	EXPECT_EQ(said.status, exit_status(code)) << command;
}

} // namespace

#ifndef KTRACE

VM_TEST(KtraceTool, NotBuiltIn)
{
	Place place;
	expect("$ktrace true", "bsdktrace: the bsdproc module does not have this\n", 3);
	expect("ls", "", 0);
}

#else

VM_TEST(KtraceTool, AProgram)
{
	Place place;
	expect("$ktrace -i sh -c '(exit 5); kill -TERM $$'", "", 128 + SIGTERM);
	expect("$kdump",
	       " +TIME +PID +TID COMMAND +EVENT\n"
	       " *[0-9:.]+ +([0-9]+) +\\1 sh +EXEC\n"
	       " *[0-9:.]+ +\\1 +\\1 sh +FORK +child ([0-9]+)\n"
	       "([^\n]*(WAIT|CHLD)[^\n]*\n)*"
	       " *[0-9:.]+ +\\2 +\\2 sh +EXIT +exit 5\n"
	       "([^\n]*(WAIT|CHLD)[^\n]*\n)*"
	       " *[0-9:.]+ +\\1 +- sh +REAP +child \\2, exit 5\n"
	       "([^\n]*(WAIT|CHLD)[^\n]*\n)*"
	       " *[0-9:.]+ +\\1 +- sh +SIG +TERM from \\1\n"
	       " *[0-9:.]+ +\\1 +\\1 sh +PSIG +TERM default\n"
	       " *[0-9:.]+ +\\1 +\\1 sh +EXIT +signal 15 \\(TERM\\)\n",
	       0);
	expect("$kdump -t x -E",
	       "[^\n]*\n +0.000000 [^\n]* exit 5\n +0.[0-9]{6} [^\n]* signal 15[^\n]*\n", 0);
	expect("$kdump -t f -R | wc -l", "2\n", 0);
	expect("$kdump -t f -T | tail -n 1 | grep -c \"$(date +%s | cut -c 1-8)\"", "1\n", 0);
	expect("$kdump --json -t x | tail -n 1",
	       "\\{\"lost\":0,\"time\":[0-9]+,\"boot\":[0-9]+,\"event\":\"EXIT\",\"pid\":([0-9]+),"
	       "\"tid\":\\1,\"comm\":\"sh\",\"xstat\":15\\}\n",
	       0);
	expect("$kdump -p 1", "[^\n]*\n", 0);
}

VM_TEST(KtraceTool, Files)
{
	Place place;
	expect("$ktrace -t x -f a true; $ktrace -t x -f a true; $kdump a | wc -l", "2\n", 0);
	expect("$ktrace -t x -f a -a false", "", 1);
	expect("$kdump a | wc -l", "3\n", 0);
	expect("stat -c %a a", "600\n", 0);
	expect("$kdump none", "bsdkdump: cannot open none: No such file or directory\n", 3);
	expect("$kdump /bin/true",
	       "bsdkdump: /bin/true is not a trace of bsdktrace, or of another "
	       "machine\n",
	       3);
	expect("cp /bin/true b; $ktrace -a -f b true",
	       "bsdktrace: b is not a trace of bsdktrace, or of another machine\n", 3);
	expect("cmp b /bin/true", "", 0);
	expect("head -c -1 a > c; $kdump c | tail -n +3",
	       "bsdkdump: c: ends in a part of a record\n", 0);
	expect("$ktrace -a -f c true", "bsdktrace: c: ends in a part of a record\n", 3);
	expect("$ktrace -f /nowhere/a true",
	       "bsdktrace: cannot write to /nowhere/a: No such file or directory\n", 3);
	expect("$ktrace -f /dev/full true",
	       "bsdktrace: cannot write to /dev/full: No space left on device\n", 3);
}

VM_TEST(KtraceTool, Processes)
{
	Place place;
	// One that was there, with a child that was there, and one that comes.
	expect("mkfifo go; (sh -c 'read x <go; exit 3'; sh -c 'exit 4'; exit 5) & "
	       "$ktrace -d -t x -p $! & while ! [ -s ktrace.out ]; do :; done; "
	       "until $kdump >/dev/null; do :; done; echo >go; wait",
	       "", 0);
	const std::string line = "[^\n]* EXIT +exit ";
	expect("$kdump", "[^\n]*\n" + line + "3\n" + line + "4\n" + line + "5\n", 0);
	// Until it is told to end; the process goes on.
	expect("mkfifo on; (read x <on; exit 6) & $ktrace -f two -p $! & trace=$!; "
	       "until $kdump two >/dev/null 2>&1; do :; done; kill -INT $trace; wait $trace; echo $?; "
	       "echo >on; wait %1; echo $?",
	       "0\n6\n", 0);
	// A program goes on when the trace is told to end, however much there is to be read.
	expect("$ktrace -f three -t s sh -c 'trap : USR1; while ! [ -e stop ]; do kill -USR1 $$; "
	       "done; : >over' & trace=$!; until $kdump three 2>/dev/null | grep -q PSIG; do :; "
	       "done; kill -TERM $trace; wait $trace; echo $?; : >stop; "
	       "until [ -e over ]; do :; done",
	       "143\n", 0);
	expect("$ktrace -p 2", "bsdktrace: no process 2, or it is exiting\n", 3);
	expect("$ktrace sh -c '$ktrace -p $$ -f b'",
	       "bsdktrace: process [0-9]+ is traced by another program\n", 3);
}

VM_TEST(KtraceTool, WhatIsLostIsSaid)
{
	Place place;
	expect("$ktrace -i -t fx --ring 1 sh -c 'for i in 1 2 3 4 5 6 7 8 9; do (:); done'",
	       "(bsdktrace: [0-9]+ events were lost \\(see --ring\\)\n)?", 0);
	const Said said = run("$kdump");
	long lost = 0, shown = -1; // the title
	for (size_t at = 0; at < said.text.size(); at = said.text.find('\n', at) + 1)
		if (said.text.compare(at, 3, "-- ") == 0)
			lost += atol(said.text.c_str() + at + 3);
		else
			shown++;
	EXPECT_EQ(lost + shown, 19) << said.text;
	EXPECT_EQ(said.status, exit_status(lost ? 1 : 0));
}

VM_TEST(KtraceTool, Usage)
{
	Place place;
	expect("$ktrace", "bsdktrace: give a PROGRAM, or -p PID \\(see bsdktrace --help\\)\n", 2);
	expect("$ktrace -p 1 true", "bsdktrace: give [^\n]*\n", 2);
	expect("$ktrace -t q true", "bsdktrace: [^\n]*none of f, e, x, s, w[^\n]*\n", 2);
	expect("$ktrace --ring 0 true", "bsdktrace: [^\n]*\n", 2);
	expect("$kdump -E -R", "bsdkdump: [^\n]*\n", 2);
	expect("$ktrace nosuchprogram",
	       "bsdktrace: cannot run nosuchprogram: No such file or "
	       "directory\n",
	       127);
	expect("$ktrace --help | head -n 1; $kdump --help | head -n 1",
	       "[^\n]*Write what a process does[^\n]*|(.|\n)*", 0);
}

#endif
