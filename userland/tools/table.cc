// SPDX-License-Identifier: BSD-2-Clause
#include "table.hh"

#include <algorithm>

#include "show.hh"

namespace bsdproc
{

void Table::column(std::string title, Align align)
{
	rows[0].push_back(std::move(title));
	aligns.push_back(align);
}

void Table::row(std::vector<std::string> cells)
{
	cells.resize(aligns.size());
	rows.push_back(std::move(cells));
}

std::string Table::text(size_t width) const
{
	std::vector<size_t> widths(aligns.size());
	std::string out;

	for (auto &row : rows)
		for (size_t i = 0; i < row.size(); i++)
			widths[i] = std::max(widths[i], display_width(row[i]));

	for (auto &row : rows) {
		std::string line;
		for (size_t i = 0; i < row.size(); i++) {
			std::string blanks(widths[i] - display_width(row[i]), ' ');
			if (i)
				line += ' ';
			line += aligns[i] == Align::Right ? blanks + row[i] : row[i] + blanks;
		}
		line.erase(line.find_last_not_of(' ') + 1);
		out += width ? cut(line, width) : line;
		out += '\n';
	}
	return out;
}

} // namespace bsdproc
