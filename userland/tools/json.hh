// SPDX-License-Identifier: BSD-2-Clause
// The model as JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "model.hh"

namespace bsdproc
{

// All fields of a proc and its lwps, by the ABI's names.
nlohmann::ordered_json to_json(const Proc &proc);

// A group and its session, and a user: the same.
nlohmann::ordered_json to_json(const Group &group);
nlohmann::ordered_json to_json(const bsdproc_getuser &user);
// A record of accounting, by the ABI's names.
nlohmann::ordered_json to_json(const bsdproc_acct &record);
// An event of a trace: its kind's own fields.
nlohmann::ordered_json to_json(const bsdproc_ktr &record);

// JSON is UTF-8; what a process put into its name need not be.
std::string dump(const nlohmann::ordered_json &json);
// Without a line's end in it.
std::string dump_line(const nlohmann::ordered_json &json);

} // namespace bsdproc
