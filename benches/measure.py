"""What peers.py and growth.py share: simulated logs, commands measured in turn, and parts of docs/performance.md that are written."""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOCS = Path(os.environ.get("DOCS", ROOT / "docs"))
LOGS = Path(os.environ.get("WHY401_LOGS", Path.home() / ".cache/why401-logs"))

# What one would grep for by hand.
PATTERNS = [" 401 ", 'Started POST "[^"]*(refresh|login|sign_in)', "unauthorized connection", "Registered connection", 'Finished "', "Error"]
# The same of lograge's JSON.
JSON_PATTERNS = [
    *('"status":401', '"method":"POST","path":"[^"]*(refresh|login|sign_in)', "unauthorized connection"),
    *('Connection","action":"connect"', '"action":"disconnect"', "Error"),
]

# Bytes, not letters: what makes grep and gawk quickest.
ENVIRONMENT = {**os.environ, "LC_ALL": "C"}
# Python knows a child's peak memory too, but counts its own into it.
TIME = shutil.which("time")


class Run(NamedTuple):
    seconds: float
    processor: float
    memory: int  # bytes at most; 0 where `time` is not installed


def built():
    """The binary to measure: `WHY401=path`, or a release build."""
    if "WHY401" in os.environ:
        return os.path.abspath(os.environ["WHY401"])
    subprocess.run(["cargo", "build", "--release", "--no-default-features", "--quiet"], cwd=ROOT, check=True)
    return str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "release/why401")


WHY401 = built()
DIAGNOSIS = [WHY401, "--exit-zero", "--format", "json"]


def rg(patterns, log):
    """Counts lines that have one of the patterns."""
    return ["rg", "-c", *(word for pattern in patterns for word in ("-e", pattern)), str(log)]


def bytes_of(size):
    """`200MB`, `2GB` as bytes."""
    number, unit = re.fullmatch(r"(\d+)([KMG]?)B?", size.upper()).groups()
    return int(number) * {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}[unit]


def size_of(count):
    """Bytes in words: `2 GB`, `200 MB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor * 0.995:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"


def simulated(*options):
    """The server's log that `why401 simulate --seed 7` writes with these options. It is kept: the next run finds it."""
    options = [str(option) for option in options]
    log = LOGS / ("seed 7 " + " ".join(options)).replace("--", "").replace(" ", "-") / "server.log"
    if not log.exists():
        LOGS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=LOGS) as folder:
            say(f"simulating {log.parent.name}")
            subprocess.run([WHY401, "simulate", "--seed", "7", *options, "--out", folder], check=True, stdout=subprocess.DEVNULL)
            log.parent.mkdir()
            (Path(folder) / "server.log").rename(log)
    return log


def compressed(log):
    packed = log.with_name(log.name + ".gz")
    if not packed.exists():
        say(f"packing {log.parent.name}")
        half = packed.with_name("half.gz")
        with half.open("wb") as out:
            subprocess.run(["gzip", "-c", str(log)], check=True, stdout=out)
        half.rename(packed)
    return packed


def found_in(log):
    """What a diagnosis of the log sums up."""
    out = subprocess.run([*DIAGNOSIS, str(log)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return json.loads(out)["summary"]


def measured(command, out=subprocess.DEVNULL):
    """Runs a command once. `None` if it fails."""
    with tempfile.NamedTemporaryFile() as noted:
        timed = [TIME, "-q", "-o", noted.name, "-f", "%U %S %M", *command] if TIME else command
        begun = time.perf_counter()
        ended = subprocess.run(timed, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL).returncode
        seconds = time.perf_counter() - begun
        if ended != 0:
            return None
        user, system, memory = noted.read().split() if TIME else (0, 0, 0)
        return Run(seconds, float(user) + float(system), int(memory) * 1024)


def answer(command):
    """What a command says, in short; `None` if it fails or says nothing."""
    ended = subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = " ".join(ended.stdout[-300:].decode(errors="replace").split())
    return said if ended.returncode == 0 and said else None


def in_turn(commands, runs):
    """Medians of so many runs of each command by its name, one after the other, and again: what else the machine does meets all."""
    taken = {name: [] for name in commands}
    # GNU grep stops at the first match when nobody reads what it says.
    with tempfile.TemporaryFile() as file:
        for number in range(runs):
            for name, command in commands.items():
                say(f"{number + 1}/{runs} {name}")
                run = measured(command, file if command[0] == "grep" else subprocess.DEVNULL)
                if run is None:
                    sys.exit(f"{name} failed: {' '.join(command)}")
                taken[name].append(run)
    return {name: Run(*map(statistics.median, zip(*runs))) for name, runs in taken.items()}


def warm(*files):
    """Reads files, so that they are in the page cache."""
    for file in files:
        with open(file, "rb", buffering=0) as bytes_:
            while bytes_.read(1 << 20):
                pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    return f"{os.cpu_count()} cores{f' ({processor[1].strip()})' if processor else ''}, load {os.getloadavg()[0]:.1f} at the beginning"


def table(head, rows):
    """A table whose columns after the first are numbers where `head` begins with a colon."""
    line = lambda cells: "| " + " | ".join(cells) + " |"
    rule = ["---:" if cell.startswith(":") else "---" for cell in head]
    return "\n".join(line(cells) for cells in [[cell.lstrip(":") for cell in head], rule, *rows])


def mebibytes(count):
    return f"{count / 2**20:,.0f} MiB" if count else "–"


def write_page(name, text):
    """Puts a text between the marks of its name in performance.md."""
    page = DOCS / "performance.md"
    before = page.read_text()
    marks = re.compile(f"(<!-- {name}[^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    after, found = marks.subn(lambda marks: f"{marks[1]}{text}\n{marks[2]}", before)
    if found != 1:
        sys.exit(f"{page} has no place for {name}")
    page.write_text(after)
    say(f"wrote {name} into {page}")


def write_picture(name, text):
    (DOCS / name).write_text(text)
    say(f"wrote {DOCS / name}")
