#!/bin/sh
# SPDX-License-Identifier: MIT
# Build everything once more without the libraries that can be left out, and run what has to do with them.
. "${srcdir:-.}/tests/style/files.sh"

alone
configured_in without --without-libcrypto --without-ipsec-mb
set -- tests/unit/test_aead tests/unit/test_ciphers tests/unit/test_commands tests/unit/test_keys \
	tests/unit/test_keyset tests/unit/test_protection tests/unit/test_signature tests/unit/test_signer
make -s -j2 all && make -s -j2 "$@" || fail "the build failed in $directory"
./sallyport version | grep -q '^  libcrypto  none ' || fail "the build has libcrypto"
./sallyport version | grep -q '^  ipsec-mb   none ' || fail "the build has libIPSec_MB"

status=0
all_good "$@" || status=1
(builddir=$directory exec sh "$srcdir/tests/e2e/run.sh" -k "keys or records or ciphers" -m "not long" 9>&-) || status=1
test "$status" -eq 0 || fail "a test failed in $directory"
