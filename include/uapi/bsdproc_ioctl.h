/* SPDX-License-Identifier: ((GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * The ABI of /dev/bsdproc, shared by the module and userland. Plain C, fixed
 * widths, no implicit padding.
 *
 * Versioned by size, as clone3() and openat2() are: the size encoded in the
 * request number is the caller's sizeof. A struct may only grow at its end. The
 * module reads what it knows; a longer struct is accepted while the part that
 * the module does not know is zero (else E2BIG), a shorter one than the first
 * version is EINVAL, an unknown request is ENOTTY. Reserved fields and unknown
 * bits must be zero (else EINVAL). A bad address is EFAULT, and nothing has
 * happened then. A call that fails leaves its struct as it was; with EFAULT, a part
 * of what the struct points to may have been written.
 *
 * These are the errors that any request with a struct may return: EINVAL, E2BIG,
 * EFAULT. Those of its own, and what else EINVAL and EFAULT mean, stand with each.
 */
#ifndef _UAPI_BSDPROC_IOCTL_H
#define _UAPI_BSDPROC_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BSDPROC_DEVICE "/dev/bsdproc"
#define BSDPROC_ABI_VERSION 1

/* ---- extexit: how this thread, and perhaps its process, is to end -------- */
/*
 * EINVAL  how is none of these
 * EFAULT  SETINT: no int can be stored at addr
 * ENOMEM
 */

#define BSDPROC_EXTEXIT_SIMPLE 0
#define BSDPROC_EXTEXIT_SETINT 1
#define BSDPROC_EXTEXIT_PROC (0 << 16)
#define BSDPROC_EXTEXIT_LWP (1 << 16)

/* What the caller must do next: end its thread, or the whole process. */
#define BSDPROC_VERDICT_LWP 1  /* exit(0), the raw system call */
#define BSDPROC_VERDICT_PROC 2 /* exit_group(status) */

struct bsdproc_extexit {
	__s32 how;     /* BSDPROC_EXTEXIT_* */
	__s32 status;  /* exit status, and the int that SETINT stores */
	__u64 addr;    /* int *, with SETINT only */
	__u32 verdict; /* out: BSDPROC_VERDICT_* */
	__u32 reserved;
};

/* ---- wait: what has become of a child ------------------------------------ */

/* Linux's numbers, and for what Linux lacks 16 + DragonFly's. */
#define BSDPROC_P_ALL 0
#define BSDPROC_P_PID 1
#define BSDPROC_P_PGID 2 /* id 0: the caller's own group */
#define BSDPROC_P_SID 19 /* id 0: the caller's own session */
#define BSDPROC_P_UID 21 /* the child's effective user id, as the caller's namespace has it */
#define BSDPROC_P_GID 22 /* its effective group id */

#define BSDPROC_WNOHANG 0x00000001u
#define BSDPROC_WUNTRACED 0x00000002u   /* a child that has stopped */
#define BSDPROC_WEXITED 0x00000004u     /* one that has ended */
#define BSDPROC_WCONTINUED 0x00000008u  /* one that goes on */
#define BSDPROC_WTRAPPED 0x00000020u    /* a thread that the caller traces has stopped for it */
#define BSDPROC_WNOWAIT 0x01000000u     /* leave it as it is: no claim */
#define BSDPROC_WALL 0x40000000u        /* children with any exit signal */
#define BSDPROC_WLINUXCLONE 0x80000000u /* only those with another one than SIGCHLD */

