// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample of at_exit(): a counter whose changes by a process are undone when that process
 * ends, however it ends, as System V's SEM_UNDO does it.
 *
 *   echo 3 >/dev/bsdproc_undo    adds 3, until the shell that echoes ends
 *   cat /dev/bsdproc_undo        the value
 *
 * The parameter hold, while it is Y, keeps the callout asleep: that process can then be
 * seen between its last instruction and its being a zombie; others are not disturbed.
 *
 * And a sample of at_exit_stage(): the parameter lwps tells how many threads have ended of
 * processes that had something to undo yet; a process's last thread finds that undone.
 */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "../../include/bsdproc_at_exit.h"
#include "../../include/bsdproc_exit_stage.h"

#undef pr_fmt
#define pr_fmt(fmt) "bsdproc_undo: " fmt

static DECLARE_WAIT_QUEUE_HEAD(let_go);
static bool hold;

static int set_hold(const char *text, const struct kernel_param *param)
{
	const int error = param_set_bool(text, param);

	wake_up_all(&let_go);
	return error;
}

static const struct kernel_param_ops hold_ops = {.set = set_hold, .get = param_get_bool};
module_param_cb(hold, &hold_ops, &hold, 0644);
MODULE_PARM_DESC(hold, "keeps processes that have something to undo asleep in their exit");

static atomic_t lwps = ATOMIC_INIT(0);

static int get_lwps(char *text, const struct kernel_param *param)
{
	return scnprintf(text, PAGE_SIZE, "%d\n", atomic_read(&lwps));
}

static const struct kernel_param_ops lwps_ops = {.get = get_lwps};
module_param_cb(lwps, &lwps_ops, NULL, 0444);
MODULE_PARM_DESC(lwps, "how many threads have ended of processes that had something to undo");

/* What one process has added. */
struct undo {
	struct hlist_node node;
	struct pid *process; /* referenced */
	long adjusted;
};

/* Guards the rest. */
static DEFINE_MUTEX(undo_lock);
static DEFINE_HASHTABLE(undos, 8);
static long value;

static struct undo *find(struct pid *process)
{
	struct undo *undo;

	hash_for_each_possible(undos, undo, node,
			       (unsigned long)process) if (undo->process == process) return undo;
	return NULL;
}

/* The process's own record, made if need be; null: no memory. */
static struct undo *find_or_make(struct pid *process)
{
	struct undo *undo = find(process);

	if (undo)
		return undo;
	undo = kzalloc(sizeof(*undo), GFP_KERNEL);
	if (!undo)
		return NULL;
	undo->process = get_pid(process);
	hash_add(undos, &undo->node, (unsigned long)process);
	return undo;
}

static void forget(struct undo *undo)
{
	value -= undo->adjusted;
	hash_del(&undo->node);
	put_pid(undo->process);
	kfree(undo);
}

static bool has_undo(struct pid *process)
{
	bool has;

	mutex_lock(&undo_lock);
	has = find(process);
	mutex_unlock(&undo_lock);
	return has;
}

/* The callout: in the context of the process that ends. */
static void undo_at_exit(struct task_struct *td)
{
	struct undo *undo;

	if (!has_undo(task_tgid(td)))
		return;
	/* Signals are over for this one; idle is not reported as hung. */
	wait_event_idle(let_go, !READ_ONCE(hold));
	mutex_lock(&undo_lock);
	undo = find(task_tgid(td));
	if (undo)
		forget(undo);
	mutex_unlock(&undo_lock);
}

/* The hook: in the context of the thread that ends. */
static void count_lwp(struct task_struct *td)
{
	if (has_undo(task_tgid(td)))
		atomic_inc(&lwps);
}

static ssize_t undo_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	struct undo *undo;
	long by;
	int error = kstrtol_from_user(buf, size, 10, &by);

	if (error)
		return error;
	mutex_lock(&undo_lock);
	undo = find_or_make(task_tgid(current));
	if (undo) {
		undo->adjusted += by;
		value += by;
	}
	mutex_unlock(&undo_lock);
	return undo ? size : -ENOMEM;
}

static ssize_t undo_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	char text[24];
	int length;

	mutex_lock(&undo_lock);
	length = scnprintf(text, sizeof(text), "%ld\n", value);
	mutex_unlock(&undo_lock);
	return simple_read_from_buffer(buf, size, pos, text, length);
}

static const struct file_operations undo_fops = {
	.owner = THIS_MODULE,
	.read = undo_read,
	.write = undo_write,
	.llseek = default_llseek,
};

static struct miscdevice undo_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bsdproc_undo",
	.fops = &undo_fops,
	.mode = 0666,
};

static int __init undo_init(void)
{
	int error = at_exit(undo_at_exit);

	if (error)
		return error;
	error = at_exit_stage(EXIT_VKERNEL_LWP_EXIT, count_lwp);
	if (!error) {
		error = misc_register(&undo_device);
		if (!error)
			return 0;
		rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, count_lwp);
	}
	rm_at_exit(undo_at_exit);
	return error;
}

static void __exit undo_exit(void)
{
	struct hlist_node *next;
	struct undo *undo;
	int bucket;

	misc_deregister(&undo_device);
	/* Waits for whoever is in there: the code is about to go. */
	rm_at_exit_stage(EXIT_VKERNEL_LWP_EXIT, count_lwp);
	rm_at_exit(undo_at_exit);
	hash_for_each_safe(undos, bucket, next, undo, node) forget(undo);
}

module_init(undo_init);
module_exit(undo_exit);

MODULE_DESCRIPTION("Sample of bsdproc's at_exit: a counter with undo");
MODULE_LICENSE("GPL");
