#!/usr/bin/env bash
# Counts instructions with callgrind and fails above the limit of benches/instructions.limit: a guard that noise cannot upset.
# Usage: benches/instructions.sh [BINARY]
set -euo pipefail
cd "$(dirname "$0")/.."
binary="${1:-${CARGO_TARGET_DIR:-target}/debug/why401}"
if ! command -v valgrind >/dev/null; then
    echo "instructions: valgrind is not installed, nothing was counted"
    exit 0
fi
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"$binary" simulate --seed 7 --users 300 --hours 3 --size 4MB --out "$folder" >/dev/null
limit="$(grep -v '^#' benches/instructions.limit)"
counted="$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" --threads 1 --exit-zero --format json \
    "$folder/server.log" 2>&1 >/dev/null | sed -n 's/.*Collected : //p')"
echo "instructions: $counted, at most $limit"
[ "$counted" -le "$limit" ]