/*
 * Which child has something to report, of that kind: with none of WUNTRACED, WEXITED,
 * WCONTINUED and WTRAPPED, WEXITED is meant. What the calling process traces counts among its
 * children, also single threads, and whatever their exit signals. A stop is said to be a stop
 * for the tracer (WTRAPPED) when the caller is that; asking for WUNTRACED is asking for those
 * too.
 *
 * On success with pid != 0 the caller now collects it, by waitid(P_PID, pid, what | WNOHANG |
 * __WALL), with WSTOPPED for WTRAPPED. That decides between native and BSD waits: if it finds
 * nothing, another wait was quicker: call again. With what = WEXITED, and without WNOWAIT, the
 * calling thread holds the claim on that child: no other BSD wait reports it. A thread's claim
 * ends with its next call here, with BSDPROC_REAPED, and with the thread. Other threads of the
 * process may sleep until it ends: with BSDPROC_WAIT_SHARED set, say BSDPROC_REAPED once waitid
 * has returned.
 *
 * The end of a child sends a signal as well. So that no handler of it runs, and perhaps waits,
 * between this call and waitid, BSDPROC_WAIT_SIGNALS has the call return with all signals of
 * the thread blocked, if pid != 0: set its mask to sigmask when waitid has returned. If waitid
 * found nothing, call again with BSDPROC_WAIT_HELD as well instead, and sigmask as it was: the
 * call sets that mask itself, so that what has come meanwhile interrupts it, if it would sleep.
 * Whenever it does not answer with a child the mask is that one then, unless the error is one
 * of all requests.
 *
 * EINVAL  idtype or options is none of these; flags (but for the above) or reserved is not 0; WALL
 *         and WLINUXCLONE
 * EFAULT  the answer cannot be stored at status, rusage, wrusage or info; no claim is held
 * ECHILD  no child, living or ended, is what is waited for
 * EINTR   a signal was caught while asleep, by a handler without SA_RESTART
 * ENOMEM
 *
 * BSDPROC_REAPED has no struct and returns 0; with a size, E2BIG and EFAULT as above.
 */
#define BSDPROC_WAIT_SHARED 0x1u  /* out: other threads may sleep until the claim ends */
#define BSDPROC_WAIT_SIGNALS 0x2u /* in: return with signals blocked; out: they are */
#define BSDPROC_WAIT_HELD 0x4u    /* in, with that one: they are already */

struct bsdproc_wait {
	__u32 idtype;  /* BSDPROC_P_* */
	__u32 options; /* BSDPROC_W* */
	__u64 id;
	__u64 status;  /* int *, or 0; written with the wait status */
	__u64 rusage;  /* struct rusage *, or 0; the child's and its children's, if it has ended */
	__s32 pid;     /* out: the child, or thread, or 0 (WNOHANG: nothing to report) */
	__s32 xstat;   /* out: its wait status: exit code << 8 | signal | 0x80 for a core dump;
		       * signal << 8 | 0x7f, stopped; SIGCONT, continued */
	__u32 uid;     /* out: its real user id */
	__u32 flags;   /* in: 0, SIGNALS or SIGNALS and HELD; out: SHARED, SIGNALS */
	__u64 wrusage; /* struct rusage[2], or 0; the child's own, and its children's */
	__u64 info;    /* siginfo_t *, or 0; zeroed, for waitid to fill */
	__u32 what;    /* out: WEXITED, WUNTRACED, WTRAPPED or WCONTINUED; 0: nothing */
	__u32 reserved;
	__u64 sigmask; /* out, with SIGNALS, and in, with HELD: the mask as rt_sigprocmask has it */
};

/* ---- what is traced ends with its tracer ------------------------------------ */
/*
 * When the calling process ends, Linux lets go of whom its threads trace, or kills those that
 * they set PTRACE_O_EXITKILL for. With on = 1 all of them are killed, by SIGKILL, and what they
 * make meanwhile, if it is attached as PTRACE_O_TRACEFORK and the like have it. Inherited by
 * children made after it; kept over exec, but not of a program that gets rights by it, as a
 * set-user-id one does. A thread that ends alone lets go, as ever.
 *
 * EINVAL  on is neither 0 nor 1
 * ENOMEM
 */
struct bsdproc_tracekill {
	__u32 on; /* 0 or 1 */
	__u32 reserved;
};

/* ---- the model, to look at ----------------------------------------------- */

/* p_stat */
#define BSDPROC_SIDL 1    /* being created */
#define BSDPROC_SACTIVE 2 /* has lwps that may run */
#define BSDPROC_SSTOP 3   /* stopped, by a signal or a tracer */
#define BSDPROC_SZOMB 4   /* ended, not waited for yet */

