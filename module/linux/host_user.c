// SPDX-License-Identifier: GPL-2.0-only
/* The current task's user, by numbers that mean the same everywhere. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/user_namespace.h>

#include "linux.h"

unsigned host_euid(void)
{
	return __kuid_val(current_euid());
}

/*
 * Whoever may make users of its own by user namespaces owns the outermost one. Where that is
 * root, who makes them for others (containers), each has a payer of its own: its own root.
 */
unsigned host_payer(void)
{
	const struct user_namespace *ns = current_user_ns();
	kuid_t root;

	if (ns == &init_user_ns)
		return host_euid();
	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	root = make_kuid((struct user_namespace *)ns, 0);
	if (uid_eq(ns->owner, GLOBAL_ROOT_UID) && uid_valid(root))
		return __kuid_val(root);
	return __kuid_val(ns->owner);
}

int host_is_admin(void)
{
	return capable(CAP_SYS_ADMIN);
}
