/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams: records of one size, from writers that can neither sleep nor get memory, to
 * readers who each have a descriptor and a ring of their own.
 *
 * What does not fit is counted, never waited for. Each record begins with a u64, which says
 * how many were lost right before it; when nothing follows what was lost, an otherwise empty
 * record says so. So a reader who adds up records and what they say were lost has all.
 */
#ifndef BSDPROC_STREAM_H
#define BSDPROC_STREAM_H

#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

/* All readers of one kind of records. */
struct streams {
	struct list_head list; /* RCU; changed under the lock */
	struct mutex lock;
};

#define STREAMS_INIT(name)                                                    \
	{                                                                     \
		LIST_HEAD_INIT((name).list), __MUTEX_INITIALIZER((name).lock) \
	}

/* One reader's; in the struct of whoever opens it. */
struct stream {
	struct list_head link;
	struct streams *streams;
	wait_queue_head_t readers;
	struct irq_work wake; /* writers may hold what waking takes */
	struct mutex reading; /* one at a time; over the copying out */
	size_t size;          /* of a record */
	unsigned room;        /* records that the ring holds */
	u8 *ring;
	raw_spinlock_t lock;   /* a leaf, held for one copy: the rest */
	unsigned first, count; /* records from first on are there to be read */
	u64 lost;              /* after the last of them */
	bool more;             /* whether more may come; not under the lock */
};

/* Whether there is any reader: one load. Any context. */
static inline bool streams_any(const struct streams *streams)
{
	return !list_empty(&streams->list);
}

/* For each reader, whose struct has its stream as `stream`; RCU. */
#define for_each_stream(reader, streams) \
	list_for_each_entry_rcu(reader, &(streams)->list, stream.link)

/*
 * Makes a reader, with a ring for so many records of `size` bytes, and returns its
 * descriptor: an anonymous file of that name with private_data the stream, closed by exec.
 * From then on it is the file's, and others may close it. more: see stream_expect(). Those fops have stream_read,
 * stream_poll, and a release that calls stream_stop() before it frees the stream's memory.
 * -ENOMEM, -EMFILE, -ENFILE: nothing is left of it. Process context, may sleep.
 */
int stream_start(struct stream *stream, struct streams *streams, bool more, size_t size,
		 unsigned records, const char *name, const struct file_operations *fops);

/* Nobody writes to it any more, and its ring is gone. Process context, sleeps. */
void stream_stop(struct stream *stream);

/*
 * A record for that reader; its first u64 is filled in here. Any context but NMI, under any
 * lock of the scheduler's and signals' too; RCU.
 */
void stream_put(struct stream *stream, const void *record);

/*
 * Whether more records may come; when not, readers find the end of the file after the last
 * one. Not by several at a time; context as above.
 */
void stream_expect(struct stream *stream, bool more);

ssize_t stream_read(struct file *file, char __user *buf, size_t size, loff_t *pos);
__poll_t stream_poll(struct file *file, poll_table *table);

#endif /* BSDPROC_STREAM_H */