/* p_flag */
#define BSDPROC_P_WEXIT 0x01   /* the process is exiting */
#define BSDPROC_P_TRACED 0x02  /* a tracer is attached to one of its lwps */
#define BSDPROC_P_PPWAIT 0x04  /* its parent waits in vfork for it */
#define BSDPROC_P_EXEC 0x08    /* it has called exec */
#define BSDPROC_P_CLAIMED 0x10 /* a wait holds the claim on it */
#define BSDPROC_P_ADOPTED 0x20 /* older than the module, or its birth was missed */
#define BSDPROC_P_HIDDEN 0x40  /* its status and usage are not the caller's to see */

#define BSDPROC_P_VMLAST 0x100    /* its exit has left its address space to nobody */
#define BSDPROC_P_TRACEKILL 0x200 /* whom it traces dies with it */

/* lwp_stat */
#define BSDPROC_LSRUN 1   /* running or runnable */
#define BSDPROC_LSSTOP 2  /* stopped */
#define BSDPROC_LSSLEEP 3 /* asleep */
#define BSDPROC_LSZOMB 4  /* ended, its task not released by Linux yet */

/* lwp_flag */
#define BSDPROC_LWP_WEXIT 0x01 /* the lwp is exiting or has exited */
#define BSDPROC_LWP_MAIN 0x02  /* its Linux thread is the thread group's leader */

struct bsdproc_rusage {
	__u64 utime;  /* ns */
	__u64 stime;  /* ns */
	__u64 maxrss; /* KiB */
	__u64 minflt;
	__u64 majflt;
	__u64 inblock; /* 512-byte blocks */
	__u64 oublock;
	__u64 nvcsw;
	__u64 nivcsw;
};

/* Numbers are those of the caller's pid and user namespace; 0 is out of sight. */
struct bsdproc_kproc {
	__s32 pid;
	__s32 ppid;
	__s32 pgid;
	__s32 sid;
	__u32 stat;      /* BSDPROC_S* */
	__u32 flags;     /* BSDPROC_P_* */
	__u32 nthreads;  /* lwps that have not exited */
	__u32 nlwps;     /* lwps that Linux still shows: with an ended leader's */
	__u32 nchildren; /* living and zombie children */
	__u32 nzombies;  /* children that wait to be waited for */
	__s32 sigparent; /* signal to the parent at exit; 0 none */
	__s32 xstat;     /* wait status of one that ended or is held, if the caller may see it */
	__u32 ruid;
	__u32 euid;
	__u32 rgid;
	__u32 egid;
	__u32 holds;     /* references besides the model's own */
	__s32 leader;    /* its task leader; its own number, when it is no peer */
	__u32 npeers;    /* that it leads */
	__u32 stype;     /* BSDPROC_S_EXIT: its tracer holds it there; 0: nobody does */
	__u32 vmsharers; /* procs in its address space, with it; 0: it has none any more */
	__s32 tracer;   /* who traces it by ptrace: one, when its threads have several; 0: nobody */
	__s32 oppid;    /* its parent, while another process traces it, else 0 */
	__u32 reserved; /* 0 */
	char comm[16];
	struct bsdproc_rusage ru;  /* own; zero if the caller may not see it */
	struct bsdproc_rusage cru; /* of children waited for; the same */
};

struct bsdproc_klwp {
	__s32 lwpid; /* DragonFly's: per process, from 1 */
	__s32 tid;   /* Linux's */
	__u32 stat;  /* BSDPROC_LS* */
	__u32 flags; /* BSDPROC_LWP_* */
};

/*
 * The pids of all procs in the caller's pid namespace, the lowest first, each once. Who is
 * there all the time is among them, also while one of its threads execs.
 *
 * EFAULT  they cannot be stored at pids
 * ENOMEM
 */
struct bsdproc_list {
	__u64 pids; /* __s32 *, room for `room` of them */
	__u32 room;
	__u32 count; /* out: how many there are; more than room: call again with more */
};

/*
 * One proc with its lwps, at one moment.
 *
 * ESRCH   no such proc in the caller's pid namespace
 * EFAULT  its lwps cannot be stored at lwps
 * ENOMEM
 */
struct bsdproc_getproc {
	__s32 pid;  /* 0: the caller's own */
	__u32 room; /* for this many lwps */
	__u64 lwps; /* struct bsdproc_klwp *; kproc.nlwps > room: some were left out */
	struct bsdproc_kproc kproc; /* out */
};

/* ---- groups, sessions and users, as Linux has them at that moment -------------- */

