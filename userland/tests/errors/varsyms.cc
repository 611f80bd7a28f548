// SPDX-License-Identifier: BSD-2-Clause
// Variant symbols.
#include "provoke.hh"

#include "../vm/vm_varsym.h"

using namespace vm;

namespace errors
{

namespace
{

const std::string kLongName(MAXVARSYM_NAME, 'n'), kLongData(MAXVARSYM_DATA, 'd');

Provoke setting(int level, const char *name, const char *data)
{
	return [=] { return bsd_varsym_set(level, name, data); };
}

Provoke getting(int mask, const char *name, char *buf, int size)
{
	return [=] { return bsd_varsym_get(mask, name, buf, size); };
}

Provoke listing(int level, char *buf, int size)
{
	return [=] {
		int marker = 0;
		const long length = bsd_varsym_list(level, buf, size, &marker);
		return then(length, [&] {
			if (length == -1) {
				EXPECT_EQ(marker, 0);
			}
		});
	};
}

// Where the process has one symbol.
Provoke with_one(const Provoke &call)
{
	return [=] {
		set("test", "value");
		return call();
	};
}

long into_a_full_level()
{
	const std::string data(MAXVARSYM_DATA - 1, 'd');
	for (int i = 0; i <= MAXVARSYM_SET / MAXVARSYM_DATA; i++) {
		const std::string name = std::to_string(i);
		if (bsd_varsym_set(VARSYM_PROC, name.c_str(), data.c_str()) != 0)
			return -1;
	}
	return 0;
}

// As more of the users of a user namespace than may have symbols.
long by_many_users()
{
	const pid_t pid = in_namespace(kSomebody, 200000, [] {
		int error = 0;
		as_users(257, [&] {
			if (bsd_varsym_set(VARSYM_USER, "test", "1") != 0)
				error = errno;
		});
		as_users(257, [] { bsd_varsym_set(VARSYM_USER, "test", nullptr); });
		_exit(error);
	});
	errno = WEXITSTATUS(native_reap(pid));
	return errno ? -1 : 0;
}

void add_set(Rows &rows)
{
	const char *of = "bsd_varsym.3/bsd_varsym_set bsdproc.4/BSDPROC_VARSYM_SET";

	rows.push_back({of, E2BIG, {into_a_full_level}});
	rows.push_back(
		{of,
		 EFAULT,
		 {setting(VARSYM_PROC, nullptr, "b"), setting(VARSYM_PROC, nowhere<char>(), "b"),
		  setting(VARSYM_PROC, "a", nowhere<char>())}});
	rows.push_back({of, EINVAL, {setting(0, "a", "b"), setting(4, "a", "b")}});
	rows.push_back({of,
			ENAMETOOLONG,
			{setting(VARSYM_PROC, kLongName.c_str(), "b"),
			 setting(VARSYM_PROC, "a", kLongData.c_str())}});
	rows.push_back(
		{of,
		 ENOENT,
		 {setting(VARSYM_PROC, "test", nullptr), setting(VARSYM_USER, "test", nullptr)}});
	rows.push_back({of, ENOSPC, {by_many_users}});
	rows.push_back({of, EPERM, {[] {
				return as_nobody(
					[] { return bsd_varsym_set(VARSYM_SYS, "a", "b"); });
			}}});
	rows.push_back({of, ENOMEM, {setting(VARSYM_PROC, "a", "b")}, Short::of_objects});
	rows.push_back({of, ENOMEM, {setting(VARSYM_PROC, "a", "b")}, Short::in_the_call});
}

void add_get(Rows &rows)
{
	const char *of = "bsd_varsym.3/bsd_varsym_get bsdproc.4/BSDPROC_VARSYM_GET";
	static char buf[MAXVARSYM_DATA];
	const int all = VARSYM_ALL_MASK;

	rows.push_back({of,
			EFAULT,
			{getting(all, nullptr, buf, 8), getting(all, nowhere<char>(), buf, 8),
			 with_one(getting(all, "test", nowhere<char>(), 8))}});
	rows.push_back({of, EINVAL, {getting(all | 1, "a", buf, 8), getting(1 << 4, "a", buf, 8)}});
	rows.push_back({of, ENAMETOOLONG, {getting(all, kLongName.c_str(), buf, 8)}});
	rows.push_back({of,
			ENOENT,
			{getting(all, "a", buf, 8), with_one(getting(0, "test", buf, 8)),
			 with_one(getting(VARSYM_USER_MASK, "test", buf, 8))}});
	rows.push_back({of, ENOMEM, {getting(all, "a", buf, 8)}, Short::of_objects});
}

void add_list(Rows &rows)
{
	const char *of = "bsd_varsym.3/bsd_varsym_list bsdproc.4/BSDPROC_VARSYM_LIST";
	static char buf[MAXVARSYM_SET];

	rows.push_back({of, EFAULT, {with_one(listing(VARSYM_PROC, nowhere<char>(), 64)), [] {
					     return bsd_varsym_list(VARSYM_PROC, buf, sizeof(buf),
								    nullptr);
				     }}});
	rows.push_back({of, EINVAL, {listing(0, buf, 64), listing(4, buf, 64)}});
	rows.push_back({of,
			EOVERFLOW,
			{with_one(listing(VARSYM_PROC, buf, 10)),
			 with_one(listing(VARSYM_PROC, buf, 0))}});
	rows.push_back({of, ENOMEM, {listing(VARSYM_PROC, buf, 64)}, Short::of_objects});
	rows.push_back({of, ENOMEM, {listing(VARSYM_PROC, buf, 64)}, Short::in_the_call});
}

} // namespace

Rows rows_of_varsyms()
{
	Rows rows;
	add_set(rows);
	add_get(rows);
	add_list(rows);
	return rows;
}

} // namespace errors
