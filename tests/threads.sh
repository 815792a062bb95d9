#!/bin/sh
# SPDX-License-Identifier: MIT
# Build everything once more with clang's ThreadSanitizer, and run what has several threads with it: the unit
# tests that are named, and the end-to-end tests of handshakes that are lent to helpers.
. "${srcdir:-.}/tests/style/files.sh"
need clang clang

alone
configured_in threads CC=clang --enable-sanitizers=thread
make -s -j2 sallyport bench/load "$@" || fail "the build failed in $directory"

findings=$directory/findings
rm -rf "$findings"
mkdir -m 1777 "$findings" || exit 1
TSAN_OPTIONS=halt_on_error=1:exitcode=99:log_path=$findings/finding
SLOWNESS=6
export TSAN_OPTIONS SLOWNESS
status=0
all_good "$@" || status=1
(builddir=$directory exec sh "$srcdir/tests/e2e/run.sh" -k "slow_keys" -m "not long" 9>&-) || status=1
for finding in "$findings"/*; do
	if test -s "$finding"; then
		cat "$finding"
		status=1
	fi
done
test "$status" -eq 0 || fail "a test failed in $directory, or the sanitizer found something"