/*
 * These count the processes in the caller's pid namespace, zombies too until they are
 * reaped. While processes come, go and change over, each is counted as it was at one moment
 * of the call.
 */

/*
 * A process group. jobc is pg_jobc: how many members, in sight or not, have a parent in
 * another group of the same session, that may see to them when they stop. Zombies do not
 * count, nor does the system's init as a parent. With none the group is orphaned; when that
 * comes about and a member is stopped, Linux sends them all SIGHUP and SIGCONT.
 *
 * ESRCH   no such group with members in the caller's sight
 * EINVAL  reserved is not 0
 */
struct bsdproc_getpgrp {
	__s32 pgid;     /* 0: the caller's own */
	__s32 sid;      /* out: its session, by the caller's numbers */
	__u32 members;  /* out: processes */
	__u32 jobc;     /* out */
	__u32 orphaned; /* out: 1 if it is */
	__u32 reserved;
};

/*
 * A session. Its leader is 0 (s_leader is NULL) from when the last of its threads has begun
 * to exit; Linux takes the terminal from it then, and hangs up. The foreground group and the
 * device are the terminal's, the latter as /proc/PID/stat has it.
 *
 * ESRCH   no such session with processes in the caller's sight
 * ENOMEM
 */
struct bsdproc_getsession {
	__s32 sid;        /* 0: the caller's own */
	__s32 leader;     /* out: its pid, or 0 */
	__u32 processes;  /* out */
	__u32 groups;     /* out */
	__u32 tty;        /* out: the controlling terminal's device, or 0 */
	__s32 foreground; /* out: the terminal's foreground group, or 0 */
};

/*
 * A user, by real user id. Threads are those that /proc shows, in each of its processes.
 *
 * EINVAL  there is no such user in the caller's user namespace, or reserved is not 0
 */
struct bsdproc_getuser {
	__u32 uid;       /* 0xffffffff: the caller's own */
	__u32 processes; /* out */
	__u32 threads;   /* out */
	__u32 reserved;
};

/* ---- reapers: who gets orphans ---------------------------------------------- */

/* DragonFly's numbers. */
#define BSDPROC_REAPER_OWNED 1u    /* the caller is a reaper, by prctl(PR_SET_CHILD_SUBREAPER) */
#define BSDPROC_REAPER_REALINIT 2u /* the caller's orphans go to the init of its pid namespace */

/*
 * The calling process as a reaper. Its reaper is itself, if it is one or that init, else the
 * nearest of its ancestors that is: who gets the children that it leaves behind. Counted over
 * all processes in the caller's pid namespace, each as it was at one moment of the call.
 *
 * EINVAL  reserved is not 0
 */
struct bsdproc_reaper {
	__u32 flags;    /* out: BSDPROC_REAPER_* */
	__u32 refs;     /* out: living descendants whose nearest reaper is the caller */
	__s32 pid_head; /* out: its first child by number, living or zombie; -1: none */
	__u32 reserved;
};

/* ---- notes: a descriptor that tells of what a process does ----------------- */

/* DragonFly's numbers. */
#define BSDPROC_NOTE_EXIT 0x80000000u /* it has ended, and its parent can wait for it */

/*
 * Returns a descriptor, closed by exec, that poll and epoll find readable once the event
 * has come, and from which one struct bsdproc_note is read; after it the end of the file. A
 * zombie's note is readable at once. What has been noted stays, whoever reaps the process.
 * For a process that the caller may inspect as ptrace has it, and for its own children.
 *
 * EINVAL  fflags is not BSDPROC_NOTE_EXIT
 * ESRCH   no such process in the caller's pid namespace
 * EPERM   it is not the caller's to inspect
 * EMFILE, ENFILE, ENOMEM
 */
struct bsdproc_knote {
	__s32 pid;
	__u32 fflags; /* BSDPROC_NOTE_* */
	__u64 reserved;
};

struct bsdproc_note {
	__s32 ident;  /* the process, by the number with which it was asked for */
	__u32 fflags; /* what has come */
	__s64 data;   /* its wait status */
};

/* ---- peers: processes that go with their task leader ------------------------- */

