#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""edge beside DuckDB, Polars and pandas: the same jobs over the same tables in one run, taking turns.

    npm install @duckdb/node-api nodejs-polars            in any folder, which --npm names
    tables.py --bin build/release/bin --npm FOLDER
    tables.py … --jobs group_mean,sort --rows-scale 0.01  some jobs, on tables of a hundredth of the rows
    tables.py … --large 100000000                         the group-bys of a Parquet file of so many rows, too, which no
                                                          program holds in memory: each in a process of its own
    tables.py … --json lines.jsonl --readme README.md     the page's table, made anew

Inputs are in each program's memory, strings that repeat as its categories, and results are made whole there; CSV files
lie in --folder, by default in memory too. Peers do a job in each of several ways, and the quickest one counts. The time
is that of the job alone, without starting the program. Results are compared first: rows, and the sum of each column.

Prints a table, and with --json the lines that it was made from: job, who, threads, median_ms, ratio (how many times as
fast as who edge is: the median of the rounds' ratios), for the first job floor_ratio (the time that reading the memory
alone takes, as a part of edge's), with --large peak_mib. Peers that are not there are left out, and named.
"""
import argparse
import contextlib
import json
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from statistics import median

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
from peers import Peer, cpu_name, write_readme  # noqa: E402

JOBS = {
    "group_mean": "mean by 1,000 integers, 5e6 rows",
    "q1": "1: sum by a string of 100",
    "q2": "2: sum by two strings",
    "q3": "3: sum, mean by a string of 1e5",
    "q4": "4: three means by an integer of 100",
    "q5": "5: three sums by an integer of 1e5",
    "q6": "6: median, std by two integers",
    "q7": "7: max - min by a string of 1e5",
    "q8": "8: largest two by an integer of 1e5",
    "q9": "9: squared correlation by a string and an integer",
    "q10": "10: sum, count by all six",
    "csv_read": "CSV read, 1e6 × (time, id, 7 floats)",
    "csv_write": "CSV write, the same",
    "rolling": "rolling mean, min, max, std of 100, by id, 1e6 rows",
    "asof": "as-of join, 1e6 with 1e6, by id",
    "sort": "sort by two columns, 1e7 rows",
    "pipeline": "CSV, means by id, Parquet, 1e6 rows",
}
QUESTIONS = [f"q{i}" for i in range(1, 11)]
FLOORS = {"group_mean": "floor_group_mean"}
WHOS = {"duckdb": "DuckDB", "polars": "Polars", "pandas": "pandas"}


def say(text):
    print(f"tables.py: {text}", file=sys.stderr)


def has_package(options, name):
    command = ["node", "-e", f"require(require.resolve('{name}', {{paths: [process.cwd()]}}))"]
    return shutil.which("node") and subprocess.run(command, cwd=options.npm, capture_output=True).returncode == 0


def commands(options):
    """How each program is started; what is not there is left out."""
    folder = options.folder
    found = {"edge": [options.bin / "edge_peer_tables", "serve", folder]}
    node = ["node", "--expose-gc", "--max-old-space-size=8192"]
    for who, package, more in (("duckdb", "@duckdb/node-api", [options.threads]), ("polars", "nodejs-polars", [])):
        if has_package(options, package):
            found[who] = [*node, HERE / f"{who}_peer.mjs", folder, *more]
        else:
            say(f"no {who}: {package} is not in {options.npm}")
    if subprocess.run([options.python, "-c", "import pandas"], capture_output=True).returncode == 0:
        found["pandas"] = [options.python, HERE / "pandas_peer.py", folder]
    else:
        say(f"no pandas: {options.python} has no such module")
    return {who: command for who, command in found.items() if who == "edge" or who in options.peers.split(",")}


def environment(options):
    return dict(os.environ, EDGE_NPM=str(options.npm), POLARS_MAX_THREADS=str(options.threads),
                OMP_NUM_THREADS=str(options.threads))


def same_results(job, told):
    """Ends the program unless all agree; a column that a peer has and edge has not is a difference as well."""
    ours = told["edge"]
    for who, theirs in told.items():
        differ = [name for name in {*ours, *theirs} if not (name in ours and name in theirs and math.isclose(
            ours[name], theirs[name], rel_tol=1e-7, abs_tol=1e-9))]
        if differ:
            raise SystemExit(f"tables.py: {job}: edge and {who} differ in {', '.join(sorted(differ))}: {ours}, {theirs}")


def remove_written(folder, who):
    """What a program wrote earlier: to take the place of a file would cost those more that keep the old one until then."""
    for name in (f"{who}.csv", f"{who}.parquet", f"{who}_means.csv"):
        (folder / name).unlink(missing_ok=True)


def measure(peers, job, rounds, folder):
    """Seconds of each round, by who; the floor's too."""
    told = {who: json.loads(peer.ask("check", job)) for who, peer in peers.items()}
    missing = [who for who, sums in told.items() if not sums]
    if "edge" in missing:
        say(f"{job}: edge has no such job")
        return {}
    present = {who: peer for who, peer in peers.items() if who not in missing}
    same_results(job, {who: told[who] for who in present})
    turns = [(who, peer, job) for who, peer in present.items()]
    if job in FLOORS:
        turns.append(("floor", peers["edge"], FLOORS[job]))
    times = {who: [] for who, _, _ in turns}
    for i in range(rounds + 1):
        random.shuffle(turns)
        for who, peer, name in turns:
            remove_written(folder, peer.who)
            seconds = json.loads(peer.ask("run", name))["seconds"]
            if i > 0:  # the first warms up
                times[who].append(seconds)
    return times


def lines_of(job, times, options, more=None):
    ours = times["edge"]
    for who, theirs in times.items():
        if who == "floor":
            continue
        line = {"job": job, "who": who, "threads": options.threads, "rows_scale": options.rows_scale,
                "median_ms": median(theirs) * 1e3, "ratio": median(t / o for t, o in zip(theirs, ours)),
                "cpu": cpu_name(), **(more or {}).get(who, {})}
        if "floor" in times and who == "edge":
            line["floor_ratio"] = median(f / t for f, t in zip(times["floor"], ours))
        yield line


def measured(options, jobs):
    peers = {who: Peer(who, command, options.threads, environment(options)) for who, command in commands(options).items()}
    totals = {}
    for job in jobs:
        times = measure(peers, job, options.rounds, options.folder)
        if times:
            yield from lines_of(job, times, options)
            if job in QUESTIONS:
                totals[job] = times
    for peer in peers.values():
        peer.close()
    if len(totals) == len(QUESTIONS):
        whos = [who for who in peers if all(who in times for times in totals.values())]
        sums = {who: [sum(seconds) for seconds in zip(*(times[who] for times in totals.values()))] for who in whos}
        yield from lines_of("questions", sums, options)


def alone(command, env):
    """What a process prints, and the most memory that it had, in MiB."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([str(part) for part in command], env=env, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            return None, usage.ru_maxrss / 1024
        out.seek(0)
        return json.load(out), usage.ru_maxrss / 1024


def streamed(options, jobs):
    """Questions about a file, each in a process of its own that reads it by parts."""
    env = environment(options)
    file = options.folder / "large"
    subprocess.run([options.bin / "edge_peer_tables", "make_large", file, str(options.large)], check=True, env=env)
    started = commands(options)
    for job in jobs:
        times, memory, told = {}, {}, {}
        for _ in range(options.large_rounds):
            for who, command in started.items():
                if who == "pandas" or (who in times and not times[who]):
                    continue
                command = [file if part == options.folder else part for part in command]
                if who == "edge":
                    command = [command[0], "stream", file, job]
                else:
                    command += ["stream", job]
                answer, peak = alone(command, env)
                if answer is None:
                    say(f"{job} of {options.large} rows: {who} failed with {peak:.0f} MiB")
                    times[who] = []
                    continue
                times.setdefault(who, []).append(answer.pop("seconds"))
                memory[who] = max(peak, memory.get(who, 0))
                told[who] = answer
        times = {who: taken for who, taken in times.items() if taken}
        if "edge" in times:
            same_results(job, told)
            peaks = {who: {"peak_mib": peak, "rows": options.large} for who, peak in memory.items()}
            yield from lines_of(f"large_{job}", times, options, peaks)


HEAD = "| job | ms | " + " | ".join(f"{who}, ms | edge is faster by" for who in WHOS.values()) + " |\n|---|--:|" + \
       "--:|--:|" * len(WHOS)
LARGE_HEAD = "| question | s | MiB | DuckDB, s | MiB | edge is faster by |\n|---|--:|--:|--:|--:|--:|"


def number(x):
    return f"{x:.0f}" if x >= 100 else f"{x:.3g}"


def row_of(by_who):
    """A line of the table."""
    job = by_who["edge"]["job"]
    name = "the ten questions together" if job == "questions" else JOBS[job]
    cells = [f"{number(by_who[w]['median_ms'])} | {by_who[w]['ratio']:.2f}" if w in by_who else " | " for w in WHOS]
    return f"| {name} | {number(by_who['edge']['median_ms'])} | " + " | ".join(cells) + " |"


def large_row_of(by_who):
    job = by_who["edge"]["job"].removeprefix("large_")
    cells = lambda line: f"{line['median_ms'] / 1e3:.2f} | {line['peak_mib']:.0f}"
    theirs = f"{cells(by_who['duckdb'])} | {by_who['duckdb']['ratio']:.2f}" if "duckdb" in by_who else " | | "
    name = JOBS[job].replace("1e5", f"{by_who['edge']['rows'] // 100:.0e}".replace("+0", ""))
    return f"| {name} | {cells(by_who['edge'])} | {theirs} |"


def page_of(lines):
    rows = {}
    for line in lines:
        rows.setdefault(line["job"], {})[line["who"]] = line
    small = [row for job, row in rows.items() if not job.startswith("large_")]
    large = [row for job, row in rows.items() if job.startswith("large_")]
    text = [HEAD, *map(row_of, small), ""] if small else []
    if "floor_ratio" in rows.get("group_mean", {}).get("edge", {}):
        text += [f"The first job takes {1 / rows['group_mean']['edge']['floor_ratio']:.2f} times as long as reading its "
                 "memory and doing nothing.", ""]
    if large:
        text += [f"Groups of a Parquet file of {large[0]['edge']['rows']:,} rows, read by parts:", "", LARGE_HEAD,
                 *map(large_row_of, large), ""]
    first = lines[0]
    return "\n".join([*text, f"{first['threads']} threads; pandas has one, and writes CSV where the others write Parquet. "
                      f"Measured on: {first['cpu']}.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bin", type=pathlib.Path, help="where edge_peer_tables was built")
    source.add_argument("--lines", type=pathlib.Path, help="JSON lines of an earlier run, for --readme")
    parser.add_argument("--npm", type=pathlib.Path, default=pathlib.Path("."), help="where the packages were installed")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has pandas")
    parser.add_argument("--peers", default=",".join(WHOS))
    parser.add_argument("--jobs", default=",".join(JOBS), help="names, separated by commas; q for the ten questions")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows-scale", type=float, default=1, help="times as many rows")
    parser.add_argument("--folder", type=pathlib.Path, help="for the files; default: a new one below /dev/shm or /tmp")
    parser.add_argument("--large", type=int, default=0, help="rows of the file that is read by parts")
    parser.add_argument("--large-jobs", default=",".join(QUESTIONS[:-1]),
                        help="the result of q10 is nearly the file, and as large in memory")
    parser.add_argument("--large-rounds", type=int, default=3)
    parser.add_argument("--readme", type=pathlib.Path, help="page whose table is to be replaced")
    parser.add_argument("--json", type=pathlib.Path, help="file of JSON lines")
    options = parser.parse_args()
    if options.lines:
        lines = [json.loads(line) for line in options.lines.read_text().splitlines()]
    else:
        lines = run(options)
    if not lines:
        raise SystemExit("tables.py: no job was run")
    print(page_of(lines))
    if options.json:
        options.json.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if options.readme:
        write_readme(options.readme, "tables", page_of(lines))


def run(options):
    jobs = [job for name in options.jobs.split(",") if name for job in (QUESTIONS if name == "q" else [name])]
    unknown = set(jobs) - set(JOBS)
    if unknown:
        raise SystemExit(f"tables.py: no job {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    lines = []
    with contextlib.ExitStack() as stack:
        if not options.folder:
            below = next(f for f in ("/dev/shm", tempfile.gettempdir()) if os.access(f, os.W_OK))
            options.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=below)))
        if jobs:
            begin = time.monotonic()
            pandas = ["pandas"] if "pandas" in commands(options) else []
            make = [options.bin / "edge_peer_tables", "make", options.folder, str(options.rows_scale), *pandas]
            subprocess.run(make, check=True, env=environment(options))
            say(f"inputs made in {time.monotonic() - begin:.0f} s")
            for line in measured(options, jobs):
                if line["who"] == "edge":
                    say(f"{line['job']}: {line['median_ms']:.3g} ms")
                else:
                    say(f"    {line['who']}: {line['median_ms']:.3g} ms, {line['ratio']:.2f}")
                lines.append(line)
        if options.large:
            lines += streamed(options, options.large_jobs.split(","))
    return lines


if __name__ == "__main__":
    main()
