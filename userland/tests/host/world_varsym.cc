// SPDX-License-Identifier: GPL-2.0-only
// A task's calls about variant symbols.
#include "world.hh"

namespace sim
{

int varsym_set(task_struct *task, core_varsym_level level, const std::string &name,
	       const std::string &data)
{
	as self(task);
	return -core_varsym_set(level, name.c_str(), data.c_str());
}

int varsym_delete(task_struct *task, core_varsym_level level, const std::string &name)
{
	as self(task);
	return -core_varsym_set(level, name.c_str(), nullptr);
}

std::string varsym_get(task_struct *task, const std::string &name, unsigned mask)
{
	as self(task);
	char data[CORE_VARSYM_DATA];
	const int length = core_varsym_get(mask, name.c_str(), data);
	if (length <= 0)
		return "?" + std::to_string(-length);
	EXPECT_EQ(data[length - 1], '\0');
	return {data, size_t(length) - 1};
}

std::string varsym_list(task_struct *task, core_varsym_level level)
{
	as self(task);
	char text[CORE_VARSYM_TEXT];
	int marker = 0;
	const int length = core_varsym_list(level, &marker, text, sizeof(text));
	if (length < 0)
		return "?" + std::to_string(-length);
	EXPECT_EQ(marker, -1);
	std::string list;
	for (const char *at = text; at < text + length; at += list.size() - list.rfind('=')) {
		const std::string name = at;
		at += name.size() + 1;
		list += (list.empty() ? "" : " ") + name + "=" + at;
	}
	return list;
}

} // namespace sim