/*
 * The calling process becomes a peer of its parent's task leader: of the leader of which
 * the parent is a peer, else of the parent. When the leader ends, Linux's kill() sends
 * SIGKILL to its peers, and it becomes a zombie only when they have left; not waited for is
 * whom it has no right to kill, and nobody, if its last thread traces others by ptrace. A peer
 * leaves when it ends, or gains rights by exec (set-user-id).
 *
 * ESRCH    `parent` is not its parent any more, or the leader is exiting; the calling
 *          process gets SIGKILL
 * EALREADY it is a peer
 * ENOMEM
 */
struct bsdproc_join {
	__s32 parent;
	__u32 reserved;
};

/* ---- stops: processes held at their exit -------------------------------------- */

/* procfs's number, in BSD. */
#define BSDPROC_S_EXIT 0x20    /* all its threads have ended; its parent has not been told */
#define BSDPROC_S_FORK 0x10000 /* no stop: the children that it makes from now on do the same */

/*
 * Returns a descriptor, closed by exec, for holding processes. From it is read one struct
 * bsdproc_stop for each process that has come to its stop, once; the process stays there,
 * out of reach of signals, until BSDPROC_CONT, or until the descriptor's last close. read
 * sleeps while none has stopped, and finds the end of the file when no process is left of
 * which a stop was asked; poll and epoll tell.
 *
 * EMFILE, ENFILE, ENOMEM
 */
struct bsdproc_hold {
	__u64 reserved;
};

/*
 * Has a process stop at `events`; 0: at none any more, and go on, if it has stopped. For a
 * process that the caller may inspect as ptrace has it; and it will stop only if then, by
 * its credentials at its end, who opened the descriptor still may; nor does it stop if its
 * last thread traces others by ptrace.
 *
 * EBADF  fd is not open
 * EINVAL events has other bits; fd is not a descriptor of BSDPROC_HOLD
 * ESRCH  no such process in the caller's pid namespace, or it is exiting
 * EPERM  it is not the caller's to inspect
 * EBUSY  another descriptor has asked
 * ENOMEM
 */
struct bsdproc_stops {
	__s32 fd;
	__s32 pid;    /* 0: the caller */
	__u32 events; /* BSDPROC_S_* */
	__u32 reserved;
};

/*
 * Lets a process go on.
 *
 * EBADF, EINVAL  as above
 * ESRCH  it is not held by that descriptor
 */
struct bsdproc_cont {
	__s32 fd;
	__s32 pid;
};

struct bsdproc_stop {
	__s32 pid;   /* by the number that the reader knows; 0: out of sight */
	__u32 event; /* BSDPROC_S_EXIT */
	__s32 xstat; /* its wait status */
	__u32 reserved;
};

/* ---- variant symbols: names with values, of a process, its user, the system --- */

/* DragonFly's numbers. Its prison level is the kernel's own there, and not here. */
#define BSDPROC_VARSYM_PROC 1 /* inherited by fork, kept by exec, gone at exit */
#define BSDPROC_VARSYM_USER 2 /* the caller's effective user's */
#define BSDPROC_VARSYM_SYS 3  /* changed with CAP_SYS_ADMIN in the initial user namespace */

#define BSDPROC_VARSYM_PROC_MASK (1 << BSDPROC_VARSYM_PROC)
#define BSDPROC_VARSYM_USER_MASK (1 << BSDPROC_VARSYM_USER)
#define BSDPROC_VARSYM_SYS_MASK (1 << BSDPROC_VARSYM_SYS)
#define BSDPROC_VARSYM_ALL_MASK \
	(BSDPROC_VARSYM_PROC_MASK | BSDPROC_VARSYM_USER_MASK | BSDPROC_VARSYM_SYS_MASK)

#define BSDPROC_MAXVARSYM_NAME 64  /* bytes of a name, with its NUL */
#define BSDPROC_MAXVARSYM_DATA 256 /* bytes of a value, with its NUL */
/* A level that counts so much takes no more; each symbol counts 56 and its two strings. */
#define BSDPROC_MAXVARSYM_SET 8192

