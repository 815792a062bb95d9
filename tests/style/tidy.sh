#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy has nothing to say against any C file; the checks are in .clang-tidy.
. "${srcdir:-.}/tests/style/files.sh"
need clang-tidy clang-tidy

test -f "$builddir/configured.h" || fail "$builddir/configured.h is missing: run configure"
limit=900 # seconds; the whole takes a fraction of it

alone
files=$(c_files | grep '\.c$')
cd "$srcdir" || exit 1
# Every file on its own, two at a time, so that the words about a file stay together.
echo "$files" | timeout "$limit" xargs -n 1 -P 2 sh -c '
	words=$(clang-tidy --quiet "$1" -- -std=c11 -D_GNU_SOURCE -I. -I"$0" 2>&1) || {
		printf "%s\n" "$words" | grep -v "warnings\{0,1\} generated"
		exit 1
	}' "$builddir"
status=$?
test "$status" -ne 124 || fail "clang-tidy took more than $limit s"
test "$status" -eq 0 || fail "clang-tidy has objections"
