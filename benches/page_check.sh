#!/usr/bin/env bash
# Opens reports in a real headless Chromium (see page_check.mjs): those of bundled samples, one in which every text is hostile, one of
# 10,000 people. Leaves screenshots and PDFs in OUT. Skips where there is no Chromium or no npm.
#   benches/page_check.sh [OUT]            WHY401=path/to/why401 to leave the build out
set -euo pipefail
cd "$(dirname "$0")/.."
out="${1:-target/pages}"
chromium="${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}"
if [ -z "$chromium" ] || ! command -v npm >/dev/null; then
    echo "skipped: needs chromium and npm"
    exit 0
fi
mkdir -p "$out"
modules="${MODULES:-$out/node_modules}"
if [ ! -d "$modules/axe-core" ]; then
    npm install --silent --no-save --prefix "$out" playwright-core axe-core >/dev/null || { echo "skipped: playwright-core and axe-core cannot be had"; exit 0; }
fi
if [ -z "${WHY401:-}" ]; then
    cargo build --release --no-default-features
    WHY401="${CARGO_TARGET_DIR:-target}/release/why401"
fi
pages=()
for sample in stale_token-ws refresh_failure-swallowed lifetime_expiry-never_refresh server_restart mixed healthy; do
    "$WHY401" report --exit-zero -o "$out/$sample.html" "samples/$sample"
    pages+=("$out/$sample.html")
done
"$WHY401" --exit-zero --format json samples/mixed | node benches/hostile.mjs tests/hostile.json >"$out/hostile.json"
"$WHY401" report --exit-zero --no-redact -o "$out/hostile.html" "$out/hostile.json"
pages+=("$out/hostile.html")
if [ ! -d "$out/many" ]; then
    "$WHY401" simulate --out "$out/many" --seed 8 --users "${PEOPLE:-14000}" --hours 2 --mix refresh_failure,lifetime_expiry,stale_token >/dev/null
fi
/usr/bin/env time -f '%e s, %M KiB at most' "$WHY401" report --exit-zero -o "$out/many.html" "$out/many" || "$WHY401" report --exit-zero -o "$out/many.html" "$out/many"
pages+=("$out/many.html")
CHROMIUM="$chromium" node benches/page_check.mjs "$modules" "$out/shots" "${pages[@]}"
