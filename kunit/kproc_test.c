// SPDX-License-Identifier: GPL-2.0-only
/* Looking at the model: who may see what, and how much fits. */
#include "../module/linux/kproc.c"

#include <linux/kthread.h>

#include "kunit.h"

static const kuid_t some_uid = KUIDT_INIT(4711);
static const kgid_t some_gid = KGIDT_INIT(4712);

/* Credentials of a process: by uid, gid, and whether it has that capability. */
static struct cred *cred_of(kuid_t uid, kgid_t gid, bool privileged)
{
	struct cred *cred = prepare_creds();

	if (!cred)
		return NULL;
	cred->uid = cred->euid = cred->suid = cred->fsuid = uid;
	cred->gid = cred->egid = cred->sgid = cred->fsgid = gid;
	cap_clear(cred->cap_effective);
	if (privileged)
		cap_raise(cred->cap_effective, CAP_SYS_PTRACE);
	return cred;
}

/* What `look` says when the caller has `cred`, which is used up. */
static bool as(struct cred *cred, bool (*look)(const void *), const void *arg)
{
	const struct cred *old = override_creds(cred);
	const bool says = look(arg);

	revert_creds(old);
	put_cred(cred);
	return says;
}

static bool inspects(const void *task)
{
	bool may;

	rcu_read_lock();
	may = may_inspect(task);
	rcu_read_unlock();
	return may;
}

static void only_its_owner_may_inspect(struct kunit *test)
{
	struct cred *theirs = cred_of(some_uid, some_gid, false);
	/* It never runs, and only wears them. */
	struct task_struct *target = kthread_create(NULL, NULL, "kunit_target");
	const struct cred *own;

	if (!theirs || IS_ERR(target)) {
		KUNIT_FAIL(test, "no memory");
		return;
	}
	own = rcu_access_pointer(target->real_cred);
	rcu_assign_pointer(target->real_cred, theirs);

#define MAY(uid, gid, privileged) as(cred_of(uid, gid, privileged), inspects, target)
	KUNIT_EXPECT_TRUE(test, MAY(some_uid, some_gid, false));
	KUNIT_EXPECT_FALSE(test, MAY(GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, false));
	KUNIT_EXPECT_FALSE(test, MAY(some_uid, GLOBAL_ROOT_GID, false));
	KUNIT_EXPECT_FALSE(test, MAY(GLOBAL_ROOT_UID, some_gid, false));
	KUNIT_EXPECT_TRUE(test, MAY(GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, true));

	/* Of a set-id program any one of its ids may be another's. */
#define WITH(field, value)                                                            \
	do {                                                                          \
		const typeof(value) was = theirs->field;                              \
                                                                                      \
		theirs->field = value;                                                \
		KUNIT_EXPECT_FALSE_MSG(test, MAY(some_uid, some_gid, false), #field); \
		KUNIT_EXPECT_TRUE_MSG(test, MAY(some_uid, some_gid, true), #field);   \
		theirs->field = was;                                                  \
	} while (0)
	WITH(uid, GLOBAL_ROOT_UID);
	WITH(euid, GLOBAL_ROOT_UID);
	WITH(suid, GLOBAL_ROOT_UID);
	WITH(gid, GLOBAL_ROOT_GID);
	WITH(egid, GLOBAL_ROOT_GID);
	WITH(sgid, GLOBAL_ROOT_GID);

	rcu_assign_pointer(target->real_cred, own);
	kthread_stop(target);
	synchronize_rcu();
	put_cred(theirs);
}

static void itself_is_always_seen(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, as(cred_of(some_uid, some_gid, false), inspects, current));
}

static struct bsdproc_getproc got;

static bool gets(const void *pid)
{
	got = (struct bsdproc_getproc){.pid = pid_nr((struct pid *)pid)};
	return kproc_get(&got) == 0;
}

static void hidden_is_zero(struct kunit *test)
{
	struct process *process = process_start(test, "exit 3 & exec sleep infinity");
	static const struct bsdproc_rusage nothing;
	struct pid *zombie = NULL;

	eventually(test, (zombie = zombie ?: process_child(process->pid)) && gets(zombie) &&
				 got.kproc.stat == BSDPROC_SZOMB);
	if (!zombie)
		return;
	KUNIT_EXPECT_EQ(test, got.kproc.xstat, 0x300);
	KUNIT_EXPECT_EQ(test, got.kproc.flags & BSDPROC_P_HIDDEN, 0);
	KUNIT_EXPECT_NE(test, got.kproc.ru.utime + got.kproc.ru.stime, 0);

	KUNIT_EXPECT_TRUE(test, as(cred_of(some_uid, some_gid, false), gets, zombie));
	KUNIT_EXPECT_NE(test, got.kproc.flags & BSDPROC_P_HIDDEN, 0);
	KUNIT_EXPECT_EQ(test, got.kproc.xstat, 0);
	KUNIT_EXPECT_EQ(test, memcmp(&got.kproc.ru, &nothing, sizeof(nothing)), 0);
	KUNIT_EXPECT_EQ(test, memcmp(&got.kproc.cru, &nothing, sizeof(nothing)), 0);
	put_pid(zombie);
}

static void lists_fit_their_room(struct kunit *test)
{
	struct bsdproc_list list = {};
	unsigned all;

	KUNIT_EXPECT_EQ(test, kproc_list(&list), 0);
	all = list.count;
	KUNIT_EXPECT_GT(test, all, 1);

	/* One does not fit; what lies behind the room is left alone. */
	list = (struct bsdproc_list){.pids = user.page, .room = 1};
	KUNIT_EXPECT_EQ(test, kproc_list(&list), 0);
	KUNIT_EXPECT_EQ(test, list.count, all);
	KUNIT_EXPECT_GT(test, user_int(test, user.page), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page + sizeof(int)), 0);

	list = (struct bsdproc_list){.pids = user.page, .room = U32_MAX};
	KUNIT_EXPECT_EQ(test, kproc_list(&list), 0);
	KUNIT_EXPECT_EQ(test, list.count, all);
	KUNIT_EXPECT_GT(test, user_int(test, user.page + (all - 1) * sizeof(int)), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page + all * sizeof(int)), 0);

	list = (struct bsdproc_list){.pids = user.readonly - sizeof(int), .room = all};
	KUNIT_EXPECT_EQ(test, kproc_list(&list), -EFAULT);
	list = (struct bsdproc_list){.pids = (unsigned long)&list, .room = all};
	KUNIT_EXPECT_EQ(test, kproc_list(&list), -EFAULT);
}

