#!/usr/bin/env python3
"""A whole diagnosis beside what other programs need for a small part of it: same file, same run, in turn. Writes the table and the picture of
docs/performance.md.

    benches/peers.py [SIZE] [RUNS]        (2GB, 5)

WHY401=path/to/why401 measures a binary that is built already; DOCS=folder writes into another performance.md; logs are kept in WHY401_LOGS
(~/.cache/why401-logs). Programs that are not installed are named as missing.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

import draw
from measure import DIAGNOSIS, PATTERNS, ROOT, WHY401, answer, bytes_of, in_turn, machine, mebibytes, rg, say, simulated, size_of, table
from measure import warm, write_page, write_picture

size = sys.argv[1] if len(sys.argv) > 1 else "2GB"
runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
log = str(simulated("--users", 1000, "--size", bytes_of(size)))


class Peer(NamedTuple):
    name: str
    asked: str  # in the table
    short: str  # in the picture
    command: list
    version: list


DUCKDB = """
import duckdb, sys
lines = "read_csv(?, columns = {'line': 'VARCHAR'}, delim = '\\x01', quote = '', escape = '', header = false, auto_detect = false)"
duckdb.execute("SET enable_progress_bar = false")
print(duckdb.execute(f"SELECT count(*) FROM {lines} WHERE regexp_matches(line, ' 401 ')", [sys.argv[1]]).fetchone()[0])
"""

scratch = tempfile.TemporaryDirectory()
PEERS = [
    Peer("why401", "the whole diagnosis, as JSON", "the whole diagnosis", [*DIAGNOSIS, log], [WHY401, "--version"]),
    Peer("ripgrep", "count lines with one of six patterns", "lines with six patterns", rg(PATTERNS, log), ["rg", "--version"]),
    Peer("GNU grep", "the same", "the same", ["grep", "-c", "-E", "|".join(PATTERNS), log], ["grep", "--version"]),
    Peer(
        "gawk",
        "count `Completed` by status, two fields of a line",
        "requests by status",
        ["gawk", '$8 == "Completed" { n[$9]++ } END { for (status in n) print status, n[status] }', log],
        ["gawk", "--version"],
    ),
    Peer(
        "lnav",
        "count lines by level (`-n`, with a format for Ruby's Logger)",
        "lines by level",
        ["lnav", "-I", str(ROOT / "benches/lnav"), "-n", "-c", ";SELECT log_level, count(*) FROM all_logs GROUP BY log_level", log],
        ["lnav", "--version"],
    ),
    Peer(
        "angle-grinder",
        "count `Completed` by status",
        "requests by status",
        ["agrind", '"Completed" | parse "Completed * " as status | count by status', "-f", log],
        ["agrind", "--version"],
    ),
    Peer(
        "DuckDB",
        "count lines that match ` 401 ` (from Python, with its start)",
        "lines that match ‘ 401 ’",
        [sys.executable, "-c", DUCKDB, log],
        [sys.executable, "-c", "import duckdb; print(duckdb.__version__)"],
    ),
    # It knows access logs. Of Rails' lines it can read those that begin a request, which hold no status.
    Peer(
        "GoAccess",
        "hits by path and visitor, of `Started` lines only",
        "hits by path and visitor",
        [
            *("goaccess", log, "--no-global-config", "--no-progress", "--num-tests=0", "--date-format=%Y-%m-%d", "--time-format=%H:%M:%S"),
            '--log-format=I, [%dT%t.%^ #%^]  INFO -- : [%^] Started %m "%U" for %h at %^',
            *("-o", f"{scratch.name}/goaccess.json"),
        ],
        ["goaccess", "--version"],
    ),
]


def version(peer):
    """Of an installed program; `None` of one that is missing."""
    if not shutil.which(peer.version[0]):
        return None
    said = subprocess.run(peer.version, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    number = re.search(r"\d+(\.\d+)+", said.stdout)
    return number[0] if said.returncode == 0 and number else None


versions = {peer.name: version(peer) for peer in PEERS}
missing = [peer.name for peer in PEERS if versions[peer.name] is None]
warm(log)
# The first run of each shows whether it can do what it is asked.
able = {}
for peer in PEERS:
    if peer.name in missing:
        continue
    # GoAccess writes a file and says nothing.
    said = answer(["sh", "-c", '"$@" && echo written', "sh", *peer.command] if peer.name == "GoAccess" else peer.command)
    say(f"{peer.name}: {'failed' if said is None else said[-100:]}")
    if said is not None:
        able[peer.name] = peer.command
unable = [peer.name for peer in PEERS if peer.name not in missing and peer.name not in able]

head = machine()
medians = in_turn(able, runs)
ours = medians["why401"].seconds
rows, drawn = [], []
for peer in sorted((peer for peer in PEERS if peer.name in medians), key=lambda peer: medians[peer.name].seconds):
    run = medians[peer.name]
    own = peer.name == "why401"
    cells = [f"{peer.name} {versions[peer.name]}", peer.asked, f"{run.seconds:.2f} s", f"{run.seconds / ours:.2f}", f"{run.processor:.2f} s", mebibytes(run.memory)]
    rows.append([f"**{cell}**" for cell in cells] if own else cells)
    drawn.append((peer.name, peer.short, run.seconds, own))

stages = subprocess.run([*DIAGNOSIS, "--stats", log], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
spent = {name: float(time) for name, time in re.findall(r"stats: (\w+) +([\d.]+) s$", stages, re.M)}
read, write = spent.pop("read"), spent.pop("write")
lines = int(re.search(r"(\d+) lines", stages)[1])
length = size_of(bytes_of(size))

beside = f"`why401` takes {ours / medians['ripgrep'].seconds:.1f} times as long as `rg -c`. " if "ripgrep" in medians else ""
rest = "".join(f" {what}: {', '.join(names)}." for what, names in (("Not installed", missing), ("Cannot do it", unable)) if names)
write_page(
    "peers",
    f"""{length} of Rails' default log with request ids, {lines / 1e6:.1f} M lines, 1,000 users (`simulate --seed 7 --users 1000 --size {size}`); page cache warm,
`LC_ALL=C`, {head}; medians of {runs}, in turn.{rest} Programs that map the file into memory have it in their peak.

{table(["program", "what it was asked", ":elapsed", ":times why401", ":processor time", ":peak memory"], rows)}

{beside}Of a run of `why401` {read:.2f} s is reading, {sum(spent.values()):.2f} s diagnosing ({", ".join(f"{name} {time:.2f}" for name, time in spent.items())}), {write:.2f} s writing.

![The same as bars](performance.svg)""",
)
write_picture("performance.svg", draw.bars(f"A whole diagnosis beside small parts of one: {length} of a Rails log", drawn))
