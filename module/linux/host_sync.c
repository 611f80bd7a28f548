// SPDX-License-Identifier: GPL-2.0-only
/* The core's locks and RCU sections. */
#include <linux/bug.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "linux.h"

static spinlock_t *spinlock(struct host_lock *lock)
{
	BUILD_BUG_ON(sizeof(spinlock_t) > sizeof(struct host_lock));
	BUILD_BUG_ON(__alignof__(spinlock_t) > __alignof__(struct host_lock));
	return (spinlock_t *)lock;
}

/* Each spin_lock_init() is a lockdep class of its own. */
void host_lock_init(struct host_lock *lock, enum host_lock_class cls)
{
	switch (cls) {
	case HOST_LOCK_PROC:
		spin_lock_init(spinlock(lock));
		break;
	case HOST_LOCK_ADOPT:
		spin_lock_init(spinlock(lock));
		break;
	case HOST_LOCK_LIMBO:
		spin_lock_init(spinlock(lock));
		break;
	case HOST_LOCK_EXITLIST:
		spin_lock_init(spinlock(lock));
		break;
	case HOST_LOCK_STOP:
		spin_lock_init(spinlock(lock));
		break;
	case HOST_LOCK_VARSYM:
		spin_lock_init(spinlock(lock));
		break;
	case HOST_LOCK_VMSPACE:
		spin_lock_init(spinlock(lock));
		break;
#ifdef KTRACE
	case HOST_LOCK_KTRACE:
		spin_lock_init(spinlock(lock));
		break;
#endif
	case HOST_LOCK_CLASSES:
		break;
	}
}

/* Softirqs stay out: Linux tells of freed tasks there. */
void host_lock_acquire(struct host_lock *lock) __acquires(lock)
{
	spin_lock_bh(spinlock(lock));
}

void host_lock_acquire_second(struct host_lock *lock) __acquires(lock)
{
	local_bh_disable();
	spin_lock_nested(spinlock(lock), SINGLE_DEPTH_NESTING);
}

void host_lock_release(struct host_lock *lock) __releases(lock)
{
	spin_unlock_bh(spinlock(lock));
}

void host_rcu_read_lock(void) __acquires(RCU)
{
	rcu_read_lock();
}

void host_rcu_read_unlock(void) __releases(RCU)
{
	rcu_read_unlock();
}
