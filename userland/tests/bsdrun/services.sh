#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# services.sh DIRECTORY: s6 supervises three services there, which end by codes and by signals
# and are started again, until they stay up; then they are taken down. Prints how each run of
# them ended, as s6 told their `finish`.
set -eu
dir=$1
rm -rf "$dir"

# service NAME: `run` is on standard input; it finds the number of its run in $n.
service() {
	mkdir -p "$dir/$1"
	echo 3 >"$dir/$1/notification-fd"
	{
		cat <<-'END'
			#!/bin/sh
			echo >>runs
			n=$(wc -l <runs)
		END
		cat
		cat <<-'END'
			echo >&3
			exec sleep 1000000
		END
	} >"$dir/$1/run"
	cat >"$dir/$1/finish" <<-'END'
		#!/bin/sh
		echo "code $1 signal $2" >>ends
	END
	chmod +x "$dir/$1/run" "$dir/$1/finish"
}

service codes <<'END'
[ "$n" -gt 2 ] || exit "$n"
END
service signals <<'END'
[ "$n" -ne 1 ] || kill -KILL $$
[ "$n" -ne 2 ] || kill -ABRT $$
END
service steady </dev/null

s6-svscan "$dir" &
scanner=$!
for name in codes signals steady; do
	until s6-svok "$dir/$name"; do :; done
	s6-svwait -U "$dir/$name"
	echo "$name is up"
done
# Stopped and gone on it is up; killed, it comes again.
s6-svc -p "$dir/steady"
s6-svc -c "$dir/steady"
s6-svc -wR -k "$dir/steady"
for name in codes signals steady; do
	s6-svc -wD -d "$dir/$name"
	echo "$name is down"
	cat "$dir/$name/ends"
done
s6-svscanctl -t "$dir"
code=0
wait $scanner || code=$?
echo "s6-svscan: $code"
