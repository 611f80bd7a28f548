#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What bash has besides: wait -n, -p, -f, PIPESTATUS, traps of CHLD, coprocesses.
set -m

until_state() { # until_state PID LETTER
	until grep -q "^State:.$2" "/proc/$1/status"; do :; done
}

until_ended() {
	while grep -qs '^State:.[^XZ]' "/proc/$1/status"; do :; done
}

say() {
	echo "== $*"
}

say 'wait -n'
sleep 1000 &
long=$!
bash -c 'exit 3' &
wait -n -p which
echo "$? $([ "$which" = $! ] && echo 'the second')"
kill $long
wait $long
echo $?
wait -n
echo $?

say 'wait -f'
# shellcheck disable=SC2016 # for the inner shell
bash -c 'kill -STOP $$; exit 4' &
until_state $! T
jobs -s
kill -CONT $!
until_ended $!
wait -f $!
echo $?

say PIPESTATUS
# shellcheck disable=SC2016
bash -c 'exit 1' | bash -c 'exit 2' | bash -c 'kill -TERM $$'
echo "${PIPESTATUS[@]}"

say 'a trap for each'
n=0
trap 'n=$((n + 1))' CHLD
for i in 1 2 3 4 5; do
	/bin/true
done
bash -c 'exit 6' &
wait $!
echo "$? $n"
trap - CHLD

say 'coprocess'
coproc cat
pid=$COPROC_PID
echo hello >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
echo "$line"
eval "exec ${COPROC[1]}>&-"
wait "$pid"
echo $?

say 'many'
for i in $(seq 40); do
	bash -c "exit $i" &
	pids[i]=$!
done
for i in $(seq 40); do
	wait "${pids[i]}"
	echo -n "$? "
done
echo

say 'process substitution'
cat <(echo one) <(echo two)
wait $!
echo $?

say 'descriptors'
{ true >&3; } 2>/dev/null && echo '3 is open'
exec 3>&1
echo three >&3
exec 3>&-
say end
