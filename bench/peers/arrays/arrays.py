#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""edge beside NumPy, PyTorch, Eigen and xtensor: the same jobs in one run, taking turns.

    arrays.py --bin build/release/bin                     every job, one and two threads
    arrays.py --bin build/release/bin --jobs fused,sum --threads 1 --json lines.jsonl
    arrays.py --bin build/release/bin --readme README.md  the page's table, made anew

Prints a table, and with --json the lines that it was made from: job, n, threads, who, median_ms, ratio (how many times
as fast as who edge is: the median of the rounds' ratios), floor_ratio (the time that the bytes or the multiply-adds
alone take, measured in the same round, as a part of edge's). Peers that are not there are left out, and named.
"""
import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
from peers import Peer, cpu_name, write_readme  # noqa: E402
LARGE = 50_000_000
ELEMENTWISE = ["multiply", "multiply_new", "fused"]
FUNCTIONS = ["exp", "log", "tanh", "sin", "erf"]
REDUCTIONS = [name + axis for name in ("sum", "mean", "var", "argmax") for axis in ("", "_axis0", "_axis1")]


def plan():
    """(job, n, floor job) of each row of the table."""
    rows = [(job, LARGE, "floor_multiply" if job.startswith("multiply") else "floor_fused") for job in ELEMENTWISE]
    rows += [(job, LARGE, "floor_read") for job in REDUCTIONS]
    rows += [(job, n, None) for n in (1_000, 10_000, 100_000) for job in ("multiply", "fused")]
    rows += [(job, 1_000_000, None) for job in FUNCTIONS]
    rows += [("matmul", n, "floor_matmul") for n in (512, 513, 1024, 2048)]
    return rows


def start(binaries, threads):
    peers = []
    for who in ("edge", "eigen", "xtensor"):
        program = binaries / f"edge_peer_arrays_{who}"
        if program.exists():
            peers.append(Peer(who, [program], threads))
        else:
            print(f"arrays.py: no {who}: {program} was not built", file=sys.stderr)
    for who in ("numpy", "torch"):
        if subprocess.run([sys.executable, "-c", f"import {who}"], capture_output=True).returncode == 0:
            peers.append(Peer(who, [sys.executable, HERE / "python_peer.py", who], threads))
        else:
            print(f"arrays.py: no {who}: this Python has no such module", file=sys.stderr)
    if not peers or peers[0].who != "edge":
        raise SystemExit("arrays.py: build edge_peer_arrays_edge first, and name its folder with --bin")
    return peers


def measure(peers, job, n, floor, threads, rounds):
    """Seconds of each round, by who; the floor's too."""
    edge = peers[0]
    turns = [(p.who, p, job) for p in peers] + ([("floor", edge, floor)] if floor else [])
    times = {who: [] for who, _, _ in turns}
    for _ in range(rounds):
        random.shuffle(turns)
        for who, peer, name in turns:
            taken = peer.ask(name, n, threads)
            if taken != "unknown":
                times[who].append(float(taken))
    return {who: list_ for who, list_ in times.items() if list_}


WHOS = {"eigen": "Eigen", "xtensor": "xtensor", "numpy": "NumPy", "torch": "PyTorch"}
HEAD = ("| job | elements | threads | ms | of the floor | " + " | ".join("vs " + w for w in WHOS.values()) + " |\n" +
        "|---|--:|--:|--:|--:|" + "--:|" * len(WHOS))


def row_of(by_who):
    """A line of the table; how many times as fast as each peer."""
    edge = by_who["edge"]
    floor = f"{edge['floor_ratio']:.2f}" if "floor_ratio" in edge else ""
    ratios = [f"{by_who[w]['ratio']:.2f}" if w in by_who else "" for w in WHOS]
    return (f"| {edge['job']} | {edge['n']:,} | {edge['threads']} | {edge['median_ms']:.3g} | {floor} | " +
            " | ".join(ratios) + " |")


def lines_of(job, n, threads, times, cpu):
    ours = times["edge"]
    floor = times.get("floor")
    for who, theirs in times.items():
        if who == "floor":
            continue
        line = {"job": job, "n": n, "who": who, "threads": threads, "median_ms": statistics.median(theirs) * 1e3,
                "ratio": statistics.median(t / o for t, o in zip(theirs, ours)), "cpu": cpu}
        if floor:
            line["floor_ratio"] = statistics.median(f / t for f, t in zip(floor, theirs))
        yield line


def measured(options):
    """Runs the jobs; prints a row for each, and gives the lines."""
    lines = []
    for threads in [int(t) for t in options.threads.split(",")]:
        peers = start(options.bin, threads)
        for job, n, floor in plan():
            if options.jobs and job not in options.jobs.split(","):
                continue
            if options.sizes and str(n) not in options.sizes.split(","):
                continue
            times = measure(peers, job, n, floor, threads, options.rounds)
            if "edge" not in times:
                continue
            row = list(lines_of(job, n, threads, times, cpu_name()))
            lines += row
            print(row_of({line["who"]: line for line in row}), flush=True)
        for peer in peers:
            peer.close()
    return lines


def in_readme(line):
    """Rows that a page has room for: both thread counts where memory is the limit, and for products."""
    job, n, threads = line["job"], line["n"], line["threads"]
    if job == "matmul":
        return n != 513
    if threads == 2:
        return n == LARGE and job in ("multiply", "multiply_new", "fused", "sum", "var", "argmax")
    return job != "multiply" or n != 10_000


def page_of(lines):
    rows = {}
    for line in filter(in_readme, lines):
        rows.setdefault((line["job"], line["n"], line["threads"]), {})[line["who"]] = line
    return "\n".join([HEAD, *map(row_of, rows.values()), "", f"Measured on: {lines[0]['cpu']}.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bin", type=pathlib.Path, help="where edge_peer_arrays_* were built")
    source.add_argument("--lines", type=pathlib.Path, help="JSON lines of an earlier run, for --readme")
    parser.add_argument("--jobs", help="names of jobs, separated by commas; default: all")
    parser.add_argument("--sizes", help="only these numbers of elements")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--readme", type=pathlib.Path, help="page whose table is to be replaced")
    parser.add_argument("--json", type=pathlib.Path, help="file of JSON lines")
    options = parser.parse_args()
    if options.lines:
        lines = [json.loads(line) for line in options.lines.read_text().splitlines()]
    else:
        print(HEAD)
        lines = measured(options)
    if options.json:
        options.json.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if options.readme:
        write_readme(options.readme, "arrays", page_of(lines))


if __name__ == "__main__":
    main()
