# Commands for humans. CI calls `.ci/run`, which calls the same ones.

# format, lints, docs, tests: what CI runs
ci:
    .ci/run

# all tests
test:
    cargo test --workspace --no-default-features --features notify
    cargo test --test history --test batch

# precision and recall on the labelled samples, three ways
accuracy:
    cargo test --release --test scenarios -- --nocapture --test-threads=1

# how often it is right when it says how sure it is: writes docs/calibration.md and .svg
calibrate:
    WHY401_WRITE=1 cargo test --test calibration

# a thousand runs of `batch` killed at random times
kill-test:
    cargo test --test batch -- --ignored --nocapture

# from the last line of an incident to its verdict, at 20,000 lines a second
latency:
    cargo test --release --test watch -- --ignored --nocapture

# the quick start of the README
demo:
    cargo run --release --no-default-features -- samples/mixed

# a whole diagnosis beside rg, grep, gawk, lnav, angle-grinder, DuckDB and GoAccess where they are installed: writes docs/performance.md and .svg
bench size="2GB" runs="5":
    benches/peers.py {{size}} {{runs}}

# how time and memory grow with the log, its users, its incidents and threads: writes docs/performance.md and docs/memory.svg
growth size="2GB" runs="5" *far:
    benches/growth.py {{size}} {{runs}} {{far}}

# each stage by itself, in megabytes a second: `just stages parsing` for those whose name has the word
stages *words:
    cargo bench --workspace --no-default-features --features notify --bench stages -- {{words}}

# instructions of a diagnosis against a limit: what CI runs
instructions:
    cargo build --no-default-features --features notify
    benches/instructions.sh

# throughput by dialect, beside hl, lnav and angle-grinder where they are installed
bench-dialects:
    benches/dialects.sh

# accept changed snapshots after looking at them
snapshots:
    cargo insta review

# put the tables of `why401 formats`, and what samples come to in each dialect, into docs/formats.md
formats:
    cargo run -q -- formats --format markdown > target/formats.tables
    sed -e '/^## Envelopes$/,/^## What a dialect withholds$/{/^## What a dialect withholds$/!d}' -e '/^## What a dialect withholds$/{e cat target/formats.tables' -e '}' -i docs/formats.md
    WHY401_WRITE=1 cargo test --no-default-features --test rewritten

# the pages of docs/causes/, from the same texts as `why401 explain`
docs:
    WHY401_WRITE=1 cargo test --no-default-features --test docs

# reports in a real headless Chromium: requests, console, axe-core, scripts off, hostile logs, 10,000 people, screenshots, PDF
pages:
    benches/page_check.sh

# the published JSON Schema, after a change of the contract's types
schema:
    WHY401_WRITE=1 cargo test --no-default-features --lib the_schema
