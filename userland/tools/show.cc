// SPDX-License-Identifier: BSD-2-Clause
#include "show.hh"

#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <langinfo.h>
#include <map>
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bsdproc
{

namespace
{

struct Character {
	size_t bytes; // 1 or more
	int columns;  // -1: not printable
};

// The first character of a text that is not empty.
Character character(std::string_view text)
{
	wchar_t wide;
	mbstate_t state{};
	size_t bytes = mbrtowc(&wide, text.data(), text.size(), &state);

	if (bytes == static_cast<size_t>(-1) || bytes == static_cast<size_t>(-2))
		return {1, -1};
	if (bytes == 0)
		return {1, -1};
	return {bytes, wcwidth(wide)};
}

} // namespace

size_t terminal_width()
{
	winsize size{};

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	const char *columns = getenv("COLUMNS");
	int value = columns ? atoi(columns) : 0;
	return value > 0 ? value : 80;
}

bool locale_is_utf8()
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

std::string printable(std::string_view text)
{
	std::string out;

	while (!text.empty()) {
		Character first = character(text);
		if (first.columns < 0)
			out += '?';
		else
			out += text.substr(0, first.bytes);
		text.remove_prefix(first.bytes);
	}
	return out;
}

size_t display_width(std::string_view text)
{
	size_t columns = 0;

	while (!text.empty()) {
		Character first = character(text);
		columns += first.columns < 0 ? 1 : first.columns;
		text.remove_prefix(first.bytes);
	}
	return columns;
}

std::string_view cut(std::string_view text, size_t columns)
{
	size_t bytes = 0, used = 0;

	while (bytes < text.size()) {
		Character next = character(text.substr(bytes));
		used += next.columns < 0 ? 1 : next.columns;
		if (used > columns)
			break;
		bytes += next.bytes;
	}
	return text.substr(0, bytes);
}

std::string user_name(uint32_t uid)
{
	static std::map<uint32_t, std::string> names;

	auto [name, fresh] = names.try_emplace(uid);
	if (fresh) {
		const passwd *entry = getpwuid(uid);
		name->second = entry ? printable(entry->pw_name) : std::to_string(uid);
	}
	return name->second;
}

std::string seconds(uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu.%03llu",
		 static_cast<unsigned long long>(ns / 1000000000),
		 static_cast<unsigned long long>(ns / 1000000 % 1000));
	return text;
}

} // namespace bsdproc
