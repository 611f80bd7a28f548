// SPDX-License-Identifier: BSD-2-Clause
// bsdps's views of groups with their sessions, and of users.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "model.hh"

namespace bsdproc
{

// Those of the procs, each once, on standard output; as JSON, or a table of that width (0: as
// it comes). Return how many there were.
size_t show_groups(Device &device, const std::map<int, Proc> &procs, bool json, size_t width);
size_t show_users(Device &device, const std::map<int, Proc> &procs, bool json, size_t width,
		  const std::function<std::string(uint32_t)> &name);

} // namespace bsdproc
