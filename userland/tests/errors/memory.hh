// SPDX-License-Identifier: BSD-2-Clause
// Memory that fails, where the kernel has the means for it (CONFIG_FAILSLAB).
#ifndef ERRORS_MEMORY_HH
#define ERRORS_MEMORY_HH

#include "table.hh"

namespace errors
{

// Why it cannot be had that this memory is short; empty: it can.
std::string cannot_be_short(Short memory);

// While no object of the module's can be made, makes the call by a process that was born then,
// and so is none that the model knows.
void expect_without_objects(const Provoke &call, const std::string &name);

// Makes the call again and again, and each time another allocation in it fails: some of them
// must show as ENOMEM, and none as anything else.
void expect_without_memory_in(const Provoke &call, const std::string &name);

} // namespace errors

#endif // ERRORS_MEMORY_HH
