#!/usr/bin/env bash
# Time and memory of a whole diagnosis beside `rg -c` with the six patterns one would grep for by hand: same file, same run, in turn.
#
#   benches/beside_ripgrep.sh [SIZE] [RUNS]        (300MB, 5)
#
# The log is written by `why401 simulate` with a fixed seed: thousands of users on Rails' default format with request ids.
set -euo pipefail
cd "$(dirname "$0")/.."
size="${1:-300MB}" runs="${2:-5}"
target="${CARGO_TARGET_DIR:-target}"
cargo build --release --no-default-features --quiet
why401="$target/release/why401"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"$why401" simulate --out "$folder" --seed 7 --users 3000 --hours 48 --mix mixed --dialect rails --size "$size" >/dev/null
log="$folder/server.log"
patterns=(-e ' 401 ' -e 'Started POST "[^"]*(refresh|login|sign_in)' -e 'unauthorized connection' -e 'Registered connection'
    -e 'Finished "' -e 'Error')
cat "$log" >/dev/null # into the page cache

source benches/timing.sh

: >"$folder/rg" >"$folder/why"
for _ in $(seq "$runs"); do
    seconds rg -c "${patterns[@]}" "$log" >>"$folder/rg"
    seconds "$why401" --exit-zero --format json "$log" >>"$folder/why"
done
rg_time=$(median <"$folder/rg") why_time=$(median <"$folder/why")
echo "log:      $(stat -c %s "$log") bytes, $(wc -l <"$log") lines, medians of $runs"
echo "rg -c:    $rg_time s"
echo "why401:   $why_time s ($(awk -v a="$why_time" -v b="$rg_time" 'BEGIN { printf "%.1f", a / b }') x)"
"$why401" --stats --exit-zero --format json "$log" 2>&1 >/dev/null | sed 's/^stats: /          /'
