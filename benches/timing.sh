# Sourced by the scripts beside it.

seconds() { # the time a command takes
    local begun ended
    begun=$(date +%s%N)
    "$@" >/dev/null 2>&1 || true
    ended=$(date +%s%N)
    awk -v n=$((ended - begun)) 'BEGIN { printf "%.3f\n", n / 1e9 }'
}
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