/*
 * Sets a symbol, or deletes it. A user's stay until they are deleted or the module goes. The
 * users of somebody's user namespaces have sets of their own, 256 of them at most; so has
 * each user that one can become outside of those, without that bound.
 *
 * EINVAL        level is none of these
 * ENAMETOOLONG  name or data is longer than it may be
 * EFAULT        one of them cannot be read
 * EPERM         the system's, and not the caller's to change
 * ENOENT        nothing to delete
 * E2BIG         the level is full; what the symbol was before it still is
 * ENOSPC        too many users of the caller's namespaces have symbols
 * ENOMEM
 */
struct bsdproc_varsym_set {
	__u32 level; /* BSDPROC_VARSYM_* */
	__u32 reserved;
	__u64 name; /* char * */
	__u64 data; /* char *, or 0: delete */
};

/*
 * The value of the first symbol of that name: the process's, then the user's, then the
 * system's, as far as they are in the mask. Stored only as a whole: with less room than its
 * length, "" is, if there is room for that.
 *
 * EINVAL        a bit of mask is none of BSDPROC_VARSYM_*_MASK
 * ENAMETOOLONG  name is longer than names are
 * EFAULT        name cannot be read, or data not written
 * ENOENT        no such symbol there
 * ENOMEM
 */
struct bsdproc_varsym_get {
	__u32 mask;
	__u32 room;   /* bytes at data */
	__u64 name;   /* char * */
	__u64 data;   /* char * */
	__u32 length; /* out: of the value, with its NUL */
	__u32 reserved;
};

/*
 * The symbols of a level in the order of setting, each a name, NUL, value, NUL, as many as
 * there is room for. Those that are set and deleted between two calls change the numbers.
 *
 * EINVAL     level is none of these
 * EFAULT     they cannot be stored at buf
 * EOVERFLOW  there is no room for one
 * ENOMEM
 */
struct bsdproc_varsym_list {
	__u32 level;  /* BSDPROC_VARSYM_* */
	__u32 room;   /* bytes at buf; 320 are enough for any one */
	__u64 buf;    /* char * */
	__s32 marker; /* the number of the first, from 0; out: of the next, or -1: that was all */
	__u32 length; /* out: bytes stored */
};

/* ---- streams: descriptors from which records of what processes do are read --- */
/*
 * Each is closed by exec, and known to poll and epoll as readable while there is something
 * to read. read() gives whole records, as many as there are and fit, and sleeps while there
 * is none: EINVAL (no room for one), EAGAIN (O_NONBLOCK), EINTR, EFAULT (nothing is taken).
 *
 * A stream holds as many records as were asked for when it was opened. What comes while it
 * is full is lost, and counted: `lost`, with which each record begins, says how many were
 * lost between it and the one before. When none has come since, a record that is zero but
 * for that tells it. So no record is missing without being counted. Where no more can come,
 * read() finds the end of the file after the last one, and poll tells POLLHUP.
 */
#define BSDPROC_STREAM_MAX 16384

/* ---- accounting: a record of each process's end ------------------------------ */
/*
 * Returns a stream of struct bsdproc_acct: one for each process that ends while it is open
 * and that the caller's pid namespace sees; with its numbers, and those of the caller's user
 * namespace. Written when the process's last thread is on its way out, before its parent
 * can wait for it. For who has CAP_SYS_ADMIN in the user namespace that owns that pid
 * namespace.
 *
 * Not seen are processes whose user namespace is not that one or one below it.
 *
 * EINVAL  records is 0 or more than BSDPROC_STREAM_MAX
 * EPERM
 * ENOSPC  the owner of the caller's outermost user namespace has BSDPROC_ACCT_MAX open, and
 *         no CAP_SYS_ADMIN in the initial one
 * EMFILE, ENFILE, ENOMEM
 */
#define BSDPROC_ACCT_MAX 16
struct bsdproc_acct_open {
	__u32 records; /* room for this many */
	__u32 reserved;
};

/* Linux's numbers, and BSD's. */
#define BSDPROC_AFORK 0x01 /* born by fork, and never called exec */
#define BSDPROC_ASU 0x02   /* has used a privilege */
#define BSDPROC_ACORE 0x08 /* dumped core */
#define BSDPROC_AXSIG 0x10 /* killed by a signal */

