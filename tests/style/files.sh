# SPDX-License-Identifier: MIT
# For the other scripts here: where the sources are, which there are, and how to give up.
# A test answers 0 for good, 1 for bad, and 77 for "cannot be told on this machine".

srcdir=${srcdir:-$(dirname "$0")/../..}
srcdir=$(cd "$srcdir" && pwd)
builddir=$(cd "${builddir:-.}" && pwd)
name=$(basename "$0")

fail() {
	echo "$name: $*" >&2
	exit 1
}

skip() {
	echo "$name: skipped: $*" >&2
	exit 77
}

# Skip the test unless $1 is there; $2 says which package has it.
need() {
	command -v "$1" >/dev/null || skip "$1 is missing (Debian: $2)"
}

# Print the C files below $srcdir that a commit would have, a line each; a tarball has no others.
c_files() {
	if git -C "$srcdir" rev-parse --show-prefix 2>/dev/null | grep -qx ''; then
		git -C "$srcdir" ls-files --cached --others --exclude-standard -- '*.c' '*.h'
	else
		(cd "$srcdir" && find common tunnel bench tests -name '*.[ch]')
	fi | sort -u | while read -r file; do
		if test -f "$srcdir/$file"; then
			echo "$file"
		fi
	done
}

# Wait until no other test that wants the whole machine runs in this build, and keep the others waiting.
alone() {
	exec 9>"$builddir/tests.lock"
	flock 9
}

# Work from now on in $builddir/$1, which is $directory and is configured with the other arguments.
configured_in() {
	test ! -f "$srcdir/configured.h" || skip "the tree itself is configured; build outside it"
	# Make's job server belongs to the outer make.
	unset MAKEFLAGS MFLAGS MAKELEVEL
	directory=$builddir/$1
	shift
	mkdir -p "$directory" && cd "$directory" || exit 1
	test -f Makefile || "$srcdir/configure" --quiet --enable-werror "$@" ||
		fail "configure failed in $directory"
}

# Run the programs that are named, quietly unless one fails. Returns whether all are good.
all_good() {
	good=true
	for test in "$@"; do
		echo "$name: $test"
		"./$test" >"$name.log" 2>&1 && continue
		cat "$name.log"
		good=false
	done
	$good
}
