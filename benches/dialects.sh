#!/usr/bin/env bash
# Throughput by dialect: a whole diagnosis by why401 beside what others need to read the same file, in one run, in turn; then how fast the
# lines of each folder of the corpus are read.
#
#   benches/dialects.sh [SIZE] [RUNS]        (200MB, 3)
#   WHY401=path/to/why401 benches/dialects.sh      a binary that is built already
#
# Each log is written by `why401 simulate` with a fixed seed. Beside it: `hl` for JSON (a filter that lets nothing through),
# `lnav -n` and angle-grinder (`agrind`) for text, each where it is installed. On a machine that does other things elapsed times say
# little: look at the load in the first line, and at processor time.
set -euo pipefail
cd "$(dirname "$0")/.."
size="${1:-200MB}" runs="${2:-3}"
if [ -z "${WHY401:-}" ]; then
    cargo build --release --quiet --no-default-features
    WHY401="${CARGO_TARGET_DIR:-target}/release/why401"
fi
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

seconds() { # the time a command takes
    local begun ended
    begun=$(date +%s%N)
    "$@" >/dev/null 2>&1 || true
    ended=$(date +%s%N)
    awk -v n=$((ended - begun)) 'BEGIN { printf "%.3f\n", n / 1e9 }'
}
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

# Megabytes a second: of a file, with the times that stand in another one.
rate() { awk -v b="$(stat -c %s "$1")" -v s="$(median <"$2")" 'BEGIN { printf "%.0f MB/s", b / (s > 0 ? s : 0.001) / 1e6 }'; }
# What `--stats` says of one stage.
stage() { "$WHY401" --exit-zero --stats --format json "$2" 2>&1 >/dev/null | awk -v stage="$1" '$2 == stage { print $3 }'; }

echo "load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, $size each, medians of $runs"
echo
echo "| dialect | why401 | of its processor time | hl | lnav | angle-grinder |"
echo "| --- | --- | --- | --- | --- | --- |"
for dialect in rails rails8 rails61 lograge-kv lograge-json; do
    "$WHY401" simulate --out "$folder/$dialect" --seed 7 --users 3000 --hours 48 --mix mixed --dialect "$dialect" --size "$size" >/dev/null
    log="$folder/$dialect/server.log"
    cat "$log" >/dev/null # into the page cache
    : >"$folder/why" >"$folder/processor" >"$folder/hl" >"$folder/lnav" >"$folder/agrind"
    for _ in $(seq "$runs"); do
        seconds "$WHY401" --exit-zero --format json "$log" >>"$folder/why"
        stage processor "$log" >>"$folder/processor"
        case "$dialect" in
        lograge-json)
            if command -v hl >/dev/null; then seconds hl -P --filter status=999 "$log" >>"$folder/hl"; fi
            ;;
        *)
            if command -v lnav >/dev/null; then
                seconds lnav -I benches/lnav -n -c ';select count(*) from all_logs where log_level = "fatal"' "$log" >>"$folder/lnav"
            fi
            if command -v agrind >/dev/null; then seconds agrind '" 401 " | count' -f "$log" >>"$folder/agrind"; fi
            ;;
        esac
    done
    row="| $dialect |"
    for tool in why processor hl lnav agrind; do
        if [ -s "$folder/$tool" ]; then row+=" $(rate "$log" "$folder/$tool") |"; else row+=" – |"; fi
    done
    echo "$row"
    rm -r "${folder:?}/$dialect"
done

# Lines of each format over and over, 8 MB of them, read by one thread. Documents that are printed over many lines do not stand one behind
# the other.
TIMEFORMAT=%U
echo
echo "| lines of the corpus | \`formats --test\`, processor time |"
echo "| --- | --- |"
for about in parsers/corpus/*/; do
    log="$folder/corpus.log"
    for case in "$about"*.log; do
        if ! head -c 2 "$case" | grep -q '^[[{]$'; then sed -e '$a\' "$case"; fi
    done >"$log"
    [ -s "$log" ] || continue
    while [ "$(stat -c %s "$log")" -lt 8000000 ]; do
        cat "$log" "$log" >"$folder/twice" && mv "$folder/twice" "$log"
    done
    for _ in $(seq "$runs"); do { time "$WHY401" formats --test "$log" >/dev/null; } 2>&1; done >"$folder/read"
    echo "| $(basename "$about") | $(rate "$log" "$folder/read") |"
done
