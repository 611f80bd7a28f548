// SPDX-License-Identifier: GPL-2.0-only
/* Streams: see stream.h. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "stream.h"

static void *slot(const struct stream *stream, unsigned nr)
{
	return stream->ring + (stream->first + nr) % stream->room * stream->size;
}

/* Under the lock, with room for it. What was lost goes with the record that follows. */
static void append(struct stream *stream, const void *record)
{
	void *to = slot(stream, stream->count);

	if (record)
		memcpy(to, record, stream->size);
	else
		memset(to, 0, stream->size);
	*(u64 *)to = stream->lost;
	WRITE_ONCE(stream->lost, 0);
	WRITE_ONCE(stream->count, stream->count + 1);
}

void stream_put(struct stream *stream, const void *record)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&stream->lock, flags);
	if (stream->count < stream->room)
		append(stream, record);
	else
		WRITE_ONCE(stream->lost, stream->lost + 1);
	raw_spin_unlock_irqrestore(&stream->lock, flags);
	if (wq_has_sleeper(&stream->readers))
		irq_work_queue(&stream->wake);
}

static void wake(struct irq_work *work)
{
	struct stream *stream = container_of(work, struct stream, wake);

	wake_up_poll(&stream->readers, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

void stream_expect(struct stream *stream, bool more)
{
	/* The writer's records come first, also to who looks without the lock. */
	smp_store_release(&stream->more, more);
	if (!more && wq_has_sleeper(&stream->readers))
		irq_work_queue(&stream->wake);
}

/* Something is lost only when the ring is full, but stays so when that has been read. */
static bool has_records(const struct stream *stream)
{
	return READ_ONCE(stream->count) || READ_ONCE(stream->lost);
}

/* Also the end is there to be read. */
static bool is_readable(const struct stream *stream)
{
	return !smp_load_acquire(&stream->more) || has_records(stream);
}

/* How many records there are, one that only counts among them. */
static unsigned begin_read(struct stream *stream)
{
	unsigned long flags;
	unsigned count;

	raw_spin_lock_irqsave(&stream->lock, flags);
	if (!stream->count && stream->lost)
		append(stream, NULL);
	count = stream->count;
	raw_spin_unlock_irqrestore(&stream->lock, flags);
	return count;
}

static void end_read(struct stream *stream, unsigned count)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&stream->lock, flags);
	stream->first = (stream->first + count) % stream->room;
	WRITE_ONCE(stream->count, stream->count - count);
	raw_spin_unlock_irqrestore(&stream->lock, flags);
}

/*
 * Up to `room` records, of which the writers leave alone what is there; what cannot be
 * stored stays. Bytes, 0: that was all, -EAGAIN: none yet, -EFAULT. Under stream->reading.
 */
static ssize_t take(struct stream *stream, char __user *buf, size_t room)
{
	const bool more = smp_load_acquire(&stream->more);
	const unsigned count = min_t(size_t, begin_read(stream), room);
	unsigned n;

	if (!count)
		return more ? -EAGAIN : 0;
	for (n = 0; n < count; n++)
		if (copy_to_user(buf + n * stream->size, slot(stream, n), stream->size))
			break;
	if (!n)
		return -EFAULT;
	end_read(stream, n);
	return n * stream->size;
}

ssize_t stream_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct stream *stream = file->private_data;
	ssize_t got;

	if (size < stream->size)
		return -EINVAL;
	for (;;) {
		if (mutex_lock_interruptible(&stream->reading))
			return -ERESTARTSYS;
		got = take(stream, buf, size / stream->size);
		mutex_unlock(&stream->reading);
		if (got != -EAGAIN || (file->f_flags & O_NONBLOCK))
			return got;
		if (wait_event_interruptible(stream->readers, is_readable(stream)))
			return -ERESTARTSYS;
	}
}

__poll_t stream_poll(struct file *file, poll_table *table)
{
	struct stream *stream = file->private_data;
	__poll_t over;

	poll_wait(file, &stream->readers, table);
	over = smp_load_acquire(&stream->more) ? 0 : EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return has_records(stream) ? EPOLLIN | EPOLLRDNORM : over;
}

/* Its ring, empty. 0, -ENOMEM. */
static int stream_init(struct stream *stream, size_t size, unsigned records)
{
	stream->size = size;
	stream->room = records;
	stream->first = stream->count = stream->lost = 0;
	stream->more = true;
	init_waitqueue_head(&stream->readers);
	init_irq_work(&stream->wake, wake);
	mutex_init(&stream->reading);
	raw_spin_lock_init(&stream->lock);
	stream->ring = kvmalloc_array(records, size, GFP_KERNEL_ACCOUNT);
	return stream->ring ? 0 : -ENOMEM;
}

int stream_start(struct stream *stream, struct streams *streams, bool more, size_t size,
		 unsigned records, const char *name, const struct file_operations *fops)
{
	struct file *file;
	int fd;

	stream->streams = streams;
	if (stream_init(stream, size, records))
		return -ENOMEM;
	stream->more = more;
	fd = get_unused_fd_flags(O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		goto free_ring;
	file = anon_inode_getfile(name, fops, stream, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto free_ring;
	}
	mutex_lock(&streams->lock);
	list_add_tail_rcu(&stream->link, &streams->list);
	mutex_unlock(&streams->lock);
	fd_install(fd, file);
	return fd;

free_ring:
	kvfree(stream->ring);
	return fd;
}

void stream_stop(struct stream *stream)
{
	mutex_lock(&stream->streams->lock);
	list_del_rcu(&stream->link);
	mutex_unlock(&stream->streams->lock);
	/* Who has found it writes to its end; then no wake-up is asked for any more. */
	synchronize_rcu();
	irq_work_sync(&stream->wake);
	kvfree(stream->ring);
}