struct bsdproc_acct {
	__u64 lost;
	__s32 pid;  /* 0: of no process, what was lost is all there is to say */
	__s32 ppid; /* 0: out of sight */
	__u32 uid;  /* real */
	__u32 gid;
	__u32 tty;   /* its terminal, as st_rdev has it; 0: none */
	__s32 xstat; /* wait status */
	__u32 flags; /* BSDPROC_A* */
	__u32 reserved;
	__u64 start;              /* ns since 1970 */
	__u64 boot;               /* the same since the system was booted */
	__u64 elapsed;            /* ns from there to the end */
	struct bsdproc_rusage ru; /* own, but for the last of the way out */
	char comm[16];
};

/* ---- ktrace: what traced processes do; ENOTTY where it was not built in ------- */
/*
 * Returns a stream of struct bsdproc_ktr, which ends when no process is traced by it. All the
 * processes that are traced by it share its room. The last close ends their tracing.
 *
 * EINVAL  records is 0 or more than BSDPROC_STREAM_MAX
 * EMFILE, ENFILE, ENOMEM
 */
struct bsdproc_ktrace {
	__u32 records; /* room for this many */
	__u32 reserved;
};

/* Events; BSD's number for PSIG. */
#define BSDPROC_KTR_PSIG 5  /* it takes a signal; it is killed by one */
#define BSDPROC_KTR_FORK 16 /* it has made a process */
#define BSDPROC_KTR_EXEC 17
#define BSDPROC_KTR_EXIT \
	18 /* before its parent can wait for it; the last but for signals meanwhile */
#define BSDPROC_KTR_SIG 19  /* a signal was sent to it */
#define BSDPROC_KTR_WAIT 20 /* it begins to wait for children */
/*
 * A child that had ended is gone: it was waited for, or did not have to be. It is told by the
 * process's next event of its own but SIG and PSIG, at the latest, and before that, unless
 * it has hundreds of zombies.
 */
#define BSDPROC_KTR_REAP 21
/*
 * No more is told of it: exec gave it rights that the reader has not, or memory was so short
 * that it was lost sight of.
 */
#define BSDPROC_KTR_STOP 22

/* Which of them are told of a process, and BSD's number: its children are traced as well. */
#define BSDPROC_KTRFAC_SIG 0x00000020u /* SIG and PSIG */
#define BSDPROC_KTRFAC_FORK 0x00010000u
#define BSDPROC_KTRFAC_EXEC 0x00020000u
#define BSDPROC_KTRFAC_EXIT 0x00040000u
#define BSDPROC_KTRFAC_WAIT 0x00100000u /* WAIT and REAP */
#define BSDPROC_KTRFAC_INHERIT 0x40000000u
#define BSDPROC_KTRFAC_ALL                                                                      \
	(BSDPROC_KTRFAC_SIG | BSDPROC_KTRFAC_FORK | BSDPROC_KTRFAC_EXEC | BSDPROC_KTRFAC_EXIT | \
	 BSDPROC_KTRFAC_WAIT)

/*
 * Has a process traced: what is told of it from now on, 0: no more. For a process that the
 * caller may inspect as ptrace has it. A process has one trace at a time.
 *
 * EBADF  fd is not open
 * EINVAL facs has other bits; fd is not a descriptor of BSDPROC_KTRACE
 * ESRCH  no such process in the caller's pid namespace, or it is exiting; 0: it is not traced
 * EPERM  it is not the caller's to inspect
 * EBUSY  it has another trace
 * ENOMEM
 */
struct bsdproc_ktrset {
	__s32 fd;
	__s32 pid;  /* 0: the caller */
	__u32 facs; /* BSDPROC_KTRFAC_* */
	__u32 reserved;
};

#define BSDPROC_KTR_DEFAULT 0 /* PSIG: the signal's own action; SIG: it will come to it */
#define BSDPROC_KTR_IGNORED 1 /* SIG: it is not to get it */
#define BSDPROC_KTR_CAUGHT 2  /* PSIG: by its handler */
#define BSDPROC_KTR_PENDING 3 /* SIG: the same one is pending, or too many are */

