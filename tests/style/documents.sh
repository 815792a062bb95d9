#!/bin/sh
# SPDX-License-Identifier: MIT
# What the documents say of options and commands is what the program knows of them. With the argument
# "update" those parts that the program can print are written anew (make update-documents).
. "${srcdir:-.}/tests/style/files.sh"

program=$builddir/sallyport
manual=$srcdir/man/sallyport.conf.5
sample=$srcdir/conf.d/sample.conf
test -x "$program" || fail "$program is missing: run make"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

"$program" print-manual >"$work/options" || fail "$program print-manual failed"
"$program" print-sample >"$work/sample.conf" || fail "$program print-sample failed"
"$program" --help >"$work/help" || fail "$program --help failed"

# The manual with the part between the marks as the program prints it.
awk -v options="$work/options" '
	/^\.\\" END OPTIONS/ { skipping = 0 }
	!skipping { print }
	/^\.\\" BEGIN OPTIONS/ {
		skipping = 1
		while ((getline line < options) > 0)
			print line
	}' "$manual" >"$work/manual" || exit 1
grep -q '^\.\\" BEGIN OPTIONS' "$manual" && grep -q '^\.\\" END OPTIONS' "$manual" ||
	fail "$manual: the marks BEGIN OPTIONS and END OPTIONS are missing"

# Replace or compare $1 with the new $2.
settle() {
	if cmp -s "$1" "$2"; then
		return 0
	elif test "$update" = yes; then
		cp "$2" "$1" && chmod 644 "$1" && echo "updated $1"
	else
		diff -u "$1" "$2"
		return 1
	fi
}

update=no
test "$1" != update || update=yes
bad=0
settle "$manual" "$work/manual" || bad=1
settle "$sample" "$work/sample.conf" || bad=1
test "$bad" -eq 0 || echo "$name: \"make update-documents\" takes over what the program prints"

# Every option but those that only files have is a flag in --help, and nothing else is.
sed -n 's/^\.It Ic \([a-z-]*\) No = .*/--\1/p' "$work/options" |
	grep -vxe --include -e --mode | sort >"$work/wanted"
sed -n 's/^  \(--[a-z-]*\) .*/\1/p' "$work/help" | sort >"$work/flags"
if ! diff "$work/wanted" "$work/flags"; then
	echo "$name: --help (>) and the table of options (<) differ"
	bad=1
fi

# Every command that --help lists has its place in the manual.
sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' "$work/help" >"$work/commands"
test -s "$work/commands" || fail "--help lists no commands"
while read -r command; do
	grep -q "^\.It Ic $command\>" "$srcdir/man/sallyport.8" || {
		echo "man/sallyport.8: the command \"$command\" is missing: give it a line .It Ic"
		bad=1
	}
done <"$work/commands"
exit "$bad"
