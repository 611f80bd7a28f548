// SPDX-License-Identifier: BSD-2-Clause
// Columns of text, aligned.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bsdproc
{

class Table
{
public:
	enum class Align { Left, Right };

	void column(std::string title, Align align);

	// As many cells as there are columns; printable text.
	void row(std::vector<std::string> cells);

	// All lines with their newlines, title line first. width: longer lines are
	// cut; 0: they are not.
	std::string text(size_t width) const;

private:
	std::vector<std::vector<std::string>> rows{1}; // the first: titles
	std::vector<Align> aligns;
};

} // namespace bsdproc
