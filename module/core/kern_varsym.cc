// SPDX-License-Identifier: GPL-2.0-only
// Variant symbols: names and values that a process, its user and the system keep, in sets.
//
// A set never changes. Whoever changes a symbol makes a new set of the old one, with no lock
// held, and puts it in its place if that is still the old one's; else somebody was quicker,
// and it is made anew. So a fork shares its maker's set and allocates nothing, and who reads
// needs a reference and no lock. Locks guard the places alone: p_token a process's,
// varsym_lock the users' and the system's.
#include "errno.hh"
#include "proc.hh"

namespace bsd
{

// What each symbol counts besides its letters: DragonFly's two structures, and 8.
static constexpr unsigned overhead = 56;
// So many users' sets are one user's doing at most, besides its own: by its namespaces it
// may be many users.
static constexpr unsigned most_users = 256;

struct varsymset : tree_node<varsymset> {
	atomic<int> vx_refs;
	unsigned vx_uid, vx_payer; // of a user's set: whose it is, and whose doing. varsym_lock
	unsigned vx_setsize;       // as MAXVARSYM_SET counts
	unsigned vx_size;          // bytes of what follows: name, NUL, value, NUL ...

	char *text() { return reinterpret_cast<char *>(this + 1); }
};

// Of valid uids none is INT_MIN, so that after() finds them all from there.
static int user_key(unsigned uid)
{
	return static_cast<int>(uid ^ 0x7fffffffu);
}

static int user_key(const varsymset &vs)
{
	return user_key(vs.vx_uid);
}

static constexpr int before_all = -0x7fffffff - 1;

static constinit spinlock varsym_lock{};
static constinit tree<varsymset, user_key> varsymset_users GUARDED_BY(varsym_lock){};
static constinit varsymset *varsymset_sys GUARDED_BY(varsym_lock){};
// Whether there is anything to find there. Set under varsym_lock.
static constinit atomic<unsigned> sets{};

// One symbol of a set's text.
struct varsym {
	const char *name, *data;
	unsigned namelen, datalen; // without the NUL

