// SPDX-License-Identifier: GPL-2.0-only
#include "trial.hh"

#include <algorithm>

namespace sim
{

namespace
{

constexpr size_t step_size = 4, most_steps = 256;
constexpr unsigned most_tasks = 16;

const trial *running;

bool runs(const task_struct *task)
{
	return task->stage == stage::running;
}

bool execs(const process *process)
{
	return process->exec_task || process->in_exec;
}

} // namespace

const trial::kind trial::kinds[] = {
	{"birth", &trial::birth},
	{"birth told", &trial::end_of_birth},
	{"exit begins", &trial::begin_exit},
	{"exit goes on", &trial::next_of_exit},
	{"exit", &trial::whole_exit},
	{"group exit begins", &trial::begin_group_exit},
	{"process exit", &trial::process_exit},
	{"exec begins", &trial::begin_exec},
	{"exec goes on", &trial::next_of_exec},
	{"exec", &trial::whole_exec},
	{"extexit", &trial::extexit},
	{"wait", &trial::wait},
	{"wait's end", &trial::end_wait},
	{"lwp_gettid", &trial::ask_lwp_tid},
	{"native wait", &trial::native_reap},
	{"native wait's end", &trial::end_reap},
	{"ptrace attach", &trial::attach},
	{"ptrace detach", &trial::stop_trace},
	{"setpgid", &trial::set_group},
	{"setsid", &trial::set_session},
	{"subreaper", &trial::set_subreaper},
	{"signal", &trial::signal},
	{"module", &trial::load_or_unload},
	{"heal", &trial::heal},
	{"free", &trial::free_one},
	{"free all", &trial::free_all},
	{"numbers", &trial::renumber},
	{"look", &trial::look_now},
	// Again, as little happens without.
	{"birth", &trial::birth},
	{"exit goes on", &trial::next_of_exit},
	{"wait", &trial::wait},
	{"extexit", &trial::extexit},
};

trial::trial(const script &bytes) : bytes_{bytes}, lazy_{!bytes.empty() && (bytes[0] & 1)}
{
	twins_[linux_.init()] = model_.init();
}

std::ostream &trial::say()
{
	return log_ << "\n  ";
}

void trial::wrong(const std::string &what)
{
	if (wrong_.empty())
		wrong_ = what;
}

std::vector<task_struct *> trial::tasks(const want &wanted)
{
	std::vector<task_struct *> found;
	for (const task_struct *leader : linux_.leaders())
		for (task_struct *task : leader->signal->threads)
			if (!task->kthread && wanted(task))
				found.push_back(task);
	return found;
}

task_struct *trial::pick(const want &wanted, unsigned which)
{
	const std::vector<task_struct *> found =
		tasks([&](auto *t) { return !is_busy(t) && wanted(t); });
	return found.empty() ? nullptr : found[which % found.size()];
}

// In the middle of making another task.
bool trial::is_busy(const task_struct *task) const
{
	for (const task_struct *leader : linux_.leaders())
		for (const task_struct *other : leader->signal->threads)
			if (other->maker == task)
				return true;
	return false;
}

bool trial::may_call(const task_struct *task) const
{
	return world_.ready && runs(task) && !execs(task->signal);
}

bool trial::may_make(const task_struct *task) const
{
	return runs(task) && !task->signal->group_exit && !execs(task->signal) &&
	       !doomed_.count(task);
}

bool trial::may_exit(const task_struct *task) const
{
	return runs(task) && task->signal != linux_.init()->signal &&
	       task->signal->exec_task != task;
}

bool trial::may_exec(const task_struct *task) const
{
	const auto is_quiet = [&](const task_struct *t) {
		return t->stage != stage::linked && !is_busy(t);
	};
	const auto &threads = task->signal->threads;
	return may_exit(task) && !execs(task->signal) && !task->signal->group_exit &&
	       std::all_of(threads.begin(), threads.end(), is_quiet);
}

bool trial::one_step(size_t at)
{
	const kind &k = kinds[bytes_[at] % std::size(kinds)];
	who_ = bytes_[at + 1];
	how_ = bytes_[at + 2];
	more_ = bytes_[at + 3];
	log_ << '\n' << k.name << ':';
	if (k.step == &trial::birth && tasks([](auto *) { return true; }).size() >= most_tasks)
		return true;
	(this->*k.step)();
	if (!lazy_ && world_.ready)
		look();
	compare_stores();
	return wrong_.empty();
}

// What was begun comes to its end, and everybody waits for all that has ended.
void trial::finish()
{
	log_ << "\nthe end:";
	for (task_struct *task : tasks([](auto *t) { return t->stage == stage::linked; }))
		tell_birth(task, 0);
	if (loading_)
		load_end();
	for (task_struct *task : tasks([](auto *t) { return t->tracer; }))
		detach(task);
	for (task_struct *task : tasks([](auto *t) { return t->signal->exec_task == t; })) {
		for (task_struct *thread : std::vector(task->signal->threads))
			if (thread != task)
				exit_rest(thread);
		de_thread(task);
	}
	for (task_struct *task : tasks([](auto *t) { return runs(t) && t->signal->in_exec; }))
		exec_event(task);
	for (task_struct *task : tasks([&](auto *t) {
		     return doomed_.count(t) || t->signal->group_exit || t->stage > stage::running;
	     }))
		exit_rest(task);
	for (task_struct *task : tasks([](auto *t) { return t->exit_state == exit_state::dead; }))
		linux_.reap_end(task);
	if (!world_.ready)
		return;
	free_all();
	look();
	for (task_struct *task : tasks(runs))
		drain(task);
	look();
	compare_stores();
}

void trial::drain(task_struct *task)
{
	for (const bool clone : {false, true})
		while (wrong_.empty()) {
			const ref::answer right = model_.wait(twin(task), {.clone = clone});
			const waited got = sim::wait_nohang(task, {.linuxclone = clone});
			const auto child = check_wait(got, right, twin(task));
			if (!child || !*child)
				break;
			reap(task, linux_.find_pid(got.pid)->leader, true);
		}
	end_wait();
	model_.wait_end(twin(task));
	sim::wait_end(task);
}

std::string trial::run()
{
	world_.load();
	model_.load();
	bool well = true;
	if (!lazy_)
		log_ << "\n(someone looks after each step)";
	for (size_t at = 1; well && at + step_size <= bytes_.size() && at < step_size * most_steps;
	     at += step_size)
		well = one_step(at);
	if (well)
		finish();
	if (!wrong_.empty())
		return wrong_ + "\nafter" + steps() + '\n';
	const bool loaded = world_.loaded;
	world_.end_everything();
	if (loaded && (pool_live(HOST_POOL_PROC) != 1 || pool_live(HOST_POOL_LWP)))
		return "objects are left over after" + steps() + '\n';
	return "";
}

std::string steps_so_far()
{
	return running ? running->steps() : "";
}

std::string try_out(const script &bytes)
{
	trial t(bytes);
	running = &t;
	const std::string wrong = t.run();
	running = nullptr;
	return wrong;
}

script shrink(script bytes)
{
	for (size_t at = bytes.size(); at >= 1 + step_size;) {
		at -= step_size;
		script shorter = bytes;
		shorter.erase(shorter.begin() + at,
			      shorter.begin() + std::min(at + step_size, shorter.size()));
		if (!try_out(shorter).empty()) {
			bytes = shorter;
			at = std::min(at + step_size, bytes.size());
		}
	}
	return bytes;
}

} // namespace sim
