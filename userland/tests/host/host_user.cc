// SPDX-License-Identifier: GPL-2.0-only
// Whose the current task is.
#include "linux.hh"

using namespace sim;

unsigned host_euid(void)
{
	return current_task()->euid;
}

unsigned host_payer(void)
{
	return current_task()->payer;
}

int host_is_admin(void)
{
	must_hold_no_core_lock(__func__);
	return current_task()->admin;
}
