#!/bin/sh
# SPDX-License-Identifier: MIT
# A file of common/ and tunnel/ includes only what stands below it in layers.txt.
. "${srcdir:-.}/tests/style/files.sh"

files=$(c_files | grep -E '^(common|tunnel)/')
cd "$srcdir" || exit 1
# shellcheck disable=SC2086 # names of sources have no blanks
awk '
	function offence(where, words) {
		print where ": " words
		bad = 1
	}
	# A file that is ranked by itself, else together with its header.
	function rank_of(file,   stem) {
		if (file in rank)
			return rank[file]
		stem = file
		sub(/\.[ch]$/, "", stem)
		if (!(stem in rank))
			return 0
		used[stem] = 1
		return rank[stem]
	}
	function is_own(file, header) {
		sub(/\.c$/, ".h", file)
		return file == header
	}
	function read_table(line,   words, count, i) {
		sub(/#.*/, "", line)
		count = split(line, words, " ")
		if (count == 0)
			return
		if (words[1] == "library") {
			for (i = 3; i <= count; i++)
				may[words[2], words[i]] = 1
			known[words[2]] = 1
			return
		}
		if (words[1] == "only") {
			for (i = 3; i <= count; i++)
				may_name[words[2], words[i]] = 1
			guarded[words[2]] = 1
			return
		}
		ranks++
		for (i = 1; i <= count; i++) {
			if (words[i] in rank)
				offence(FILENAME ":" FNR, words[i] " is ranked twice")
			rank[words[i]] = ranks
			place[words[i]] = FILENAME ":" FNR
		}
	}
	function judge_library(header,   library) {
		library = header
		sub(/\/.*/, "/", library)
		if (!(library in known))
			return
		if (!((library, FILENAME) in may))
			offence(FILENAME ":" FNR, "<" header "> is not for this file")
		taken[library, FILENAME] = 1
	}
	function judge_name(name) {
		if (!((name, FILENAME) in may_name))
			offence(FILENAME ":" FNR, name " is not for this file")
		named[name, FILENAME] = 1
	}
	function judge(header) {
		if (header == "configured.h" || is_own(FILENAME, header) || rank_of(FILENAME) == 0)
			return
		if (rank_of(header) == 0)
			offence(FILENAME ":" FNR, "\"" header "\" has no rank")
		else if (rank_of(header) >= rank_of(FILENAME))
			offence(FILENAME ":" FNR, "\"" header "\" is not of a lower rank")
	}
	FILENAME == table { read_table($0); next }
	{
		for (name in guarded)
			if (index($0, name))
				judge_name(name)
	}
	FNR == 1 {
		used[FILENAME] = 1
		if (rank_of(FILENAME) == 0)
			offence(FILENAME ":1", "the file has no rank in " table)
	}
	/^#[ \t]*include[ \t]*</ {
		header = $0
		sub(/^[^<]*</, "", header)
		sub(/>.*/, "", header)
		judge_library(header)
	}
	/^#[ \t]*include[ \t]*"/ {
		header = $0
		sub(/^[^"]*"/, "", header)
		sub(/".*/, "", header)
		judge(header)
	}
	END {
		for (name in rank)
			if (!(name in used))
				offence(place[name], name " is ranked, but there is no such file")
		for (pair in may)
			if (!(pair in taken)) {
				split(pair, part, SUBSEP)
				offence(table, part[2] " does not include <" part[1] "> any more")
			}
		for (pair in may_name)
			if (!(pair in named)) {
				split(pair, part, SUBSEP)
				offence(table, part[2] " does not name " part[1] " any more")
			}
		exit bad
	}' table=tests/style/layers.txt tests/style/layers.txt $files ||
	fail "what is above is not as tests/style/layers.txt has it"
