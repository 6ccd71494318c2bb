#!/usr/bin/env bash
# Throughput by dialect: a whole diagnosis by why401 beside what others need to read the same file, in one run, in turn.
#
#   benches/dialects.sh [SIZE] [RUNS]        (200MB, 3)
#
# Each log is written by `why401 simulate` with a fixed seed. Beside it: `hl` for JSON (a filter that lets nothing through),
# `lnav -n` and angle-grinder (`agrind`) for text, each where it is installed. On a machine that does other things the figures say
# nothing: look at `uptime` first.
set -euo pipefail
cd "$(dirname "$0")/.."
size="${1:-200MB}" runs="${2:-3}"
target="${CARGO_TARGET_DIR:-target}"
cargo build --release --quiet --no-default-features
why401="$target/release/why401"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

source benches/timing.sh

echo "load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, $size each, medians of $runs"
echo
echo "| dialect | why401 | hl | lnav | angle-grinder |"
echo "| --- | --- | --- | --- | --- |"
for dialect in rails rails8 rails61 lograge-kv lograge-json; do
    "$why401" simulate --out "$folder/$dialect" --seed 7 --users 3000 --hours 48 --mix mixed --dialect "$dialect" --size "$size" >/dev/null
    log="$folder/$dialect/server.log"
    cat "$log" >/dev/null # into the page cache
    : >"$folder/why" >"$folder/hl" >"$folder/lnav" >"$folder/agrind"
    for _ in $(seq "$runs"); do
        seconds "$why401" --exit-zero --format json "$log" >>"$folder/why"
        case "$dialect" in
        lograge-json)
            command -v hl >/dev/null && seconds hl -P --filter status=999 "$log" >>"$folder/hl"
            ;;
        *)
            command -v lnav >/dev/null && seconds lnav -n -c ';select count(*) from all_logs where log_level = "fatal"' "$log" >>"$folder/lnav"
            command -v agrind >/dev/null && seconds agrind '" 401 " | count' -f "$log" >>"$folder/agrind"
            ;;
        esac || true
    done
    row="| $dialect |"
    for tool in why hl lnav agrind; do
        if [ -s "$folder/$tool" ]; then
            row+=" $(awk -v b="$(stat -c %s "$log")" -v s="$(median <"$folder/$tool")" 'BEGIN { printf "%.0f MB/s", b / s / 1e6 }') |"
        else
            row+=" – |"
        fi
    done
    echo "$row"
    rm -r "${folder:?}/$dialect"
done
