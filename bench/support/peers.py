# SPDX-License-Identifier: MIT
"""What the scripts that compare edge with others share."""
import json
import os
import pathlib
import subprocess
import sys

PROGRAM = pathlib.Path(sys.argv[0]).name


def cpu_name():
    try:
        return next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    except (OSError, StopIteration):
        return "unknown"


def answer(command, env=None):
    """What a program prints, which is JSON."""
    command = [str(part) for part in command]
    done = subprocess.run(command, env=env, text=True, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{PROGRAM}: {' '.join(command)}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


class Peer:
    """A program that runs jobs when it is told to: a line in, a line out."""

    def __init__(self, who, command, threads, env=None):
        self.who = who
        env = dict(env or os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                   POLARS_MAX_THREADS=str(threads))
        self.process = subprocess.Popen([str(part) for part in command], env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"{PROGRAM}: {self.who} ended while it ran {' '.join(str(word) for word in words)}")
        return line

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def write_readme(page, name, text):
    """Replaces what stands between the page's lines `<!-- measured: NAME -->` and `<!-- end of measured -->`."""
    begin, end = f"<!-- measured: {name} -->\n", "<!-- end of measured -->"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{PROGRAM}: {page} has no lines '{begin.strip()}' and '{end}'")
    page.write_text(before + begin + text + end + after)
