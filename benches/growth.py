#!/usr/bin/env python3
"""How time and memory of a diagnosis grow: with the log, its users, its incidents; with cores, and with how the log comes in. Writes the tables
and the picture of memory of docs/performance.md.

    benches/growth.py [SIZE] [RUNS] [--far]        (2GB, 5; --far: also five times SIZE, and a million users)

Variables are those of peers.py.
"""
import sys
import tempfile
from pathlib import Path

import draw
from measure import DIAGNOSIS, JSON_PATTERNS, LOGS, bytes_of, compressed, found_in, in_turn, machine, mebibytes, rg, say, simulated
from measure import size_of, table, warm, write_page, write_picture

words = [word for word in sys.argv[1:] if word != "--far"]
far = "--far" in sys.argv
size = bytes_of(words[0] if words else "2GB")
runs = int(words[1]) if len(words) > 1 else 5
tenth = size // 10


def log(count, *options, users=1000):
    return simulated("--users", users, "--size", count, *options)


def diagnosis(of, *options):
    return [*DIAGNOSIS, *map(str, options), str(of)]


def shell(script, *words):
    return ["bash", "-c", script, "bash", *map(str, words)]


def compare(one, other, files, repeats=runs):
    """Medians of two commands in turn, their files in the page cache."""
    warm(*files)
    medians = in_turn({"one": one, "other": other}, repeats)
    return medians["one"], medians["other"]


rows = []


def row(what, aim, pair, inverse=False):
    one, other = pair
    ratio = one.seconds / other.seconds if inverse else other.seconds / one.seconds
    rows.append([what, f"{one.seconds:.2f} s", f"{other.seconds:.2f} s", f"**{ratio:.2f}**", aim, mebibytes(one.memory), mebibytes(other.memory)])
    say(" ".join(rows[-1]))


head = machine()

small, large = log(tenth), log(size)
grown = compare(diagnosis(small), diagnosis(large), [small, large])
row(f"{size_of(tenth)} → {size_of(size)}", "10 ± 1", grown)

# Nobody is dropped, so that only the number of people differs.
few, many = log(tenth, "--mix", "healthy", users=100), log(tenth, "--mix", "healthy", users=10_000)
people = [found_in(of)["actors"] for of in (few, many)]
row(f"{people[0]:,} → {people[1]:,} users in {size_of(tenth)}", "≤ 1.5", compare(diagnosis(few), diagnosis(many), [few, many]))

# One sign-out for a third of those with something wrong, or a token that runs out every minute and is renewed when it is too late.
calm, busy = log(tenth, "--mix", "logout,lifetime_expiry", "--access", "24h"), log(tenth, "--mix", "reactive_only_1h", "--access", "1m")
incidents = [found_in(of)["incidents"] for of in (calm, busy)]
row(f"{incidents[0]:,} → {incidents[1]:,} incidents in {size_of(tenth)}", "≤ 2", compare(diagnosis(calm), diagnosis(busy), [calm, busy]))

# Reading, parsing and putting together are threads of their own, also with `--threads 1`: cores are taken away.
row("two cores → one (`taskset`)", "≥ 1.7", compare(["taskset", "-c", "0,1", *diagnosis(large)], ["taskset", "-c", "0", *diagnosis(large)], [large]))

piped = shell('cat "$1" | "${@:2}" -', large, *DIAGNOSIS)
row("file → pipe (`cat`)", "≤ 1.2", compare(diagnosis(large), piped, [large]))

packed = compressed(large)
row("`gzip -dc … \\| wc -l` → `.gz`", "≤ 1.15", compare(shell('gzip -dc "$1" | wc -l', packed), diagnosis(packed), [packed]))

json = log(size, "--dialect", "lograge-json")
row("`rg -c` with six patterns → lograge JSON", "≤ 2.5", compare(rg(JSON_PATTERNS, json), diagnosis(json), [json]))

