// SPDX-License-Identifier: BSD-2-Clause
// Shell commands, and what they say.
#ifndef VM_COMMAND_H
#define VM_COMMAND_H

#include "vm_proc.h"

namespace vm
{

struct Said {
	std::string text; // on both outputs
	int status;       // a wait status
};

inline Said run(const std::string &command)
{
	Said said = {};
	FILE *pipe = popen(("exec 2>&1; " + command).c_str(), "re");
	if (!pipe)
		die("popen");
	for (int c; (c = getc(pipe)) != EOF;)
		said.text += static_cast<char>(c);
	said.status = pclose(pipe);
	return said;
}

} // namespace vm

#endif // VM_COMMAND_H