/* By the numbers of the pid namespace of who opened the stream. */
struct bsdproc_ktr {
	__u64 lost;
	__u64 time; /* ns since 1970 */
	__u64 boot; /* ns since the system was booted */
	__u32 type; /* BSDPROC_KTR_*; 0: what was lost is all there is to say */
	__s32 pid;  /* whose event it is; 0: out of sight */
	__s32 tid;  /* its thread that did it, or that a signal is for; 0: none, the process */
	/*
	 * FORK, REAP: the child. WAIT: which it waits for, or the leader of a group; 0: any.
	 * SIG: who sent it, or the child that it tells of; 0: the kernel, or out of sight.
	 */
	__s32 other;
	__s32 xstat;  /* EXIT, REAP: the wait status */
	__s32 signo;  /* SIG, PSIG */
	__s32 code;   /* the same: si_code */
	__u32 action; /* the same: BSDPROC_KTR_* */
	char comm[16];
};

struct bsdproc_version {
	__u32 version; /* out: BSDPROC_ABI_VERSION */
	__u32 reserved;
};

/* The calling thread. ENOMEM: it is unknown, and could not be made known. */
struct bsdproc_gettid {
	__s32 lwpid; /* out: its DragonFly lwp id */
	__u32 reserved;
};

#define BSDPROC_IOC_MAGIC 0xBD
#define BSDPROC_VERSION _IOWR(BSDPROC_IOC_MAGIC, 0x00, struct bsdproc_version)
#define BSDPROC_EXTEXIT _IOWR(BSDPROC_IOC_MAGIC, 0x01, struct bsdproc_extexit)
#define BSDPROC_WAIT _IOWR(BSDPROC_IOC_MAGIC, 0x02, struct bsdproc_wait)
#define BSDPROC_GETTID _IOWR(BSDPROC_IOC_MAGIC, 0x03, struct bsdproc_gettid)
#define BSDPROC_REAPED _IO(BSDPROC_IOC_MAGIC, 0x04)
#define BSDPROC_JOIN _IOW(BSDPROC_IOC_MAGIC, 0x05, struct bsdproc_join)
#define BSDPROC_TRACEKILL _IOW(BSDPROC_IOC_MAGIC, 0x06, struct bsdproc_tracekill)
#define BSDPROC_LIST _IOWR(BSDPROC_IOC_MAGIC, 0x10, struct bsdproc_list)
#define BSDPROC_GETPROC _IOWR(BSDPROC_IOC_MAGIC, 0x11, struct bsdproc_getproc)
#define BSDPROC_GETPGRP _IOWR(BSDPROC_IOC_MAGIC, 0x12, struct bsdproc_getpgrp)
#define BSDPROC_GETSESSION _IOWR(BSDPROC_IOC_MAGIC, 0x13, struct bsdproc_getsession)
#define BSDPROC_GETUSER _IOWR(BSDPROC_IOC_MAGIC, 0x14, struct bsdproc_getuser)
#define BSDPROC_REAPER _IOWR(BSDPROC_IOC_MAGIC, 0x15, struct bsdproc_reaper)
#define BSDPROC_KNOTE _IOW(BSDPROC_IOC_MAGIC, 0x20, struct bsdproc_knote)
#define BSDPROC_HOLD _IOW(BSDPROC_IOC_MAGIC, 0x21, struct bsdproc_hold)
#define BSDPROC_ACCT _IOW(BSDPROC_IOC_MAGIC, 0x22, struct bsdproc_acct_open)
#define BSDPROC_KTRACE _IOW(BSDPROC_IOC_MAGIC, 0x23, struct bsdproc_ktrace)
#define BSDPROC_KTRSET _IOW(BSDPROC_IOC_MAGIC, 0x26, struct bsdproc_ktrset)
#define BSDPROC_STOPS _IOW(BSDPROC_IOC_MAGIC, 0x24, struct bsdproc_stops)
#define BSDPROC_CONT _IOW(BSDPROC_IOC_MAGIC, 0x25, struct bsdproc_cont)
#define BSDPROC_VARSYM_SET _IOW(BSDPROC_IOC_MAGIC, 0x30, struct bsdproc_varsym_set)
#define BSDPROC_VARSYM_GET _IOWR(BSDPROC_IOC_MAGIC, 0x31, struct bsdproc_varsym_get)
#define BSDPROC_VARSYM_LIST _IOWR(BSDPROC_IOC_MAGIC, 0x32, struct bsdproc_varsym_list)

#endif /* _UAPI_BSDPROC_IOCTL_H */
