#!/bin/bash
# fuzz.sh [TIME [REGEXP]]: runs every fuzz target of the repository whose name
# matches, one after the other, each for TIME (30s). It finds the targets by
# itself, goes on after one that fails, and says at the end which did. What a
# target found lies in testdata/fuzz of its package: fix it and commit it there.
set -uo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s} match=${2:-.}
failed=()
while IFS=: read -r file _ line; do
	target=${line#func } target=${target%%(*}
	[[ $target =~ $match ]] || continue
	package=./$(dirname "$file")
	echo "== $package $target"
	go test -vet=off -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" || failed+=("$package $target")
done < <(git ls-files -co --exclude-standard '*_test.go' | xargs grep -n '^func Fuzz')
if [ ${#failed[@]} -gt 0 ]; then
	printf 'failed: %s\n' "${failed[@]}"
	exit 1
fi
