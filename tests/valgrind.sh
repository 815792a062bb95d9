#!/bin/sh
# SPDX-License-Identifier: MIT
# Run the unit tests that are named under valgrind.
. "${srcdir:-.}/tests/style/files.sh"
need valgrind valgrind

cd "$builddir" || exit 1
bad=0
for test in "$@"; do
	case $test in
	*/test_process | */test_child | */test_supervisor | */test_supervisor_keys | */test_supervisor_reload | */test_supervisor_watch | */test_command_run)
		echo "valgrind: $test is left out: it executes itself anew, which there is valgrind"
		continue
		;;
	esac
	echo "valgrind: $test"
	RUNS_IN_VALGRIND=yes valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
		--errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes \
		"./$test" >valgrind.log 2>&1 || {
		cat valgrind.log
		bad=1
	}
	grep 'left out' valgrind.log
	rm -f valgrind.log
done
test "$bad" -eq 0 || fail "valgrind has objections"
