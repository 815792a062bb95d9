#!/bin/sh
# SPDX-License-Identifier: MIT
# Build everything once more with clang's AddressSanitizer and UndefinedBehaviorSanitizer, and run unit
# tests, fuzz corpora and the end-to-end tests with it. With arguments, which go to pytest, run only the
# end-to-end tests that they choose.
. "${srcdir:-.}/tests/style/files.sh"
need clang clang

alone
configured_in sanitized CC=clang --enable-sanitizers
make -s -j2 all && make -s -j2 check TESTS= || fail "the build failed in $directory"

# A finding is a file in $findings, whichever process had it and whoever looked at its exit status.
findings=$directory/findings
rm -rf "$findings"
mkdir -m 1777 "$findings" || exit 1
common=halt_on_error=1:exitcode=99:log_path=$findings/finding
ASAN_OPTIONS=$common:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
UBSAN_OPTIONS=$common:print_stacktrace=1
LSAN_OPTIONS=exitcode=99
SLOWNESS=3
export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS SLOWNESS
if test $# -gt 0; then
	builddir=$directory sh "$srcdir/tests/e2e/run.sh" "$@" 9>&-
else
	make -s check 9>&-
fi
status=$?
for finding in "$findings"/*; do
	if test -s "$finding"; then
		cat "$finding"
		status=1
	fi
done
if test "$status" -ne 0; then
	test $# -gt 0 || cat test-suite.log
	fail "a test failed in $directory, or a sanitizer found something"
fi
