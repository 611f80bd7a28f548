#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Job control, by any shell, on a terminal: `script -qec 'dash jobs.sh' /dev/null`. Prints no
# pids; what is to have happened is looked up in /proc.
set -m

until_state() { # until_state PID LETTER
	until grep -q "^State:.$2" "/proc/$1/status"; do :; done
}

# Reaped or not: the shell may have been quicker.
until_ended() {
	while grep -qs '^State:.[^XZ]' "/proc/$1/status"; do :; done
}

say() {
	echo "== $*"
}

say 'codes and signals'
sh -c 'exit 7'
echo $?
# shellcheck disable=SC2016 # for the inner shell
sh -c 'kill -TERM $$'
echo $?
sh -c 'exit 3' &
wait $!
echo $?
sleep 1000 &
kill -s KILL $!
wait $!
echo $?
wait 4000000
echo $?

say 'pipelines and substitutions'
sh -c 'exit 4' | sh -c 'cat; exit 5'
echo $?
text=$(echo said; exit 6)
echo "$? $text"
(exit 8) || echo $?

say 'a job that stops itself'
# shellcheck disable=SC2016
sh -c 'kill -STOP $$; exit 9' &
until_state $! T
jobs
fg %1
echo $?

say 'a job that is stopped'
sleep 1000 &
pid=$!
jobs
kill -s STOP $pid
until_state $pid T
jobs
bg %1
until_state $pid S
jobs
kill -s TSTP %1
until_state $pid T
jobs
kill -s CONT %1
until_state $pid S
jobs
kill -s TERM %1
until_ended $pid
wait $pid
echo $?
jobs

say 'a job that stops in the foreground'
# shellcheck disable=SC2016
sh -c 'kill -TSTP $$; exit 10'
echo $?
jobs
fg
echo $?

say 'several'
sleep 1000 &
one=$!
sleep 1001 &
two=$!
sleep 1002 &
three=$!
jobs
kill -s USR1 $two
until_ended $two
wait $two
echo $?
kill -s USR2 $one
until_ended $one
wait $one
echo $?
kill -s HUP $three
until_ended $three
wait
jobs

say 'a child that reads from the terminal in the background'
cat </dev/tty &
pid=$!
until_state $pid T
jobs
kill -s KILL $pid
until_ended $pid
wait $pid
echo $?
say end