with tempfile.TemporaryDirectory() as folder:
    ten = Path(folder) / "ten.log"
    with small.open("rb") as lines:
        ten.write_bytes(b"".join(next(lines) for _ in range(10)))
    # Measuring takes some milliseconds itself.
    began = in_turn({"nothing": ["true"], "ten lines": diagnosis(ten)}, 5 * runs)
    ten_lines, start = began["ten lines"], began["ten lines"].seconds - began["nothing"].seconds


def peak(of, *options):
    warm(of)
    memory = in_turn({of.parent.name: diagnosis(of, *options)}, min(runs, 3))[of.parent.name].memory
    say(f"{of.parent.name} {' '.join(options)}: {mebibytes(memory)}")
    return memory


LIMIT = ["--max-memory", "64MB"]


# By length, at a thousand users; by users, a quarter of an hour of each.
lengths = [tenth // 10, tenth, size, *([5 * size] if far else [])]
of_length = [peak(log(length)) for length in lengths]
of_length_within = [peak(log(length), *LIMIT) for length in lengths]
crowds = [1_000, 10_000, 100_000, *([1_000_000] if far else [])]
if size < 10**9:
    crowds.pop()
crowd_logs = [simulated("--users", users, "--hours", 0.25, "--mix", "healthy") for users in crowds]
of_crowd = [peak(of) for of in crowd_logs]
of_crowd_within = [peak(of, *LIMIT) for of in crowd_logs]


def each(of_crowd):
    return (of_crowd[-1] - of_crowd[0]) / (crowds[-1] - crowds[0]) / 1024


over = 64 * 2**20 + ten_lines.memory

by_length = table(["log of 1,000 users", *(f":{size_of(length)}" for length in lengths)], [["peak", *map(mebibytes, of_length)], [f"with `{' '.join(LIMIT)}`", *map(mebibytes, of_length_within)]])
by_crowd = table(
    ["users for a quarter of an hour", *(f":{users:,}" for users in crowds)],
    [["log", *(size_of(of.stat().st_size) for of in crowd_logs)], ["peak", *map(mebibytes, of_crowd)], [f"with `{' '.join(LIMIT)}`", *map(mebibytes, of_crowd_within)]],
)
write_page(
    "growth",
    f"""`simulate --seed 7` with 1,000 users where nothing else is said; page cache warm, {head}; medians of {runs}, each pair in turn.

{table(["from → to", ":from", ":to", ":ratio", ":aim", ":peak", ":peak"], rows)}

Start to exit on ten lines takes {1000 * start:.0f} ms (aim: 20 ms) and {mebibytes(ten_lines.memory)}, which is what the binary has of its own. Beyond that the aim is
64 MiB for a log of any length with 1,000 users, and 1 KiB for each further user, of whom each takes {each(of_crowd):.1f} KiB here, and {each(of_crowd_within):.2f} KiB
with `{' '.join(LIMIT)}` (the limit is for what is held of the log; who was in it is remembered in any case).

{by_length}

{by_crowd}

![The same as lines](memory.svg)""",
)

mib = 2**20
write_picture(
    "memory.svg",
    draw.growth(
        f"Peak memory of a diagnosis, MiB, without a limit and with {' '.join(LIMIT)}",
        [
            (
                "by length of the log, 1,000 users",
                lengths,
                [size_of(length) for length in lengths],
                [("", [memory / mib for memory in of_length]), (LIMIT[1], [memory / mib for memory in of_length_within])],
                lambda length: over / mib,
            ),
            (
                "by users, a quarter of an hour",
                crowds,
                [f"{users:,}" for users in crowds],
                [("", [memory / mib for memory in of_crowd]), (LIMIT[1], [memory / mib for memory in of_crowd_within])],
                lambda users: over / mib + (users - 1000) / 1024,
            ),
        ],
    ),
)
say(f"logs are kept in {LOGS}")
