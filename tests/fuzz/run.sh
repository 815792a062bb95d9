#!/bin/sh
# SPDX-License-Identifier: MIT
# Fuzz every target that is named, each for $FUZZ_SECONDS (60), beginning with its corpus. What is found
# stays in fuzzing/ of the build, and belongs into the corpus once it is understood.
. "${srcdir:-.}/tests/style/files.sh"
need clang clang

configured_in fuzzing CC=clang --enable-fuzzing --enable-sanitizers
make -s -j2 "$@" || fail "the build failed in $directory"

bad=0
for target in "$@"; do
	what=${target##*/fuzz_}
	mkdir -p "corpus/$what"
	echo "fuzz: $what"
	"./$target" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$what-" \
		"corpus/$what" "$srcdir/tests/fuzz/corpus/$what" >"fuzz-$what.log" 2>&1 || bad=1
	tail -n 6 "fuzz-$what.log"
done
test "$bad" -eq 0 || fail "a fuzzer found something; its input is in $directory"
