#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# build.sh DIRECTORY [VARIABLE]: make -j4 of Makefile.tree there; what was said, in no order of time,
# what was built, and make's status.
here=$(dirname "$0")
rm -rf "$1"
mkdir "$1"
make -C "$1" --no-print-directory -k -j4 -f "$(realpath "$here/Makefile.tree")" ${2:+"$2"} >"$1.said" 2>&1
status=$?
sort "$1.said"
for file in "$1"/*; do
	echo "${file##*/}: $(paste -s "$file")"
done
exit $status