	unsigned size() const { return namelen + datalen + 2; }
	unsigned setsize() const { return overhead + namelen + datalen; }
	bool is(const varsym &other) const
	{
		return namelen == other.namelen && !__builtin_memcmp(name, other.name, namelen);
	}
};

static varsym symbol(const char *name, const char *data)
{
	return {name, data, static_cast<unsigned>(__builtin_strlen(name)),
		static_cast<unsigned>(__builtin_strlen(data))};
}

// Calls visit(symbol) for each, in the order of setting, until it returns true.
template <class F> static void varsyms(varsymset *vs, F visit)
{
	if (!vs)
		return;
	const char *end = vs->text() + vs->vx_size;
	for (const char *at = vs->text(); at < end;) {
		const varsym sym = symbol(at, at + __builtin_strlen(at) + 1);
		if (visit(sym))
			return;
		at += sym.size();
	}
}

// Null data: it is not there.
static varsym varsymlookup(varsymset *vs, const char *name)
{
	const varsym wanted = symbol(name, "");
	varsym found{};
	varsyms(vs, [&](const varsym &sym) {
		if (sym.is(wanted))
			found = sym;
		return found.data != nullptr;
	});
	return found;
}

static varsymset *hold(varsymset *vs)
{
	if (vs)
		vs->vx_refs.add(1);
	return vs;
}

static void drop(varsymset *vs)
{
	if (vs && vs->vx_refs.add(-1) == 0)
		host_mfree(vs);
}

// ---- places of sets ---------------------------------------------------------

// Where the current thread finds the sets of a level.
struct place {
	core_varsym_level level;
	proc *p;      // PROC
	unsigned uid; // USER
};

static int find_place(core_varsym_level level, place *at)
{
	*at = {level, nullptr, 0};
	if (level == CORE_VARSYM_PROC) {
		const lwp *lp = lwp_of_current();
		if (!lp)
			return err::nomem;
		at->p = lp->lwp_proc;
	} else if (level == CORE_VARSYM_USER) {
		at->uid = host_euid();
	}
	return 0;
}

// The set that is there, with a reference; null: an empty one.
static varsymset *varsymset_get(const place &at)
{
	if (at.level == CORE_VARSYM_PROC) {
		if (!at.p->p_varsymset.load())
			return nullptr;
		guard g(at.p->p_token);
		return hold(at.p->p_varsymset.load());
	}
	if (!sets.load())
		return nullptr;
	guard g(varsym_lock);
	return hold(at.level == CORE_VARSYM_SYS ? varsymset_sys
						: varsymset_users.find(user_key(at.uid)));
}

static unsigned paid_by(unsigned payer) REQUIRES(varsym_lock)
{
	unsigned n = 0;
	for (const varsymset *vs = varsymset_users.after(before_all); vs;
	     vs = varsymset_users.after(user_key(*vs)))
		n += vs->vx_payer == payer;
	return n;
}

static int replace_users(unsigned uid, unsigned payer, varsymset *old, varsymset *to)
	REQUIRES(varsym_lock)
{
	if (varsymset_users.find(user_key(uid)) != old)
		return err::again;
	if (!old && payer != uid && paid_by(payer) >= most_users)
		return err::nospc;
	if (to) {
		to->vx_uid = uid;
		to->vx_payer = old ? old->vx_payer : payer;
	}
	if (old)
		varsymset_users.erase(old);
	if (to)
		varsymset_users.insert(to);
	return 0;
}

// Puts `to` where `old` is, with its reference; either may be null. -EAGAIN: that is not
// there any more. -ENOSPC.
static int varsymset_replace(const place &at, varsymset *old, varsymset *to)
{
	if (at.level == CORE_VARSYM_PROC) {
		guard g(at.p->p_token);
		if (at.p->p_varsymset.load() != old)
			return err::again;
		at.p->p_varsymset.store(to);
	} else {
		const unsigned payer = host_payer();
		guard g(varsym_lock);
		if (at.level == CORE_VARSYM_USER) {
			const int error = replace_users(at.uid, payer, old, to);
			if (error)
				return error;
		} else if (varsymset_sys != old) {
			return err::again;
		} else {
			varsymset_sys = to;
		}
		sets.add(!!to - !!old);
	}
	drop(old);
	return 0;
}

// ---- making sets ------------------------------------------------------------

static void append(varsymset *vs, const varsym &sym)
{
	char *at = vs->text() + vs->vx_size;
	__builtin_memcpy(at, sym.name, sym.namelen + 1);
	__builtin_memcpy(at + sym.namelen + 1, sym.data, sym.datalen + 1);
	vs->vx_size += sym.size();
	vs->vx_setsize += sym.setsize();
}

// What `old` becomes: without the symbol of that name, and with it at the end if data is not
// null. Null: empty. The limit is DragonFly's, which looks at the size that is there before
// the symbol; but it does not take the old value away when the new one does not fit.
static int varsymmake(varsymset *old, const char *name, const char *data, varsymset **made)
{
	const varsym gone = varsymlookup(old, name);
	const unsigned has = gone.data != nullptr;
	const unsigned size = (old ? old->vx_size : 0) - (has ? gone.size() : 0);
	const unsigned setsize = (old ? old->vx_setsize : 0) - (has ? gone.setsize() : 0);

	*made = nullptr;
	if (!data && !has)
		return err::noent;
	if (data && setsize >= CORE_VARSYM_SET)
		return err::toobig;
	if (!data && !size)
		return 0;
	const varsym sym = symbol(name, data ? data : "");
	auto *vs = static_cast<varsymset *>(
		host_malloc(sizeof(varsymset) + size + (data ? sym.size() : 0)));
	if (!vs)
		return err::nomem;
	vs->vx_refs.store(1);
	varsyms(old, [&](const varsym &other) {
		if (!other.is(sym))
			append(vs, other);
		return false;
	});
	if (data)
		append(vs, sym);
	*made = vs;
	return 0;
}

// ---- for the rest of the model ----------------------------------------------

void varsymset_inherit(proc *child, proc *maker)
{
	if (!maker->p_varsymset.load())
		return;
	guard g(maker->p_token);
	child->p_varsymset.store(hold(maker->p_varsymset.load()));
}

RARE static void clean(proc *p)
{
	varsymset *vs;
	{
		guard g(p->p_token);
		vs = p->p_varsymset.exchange(nullptr);
	}
	drop(vs);
}

void varsymset_clean(proc *p)
{
	if (p->p_varsymset.load())
		clean(p);
}

void varsym_init()
{
	varsym_lock.init(HOST_LOCK_VARSYM);
}

void varsym_fini() NO_THREAD_SAFETY_ANALYSIS
{
	while (varsymset *vs = varsymset_users.after(before_all)) {
		varsymset_users.erase(vs);
		drop(vs);
	}
	drop(varsymset_sys);
}

} // namespace bsd

using namespace bsd;

int core_varsym_set(core_varsym_level level, const char *name, const char *data)
{
	if (level == CORE_VARSYM_SYS && !host_is_admin())
		return err::perm;
	place at;
	int error = find_place(level, &at);
	while (!error) {
		varsymset *old = varsymset_get(at), *made;
		error = varsymmake(old, name, data, &made);
		if (!error)
			error = varsymset_replace(at, old, made);
		if (error)
			drop(made);
		drop(old);
		if (!error)
			return 0;
		// Another thread was quicker.
		if (error == err::again)
			error = 0;
	}
	return error;
}

int core_varsym_get(unsigned mask, const char *name, char *data)
{
	for (unsigned level = CORE_VARSYM_PROC; level <= CORE_VARSYM_SYS; level++) {
		if (!(mask & 1u << level))
			continue;
		place at;
		const int error = find_place(static_cast<core_varsym_level>(level), &at);
		if (error)
			return error;
		varsymset *vs = varsymset_get(at);
		const varsym found = varsymlookup(vs, name);
		const int length = found.data ? static_cast<int>(found.datalen) + 1 : 0;
		if (length)
			__builtin_memcpy(data, found.data, length);
		drop(vs);
		if (length)
			return length;
	}
	return err::noent;
}

int core_varsym_list(core_varsym_level level, int *marker, char *buf, unsigned room)
{
	place at;
	int error = find_place(level, &at);
	if (error)
		return error;
	varsymset *vs = varsymset_get(at);
	unsigned bytes = 0;
	int i = 0;
	bool all = true;
	varsyms(vs, [&](const varsym &sym) {
		if (i < *marker) {
			i++;
			return false;
		}
		if (sym.size() > room - bytes) {
			all = false;
			return true;
		}
		__builtin_memcpy(buf + bytes, sym.name, sym.size());
		bytes += sym.size();
		i++;
		return false;
	});
	drop(vs);
	if (!all && !bytes)
		return err::overflow;
	*marker = all ? -1 : i;
	return static_cast<int>(bytes);
}
