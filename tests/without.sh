#!/bin/sh
# SPDX-License-Identifier: MIT
# Build everything once more without libcrypto, and run what has to do with keys: the unit tests that are
# named, and the end-to-end tests.
. "${srcdir:-.}/tests/style/files.sh"
test ! -f "$srcdir/configured.h" || skip "the tree itself is configured; build outside it"

alone
unset MAKEFLAGS MFLAGS MAKELEVEL
directory=$builddir/without
mkdir -p "$directory" && cd "$directory" || exit 1
if ! test -f Makefile; then
	"$srcdir/configure" --quiet --without-libcrypto --enable-werror ||
		fail "configure failed in $directory"
fi
make -s -j2 all && make -s -j2 "$@" || fail "the build failed in $directory"
./sallyport version | grep -q '^  libcrypto  none ' || fail "the build has libcrypto"

status=0
for test in "$@"; do
	echo "without: $test"
	"./$test" >without.log 2>&1 || {
		cat without.log
		status=1
	}
done
(builddir=$directory exec sh "$srcdir/tests/e2e/run.sh" -k "keys" -m "not long" 9>&-) || status=1
test "$status" -eq 0 || fail "a test failed in $directory"
