// SPDX-License-Identifier: GPL-2.0-only
// Address spaces: who has which, and that one may get the address of one that is no more.
#include "linux.hh"

namespace sim
{

void kernel::mm_get(task_struct *task, const char *mm)
{
	if (!mm)
		mm = new char;
	mm_users_[mm]++;
	task->mm = mm;
}

static void drop(std::map<const char *, unsigned> &users, const char *mm)
{
	if (--users.at(mm))
		return;
	users.erase(mm);
	delete mm;
}

void kernel::mm_put(task_struct *task)
{
	if (task->mm)
		drop(mm_users_, task->mm);
	task->mm = nullptr;
}

void kernel::mm_hold(const task_struct *task)
{
	mm_users_.at(task->mm)++;
}

void kernel::mm_drop(const task_struct *task)
{
	drop(mm_users_, task->mm);
}

} // namespace sim
