// SPDX-License-Identifier: BSD-2-Clause
#include "table.hh"

#include <cstring>
#include <sstream>

namespace errors
{

namespace
{

void add(Rows &all, const Row &row)
{
	for (Row &other : all)
		if (other.of == row.of && other.error == row.error && other.memory == row.memory) {
			other.ways.insert(other.ways.end(), row.ways.begin(), row.ways.end());
			return;
		}
	all.push_back(row);
}

} // namespace

Rows all_rows()
{
	Rows all;
	for (const auto &rows : {rows_of_library(), rows_of_waits(), rows_of_lwps(),
				 rows_of_descriptors(), rows_of_varsyms(), rows_of_device()})
		for (const Row &row : rows)
			add(all, row);
	return all;
}

std::set<std::string> listed(const Rows &rows)
{
	std::set<std::string> all;
	for (const Row &row : rows) {
		std::istringstream names(row.of);
		for (std::string name; names >> name;)
			all.insert(name + " " + strerrorname_np(row.error));
	}
	return all;
}

} // namespace errors
