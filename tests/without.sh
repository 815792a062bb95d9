#!/bin/sh
# SPDX-License-Identifier: MIT
# Build everything once more without libcrypto and libIPSec_MB, and run what has to do with keys and records: the
# unit tests that are named, and the end-to-end tests.
. "${srcdir:-.}/tests/style/files.sh"

alone
configured_in without --without-libcrypto --without-ipsec-mb
make -s -j2 all && make -s -j2 "$@" || fail "the build failed in $directory"
./sallyport version | grep -q '^  libcrypto  none ' || fail "the build has libcrypto"
./sallyport version | grep -q '^  ipsec-mb   none ' || fail "the build has libIPSec_MB"

status=0
all_good "$@" || status=1
(builddir=$directory exec sh "$srcdir/tests/e2e/run.sh" -k "keys or records or ciphers" -m "not long" 9>&-) || status=1
test "$status" -eq 0 || fail "a test failed in $directory"
