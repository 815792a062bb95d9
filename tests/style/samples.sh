#!/bin/sh
# SPDX-License-Identifier: MIT
# Every file in conf.d/ is a configuration that loads: alone, and together with all others. The
# certificates that they name are made for it, below a directory of their own.
. "${srcdir:-.}/tests/style/files.sh"

program=$builddir/sallyport
test -x "$program" || fail "$program is missing: run make"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/conf.d" || exit 1

for file in "$srcdir"/conf.d/*.conf; do
	sed "s:/etc/sallyport/:$work/:g" "$file" >"$work/conf.d/${file##*/}"
done

"$program" pki init "$work/pki" >/dev/null || fail "pki init failed"
sed -n "s:^[a-z-]*cert *= *$work/\(.*\)\.crt$:\1:p" "$work"/conf.d/*.conf | sort -u |
	while read -r identity; do
		"$program" pki issue "$work/pki" "$identity" >/dev/null &&
			cp "$work/pki/$identity.crt" "$work/pki/$identity.key" "$work/" || exit 1
	done || fail "pki issue failed"
cp "$work/pki/ca.crt" "$work/" || exit 1
sed -n "s:^[a-z-]*psk *= *::p" "$work"/conf.d/*.conf | sort -u | while read -r file; do
	(umask 077 && echo meter-17:00112233445566778899aabbccddeeff >"$file") || exit 1
done || fail "the pre-shared keys cannot be written"

# A token with the key of hsm.conf. Where there is no SoftHSM that file is left out.
make_token() {
	mkdir "$work/tokens"
	echo "directories.tokendir = $work/tokens" >"$work/softhsm2.conf"
	export SOFTHSM2_CONF="$work/softhsm2.conf"
	(umask 077 && echo 1234 >"$work/token.pin") &&
		softhsm2-util --init-token --free --label sallyport --pin 1234 --so-pin 1234 &&
		softhsm2-util --import "$work/vault.key" --token sallyport --label vault --id 01 \
			--pin 1234
}
if command -v softhsm2-util >/dev/null; then
	make_token >"$work/words" 2>&1 || fail "no token: $(cat "$work/words")"
else
	echo "$name: conf.d/hsm.conf is not tried without softhsm2-util"
	rm "$work/conf.d/hsm.conf"
fi

bad=0
# Load the configuration $1, and complain about $2.
load() {
	words=$("$program" check -c "$1" 2>&1) || {
		printf '%s\n' "$words" | sed "s:$work/::g"
		echo "$name: $2 does not load"
		bad=1
	}
}

for file in "$work"/conf.d/*.conf; do
	echo "include = $file" >"$work/one.conf"
	load "$work/one.conf" "conf.d/${file##*/}"
done
echo "include = conf.d/*.conf" >"$work/all.conf"
load "$work/all.conf" "conf.d/*.conf together"
exit "$bad"
