// SPDX-License-Identifier: BSD-2-Clause
// What man pages say of errors. In the ERRORS section of one, the calls that are named before a
// list, by Fn, Dv or as read(2), are those that the list is about; before any is named, it is
// about all of the page.
#include "table.hh"

#include <dirent.h>

#include <fstream>
#include <sstream>

namespace errors
{

namespace
{

class Section
{
public:
	Section(std::string page, std::set<std::string> &all) : page_(std::move(page)), all_(all) {}

	void read(const std::string &line)
	{
		std::istringstream words(line);
		std::string macro, word;
		words >> macro;
		if (macro == ".Bl") {
			depth_++;
		} else if (macro == ".El") {
			depth_--;
			told_ = true;
		} else if (depth_ && macro == ".It") {
			// .It Bq Er EINVAL
			while (words >> word && word != "Er")
				;
			while (words >> word)
				promise(word);
		} else if (!depth_ && (macro == ".Fn" || macro == ".Dv")) {
			while (words >> word)
				if (word.size() > 1)
					name(word);
		} else if (!depth_ && line.rfind(".Xr read 2", 0) == 0) {
			name("read");
		}
	}

private:
	void name(const std::string &call)
	{
		if (told_)
			calls_.clear();
		told_ = false;
		calls_.insert(call);
	}

	void promise(const std::string &error)
	{
		if (calls_.empty())
			all_.insert(page_ + "/ " + error);
		for (const std::string &call : calls_)
			all_.insert(page_ + "/" + call + " " + error);
	}

	const std::string page_;
	std::set<std::string> &all_, calls_;
	int depth_ = 0;
	bool told_ = false; // the calls named have had their list
};

void read_page(const std::string &folder, const std::string &page, std::set<std::string> &all)
{
	std::ifstream file(folder + "/" + page);
	bool in_errors = false;
	Section section(page, all);
	for (std::string line; std::getline(file, line);) {
		if (line.rfind(".Sh ", 0) == 0)
			in_errors = line == ".Sh ERRORS";
		else if (in_errors)
			section.read(line);
	}
}

} // namespace

std::set<std::string> listed(const std::string &folder)
{
	std::set<std::string> all;
	DIR *dir = opendir(folder.c_str());
	if (!dir)
		return all;
	while (const struct dirent *entry = readdir(dir))
		if (entry->d_name[0] != '.')
			read_page(folder, entry->d_name, all);
	closedir(dir);
	return all;
}

} // namespace errors
