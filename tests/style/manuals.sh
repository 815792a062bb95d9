#!/bin/sh
# SPDX-License-Identifier: MIT
# mandoc has nothing to say against the manual pages.
. "${srcdir:-.}/tests/style/files.sh"
need mandoc mandoc

cd "$srcdir/man" || exit 1
words=$(mandoc -Tlint ./*.[1-8] 2>&1)
status=$?
if test "$status" -ne 0 || test -n "$words"; then
	printf '%s\n' "$words"
	fail "mandoc -Tlint has objections"
fi
