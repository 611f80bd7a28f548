// SPDX-License-Identifier: BSD-2-Clause
// What must be as before when all fuzzing processes are gone.
#pragma once

namespace fuzz
{

// Objects in the kernel that a forgotten reference keeps. As root.
class Census
{
public:
	Census() { count(now_); }
	// Complains of more than there were.
	void compare() const;

private:
	static constexpr int kCaches = 6;
	static void count(long (&objects)[kCaches]);

	long now_[kCaches];
};

// No proc is held by anyone but the model. Complains of those that stay so.
void check_holds();

} // namespace fuzz
