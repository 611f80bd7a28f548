// SPDX-License-Identifier: BSD-2-Clause
// The errors that the man pages promise, and how to come by each.
#ifndef ERRORS_TABLE_HH
#define ERRORS_TABLE_HH

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace errors
{

// Makes a call that fails, after what it needs for that: its result, and errno.
using Provoke = std::function<long()>;

// What lacks memory where the error is ENOMEM; it is provoked by itself otherwise.
enum class Short { of_nothing, of_objects, in_the_call };

struct Row {
	// Whose error it is: "PAGE/CALL", several with spaces between. Without CALL: everybody's.
	std::string of;
	int error;
	std::vector<Provoke> ways; // each of them comes to it
	Short memory = Short::of_nothing;
	const char *skipped = nullptr; // why, where it cannot be
};

using Rows = std::vector<Row>;

Rows rows_of_library();
Rows rows_of_waits();
Rows rows_of_lwps();
Rows rows_of_descriptors();
Rows rows_of_varsyms();
Rows rows_of_device();
// Each error of a call in one row, but for such as differ in what is short.
Rows all_rows();

// "PAGE/CALL ERROR" for each error in the ERRORS sections of the pages in that folder, and for
// each of the rows.
std::set<std::string> listed(const std::string &folder);
std::set<std::string> listed(const Rows &rows);

} // namespace errors

#endif // ERRORS_TABLE_HH