static void lwps_fit_their_room(struct kunit *test)
{
	struct process *process = process_start(test, "exec sleep infinity");
	struct bsdproc_getproc get = {.pid = pid_nr(process->pid)};

	KUNIT_EXPECT_EQ(test, kproc_get(&get), 0);
	KUNIT_EXPECT_EQ(test, get.kproc.nlwps, 1);

	get = (struct bsdproc_getproc){.pid = get.pid, .room = U32_MAX, .lwps = user.page};
	KUNIT_EXPECT_EQ(test, kproc_get(&get), 0);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page), 1);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page + offsetof(struct bsdproc_klwp, tid)),
			get.pid);
	KUNIT_EXPECT_EQ(test, user_int(test, user.page + sizeof(struct bsdproc_klwp)), 0);

	get = (struct bsdproc_getproc){.pid = get.pid, .room = 1, .lwps = user.readonly};
	KUNIT_EXPECT_EQ(test, kproc_get(&get), -EFAULT);
}

static void nobody_is_not_found(struct kunit *test)
{
	static const int nobody[] = {-1, INT_MIN, INT_MAX, 2 /* kthreadd */};
	int i;

	for (i = 0; i < ARRAY_SIZE(nobody); i++) {
		struct bsdproc_getproc get = {.pid = nobody[i]};

		KUNIT_EXPECT_EQ_MSG(test, kproc_get(&get), -ESRCH, "%d", nobody[i]);
	}
}

static void give_back(struct kunit *test)
{
	processes_end(test);
	user_give_back(test);
}

static struct kunit_case cases[] = {
	/* First, while nobody comes and goes. */
	KUNIT_CASE(lists_fit_their_room),
	KUNIT_CASE(only_its_owner_may_inspect),
	KUNIT_CASE(itself_is_always_seen),
	KUNIT_CASE(hidden_is_zero),
	KUNIT_CASE(lwps_fit_their_room),
	KUNIT_CASE(nobody_is_not_found),
	{},
};

struct kunit_suite kproc_suite = {
	.name = "bsdproc_kproc",
	.init = user_borrow,
	.exit = give_back,
	.test_cases = cases,
};
