#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Children as Python has them; prints no pids."""
import asyncio
import concurrent.futures
import multiprocessing
import os
import signal
import subprocess
import sys


def say(*words):
    print(*words, flush=True)


def until_state(pid, letter):
    while True:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            if stat.read().rpartition(") ")[2][0] == letter:
                return


def subprocesses():
    for command in ("exit 0", "exit 5", "kill -TERM $$", "kill -KILL $$", "kill -SEGV $$"):
        say(command, subprocess.run(["sh", "-c", command], check=False).returncode)
    say(subprocess.run("cat", input=b"text", capture_output=True, check=True).stdout)
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        say(sleeper.poll())
        try:
            sleeper.wait(timeout=0.01)
        except subprocess.TimeoutExpired:
            say("time is over")
        sleeper.send_signal(signal.SIGSTOP)
        until_state(sleeper.pid, "T")
        say(sleeper.poll())
        sleeper.terminate()
        sleeper.send_signal(signal.SIGCONT)
        say(sleeper.wait(), sleeper.poll())
    try:
        subprocess.run(["sleep", "1000"], timeout=0.01, check=False)
    except subprocess.TimeoutExpired as error:
        say("killed", error.cmd)
    many = [subprocess.Popen(["sh", "-c", f"exit {i}"]) for i in range(30)]
    say([p.wait() for p in reversed(many)])


def child(code):
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    return pid


def waits():
    say(os.waitpid(child(3), 0)[1], os.wait4(child(4), 0)[1], os.wait()[1] if child(5) else 0)
    pid = child(6)
    info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    say(info.si_code == os.CLD_EXITED, info.si_status, info.si_pid == pid)
    _, status, usage = os.wait3(0)
    say(status, usage.ru_maxrss > 0)
    pid = os.posix_spawn("/bin/sleep", ["sleep", "1000"], os.environ)
    say(os.waitpid(pid, os.WNOHANG | os.WUNTRACED))
    os.kill(pid, signal.SIGSTOP)
    _, status = os.waitpid(pid, os.WUNTRACED)
    say(os.WIFSTOPPED(status), os.WSTOPSIG(status))
    os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, os.WCONTINUED)
    say(os.WIFCONTINUED(status), hex(status))
    os.kill(pid, signal.SIGHUP)
    _, status = os.waitpid(pid, 0)
    say(os.waitstatus_to_exitcode(status), os.WIFSIGNALED(status), os.WCOREDUMP(status))
    fd = os.pidfd_open(pid := child(7))
    say(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status)
    for wait in (os.wait, lambda: os.waitpid(pid, 0), lambda: os.waitpid(-1, os.WNOHANG)):
        try:
            wait()
        except ChildProcessError as error:
            say(error)
    say(os.system("exit 9"))


def reaper():
    ends = {}

    def reap(*_):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            ends[pid] = status >> 8

    # A byte for each signal, as it may come between a look and a sleep.
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, reap)
    pids = [child(i) for i in range(20)]
    while len(ends) < len(pids):
        os.read(woken, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    say([ends[pid] for pid in pids])


def square(x):
    return x * x


def quit_with(code):
    sys.exit(code)


def processes():
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(3) as pool:
            say(method, pool.map(square, range(8)))
        workers = [context.Process(target=quit_with, args=(i,)) for i in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        say([worker.exitcode for worker in workers])
        worker = context.Process(target=signal.pause)
        worker.start()
        worker.join(0.01)
        say(worker.exitcode, worker.is_alive())
        worker.kill()
        worker.join()
        say(worker.exitcode)
    with concurrent.futures.ProcessPoolExecutor(3) as pool:
        say(list(pool.map(square, range(8))))


async def run(command):
    process = await asyncio.create_subprocess_shell(command, stdout=subprocess.PIPE)
    text, _ = await process.communicate()
    return text, process.returncode


async def loops():
    say(await asyncio.gather(*(run(f"echo {i}; exit {i}") for i in range(12))))
    process = await asyncio.create_subprocess_exec("sleep", "1000")
    process.send_signal(signal.SIGTERM)
    say(await process.wait())


def watchers():
    for watcher in (asyncio.ThreadedChildWatcher, asyncio.PidfdChildWatcher,
                    asyncio.SafeChildWatcher, asyncio.FastChildWatcher):
        say(watcher.__name__)
        asyncio.set_child_watcher(watcher())
        asyncio.run(loops())


if __name__ == "__main__":
    for part in (subprocesses, waits, reaper, processes, watchers):
        say("==", part.__name__)
        part()
