#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""MobileNetV2 by edge, ONNX Runtime and PyTorch: the same file in one run, taking turns.

    npm install onnxruntime-node                          in any folder, which --npm names
    mobilenet.py --bin build/release/bin --model mobilenet_v2.onnx --npm FOLDER
    mobilenet.py … --images imagenet-sample --split evaluation    logits compared as well (wants NumPy and Pillow)
    mobilenet.py … --int8 mobilenet_v2.int8.onnx          the quantized network too, by `edge_nn quantize`, in a table of its own;
                   --int8-layers FILE                     the same network in operators of integers, for ONNX Runtime
    mobilenet.py … --json lines.jsonl --readme README.md          the page's table, made anew

Each turn is a program of its own that loads the model and runs it --runs times; the order changes from round to round.
Prints a table, and with --json the lines that it was made from: job, who, threads, median_ms (the median of the rounds'
P50), p95_ms, load_ms, ratio (how many times as fast as who edge is: the median of the rounds' ratios), load_ratio, and for
edge scaling (against one thread) and share_of_peak. Peers that are not there are left out, and named.
"""
import argparse
import csv
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
from peers import answer, cpu_name, write_readme  # noqa: E402
median = statistics.median


class Bench:
    """How each peer is asked for one turn; gives p50_ms, p95_ms, load_ms."""

    def __init__(self, options, job, models):
        """models: the file that each runs. A name is that of a peer, or begins with it and an underscore."""
        self.options = options
        self.job = job
        self.models = models
        self.env = dict(os.environ)
        if options.npm:
            self.env["EDGE_NPM"] = str(options.npm)
        self.versions = {}
        self.whos = [who for who in models if who.startswith("edge") or self.has(who.split("_")[0])]

    def has(self, who):
        if who == "onnxruntime":
            node = shutil.which("node")
            there = node and subprocess.run([node, "-e", "require.resolve('onnxruntime-node')"], env=self.env,
                                            cwd=self.options.npm, capture_output=True).returncode == 0
        else:
            there = subprocess.run([sys.executable, "-c", f"import {who}, onnx"], capture_output=True).returncode == 0
        if not there:
            print(f"mobilenet.py: no {who}", file=sys.stderr)
        return there

    def turn(self, who, threads):
        options = self.options
        env = dict(self.env, OMP_NUM_THREADS=str(threads))
        model = self.models[who].resolve()
        if who.startswith("edge"):
            return answer([options.bin / "edge_nn", "bench", model, "--threads", threads, "--runs", options.runs,
                           "--json"], env)
        command = {"onnxruntime": ["node", HERE / "ort_peer.mjs", "time"],
                   "torch": [sys.executable, HERE / "torch_peer.py"]}[who.split("_")[0]]
        told = answer([*command, model, threads, options.runs], env)
        self.versions[who] = told["version"]
        runs = sorted(told["runs_ms"])
        return {"p50_ms": median(runs), "p95_ms": runs[int(0.95 * len(runs))], "load_ms": told["load_ms"]}

    def measure(self, threads):
        rounds = []
        for _ in range(self.options.rounds):
            order = random.sample(self.whos, len(self.whos))
            taken = {who: self.turn(who, threads) for who in order}
            rounds.append({who: taken[who] for who in self.whos})
        return rounds


def lines_of(bench, rounds, threads, alone_ms, cpu):
    for who in rounds[0]:
        of = lambda key: [r[who][key] for r in rounds]
        line = {"job": bench.job, "who": who, "threads": threads, "median_ms": median(of("p50_ms")),
                "p95_ms": median(of("p95_ms")), "load_ms": median(of("load_ms")),
                "ratio": median(r[who]["p50_ms"] / r["edge"]["p50_ms"] for r in rounds),
                "load_ratio": median(r[who]["load_ms"] / r["edge"]["load_ms"] for r in rounds), "cpu": cpu}
        if who == "edge":
            line["share_of_peak"] = median(of("share_of_peak"))
            line["arena_bytes"] = rounds[0][who]["arena_bytes"]
            line["file_bytes"] = bench.models[who].stat().st_size
            if alone_ms:
                line["scaling"] = alone_ms / line["median_ms"]
        elif not who.startswith("edge"):
            line["version"] = bench.versions[who]
        yield line


def images_of(folder, split, limit):
    """float32 [n, 3, 224, 224], from images that are 224 x 224 already."""
    import numpy
    from PIL import Image
    how = json.loads((folder / "preprocess.json").read_text())
    with open(folder / "labels.csv", newline="") as table:
        files = [row["file"] for row in csv.DictReader(table) if split in ("", row["split"])][:limit]
    channels = 1 if how["channels"] == "RGB" else -1
    pixels = numpy.stack([numpy.asarray(Image.open(folder / f).convert("RGB")) for f in files])[..., ::channels]
    mean, std = (numpy.asarray(how[key], numpy.float32)[::channels] for key in ("mean", "std"))
    return numpy.ascontiguousarray(((pixels - mean) / std).transpose(0, 3, 1, 2), numpy.float32)


def compare_logits(bench):
    """The line about how far edge's logits are from ONNX Runtime's, on the same numbers."""
    import numpy
    options = bench.options
    images = images_of(options.images, options.split, options.limit)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        images.tofile(folder / "images.bin")
        answer(["node", HERE / "ort_peer.mjs", "logits", options.model.resolve(), 1, folder / "images.bin",
                folder / "logits.bin"], bench.env)
        theirs = numpy.fromfile(folder / "logits.bin", numpy.float32).reshape(len(images), -1)
        name = answer([options.bin / "edge_nn", "info", options.model, "--json"], bench.env)["inputs"][0]["name"]
        ours = []
        for first in range(0, len(images), 8):
            numpy.save(folder / "x.npy", images[first:first + 8])
            told = answer([options.bin / "edge_nn", "run", options.model, "-i", f"{name}={folder / 'x.npy'}", "-o",
                           folder, "--json"], bench.env)
            ours.append(numpy.load(told["outputs"][0]["file"]))
    ours = numpy.concatenate(ours).reshape(theirs.shape)
    scale = numpy.abs(theirs).max(axis=1, keepdims=True)
    return {"job": "mobilenet_v2_logits", "who": "edge", "images": len(images),
            "max_relative_error": float((numpy.abs(ours - theirs) / scale).max()),
            "max_absolute_error": float(numpy.abs(ours - theirs).max()),
            "top1_identical": int((ours.argmax(1) == theirs.argmax(1)).sum())}


NAMES = {"edge": "edge", "onnxruntime": "ONNX Runtime", "torch": "PyTorch", "edge_float": "edge, float32",
         "onnxruntime_layers": "ONNX Runtime, operators of integers,"}
HEAD = ("| | threads | P50, ms | P95, ms | load, ms | edge is faster by | edge loads faster by |\n"
        "|---|--:|--:|--:|--:|--:|--:|")


def row_of(line):
    who = NAMES[line["who"]] + (f" {line['version']}" if "version" in line else "")
    ratios = " | " if line["who"] == "edge" else f"{line['ratio']:.2f} | {line['load_ratio']:.1f}"
    return (f"| {who} | {line['threads']} | {line['median_ms']:.2f} | {line['p95_ms']:.2f} | {line['load_ms']:.0f} | " +
            ratios + " |")


def notes_of(lines):
    """What is said below the table."""
    for line in lines:
        if line["job"] == "mobilenet_v2_logits":
            yield (f"Logits of {line['images']} images differ from ONNX Runtime's by {line['max_relative_error']:.1e} of the "
                   f"largest of an image at most; the first class is the same for {line['top1_identical']}.")
        elif line["who"] == "edge":
            scaling = f", {line['scaling']:.2f} times one thread's speed" if "scaling" in line else ""
            threads = f"{line['threads']} thread{'s' if line['threads'] > 1 else ''}"
            memory = f"{line['arena_bytes'] / 2**20:.2f} MiB of activations"
            if line["job"] == "mobilenet_v2":
                yield f"{threads}: {100 * line['share_of_peak']:.0f} % of the machine's multiply-adds{scaling}; {memory}."
            else:
                yield f"{threads}: {memory}, a file of {line['file_bytes'] / 1e6:.2f} MB{scaling}."
    if "cpu" in lines[0]:
        yield f"Measured on: {lines[0]['cpu']}."


def table_of(lines):
    return [HEAD, *(row_of(line) for line in lines if "median_ms" in line), "",
            *(part for note in notes_of(lines) for part in (note, ""))]


def timed(bench):
    alone_ms = None
    for threads in [int(t) for t in bench.options.threads.split(",")]:
        rounds = bench.measure(threads)
        yield from lines_of(bench, rounds, threads, alone_ms, cpu_name())
        if threads == 1:
            alone_ms = median(r["edge"]["p50_ms"] for r in rounds)


def measured(options):
    bench = Bench(options, "mobilenet_v2", {who: options.model for who in ["edge", *options.peers.split(",")] if who})
    lines = list(timed(bench))
    if options.images and "onnxruntime" in bench.whos:
        lines.append(compare_logits(bench))
    if options.int8:
        models = {"edge": options.int8, "edge_float": options.model, "onnxruntime": options.int8}
        if options.int8_layers:
            models["onnxruntime_layers"] = options.int8_layers
        lines += timed(Bench(options, "mobilenet_v2_int8", models))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bin", type=pathlib.Path, help="where edge_nn was built")
    source.add_argument("--lines", type=pathlib.Path, help="JSON lines of an earlier run, for --readme")
    parser.add_argument("--model", type=pathlib.Path, help="MobileNetV2, 224 x 224, as ONNX")
    parser.add_argument("--int8", type=pathlib.Path, help="the same network, quantized")
    parser.add_argument("--int8-layers", type=pathlib.Path, help="and in operators of integers")
    parser.add_argument("--npm", type=pathlib.Path, help="where onnxruntime-node was installed")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--peers", default="onnxruntime,torch")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--runs", type=int, default=30, help="of each turn")
    parser.add_argument("--images", type=pathlib.Path, help="folder with labels.csv and preprocess.json")
    parser.add_argument("--split", default="", help="only these rows of labels.csv")
    parser.add_argument("--limit", type=int, help="only so many images")
    parser.add_argument("--readme", type=pathlib.Path, help="page whose table is to be replaced")
    parser.add_argument("--json", type=pathlib.Path, help="file of JSON lines")
    options = parser.parse_args()
    if options.bin and not options.model:
        parser.error("--bin wants --model")
    if options.lines:
        lines = [json.loads(line) for line in options.lines.read_text().splitlines()]
    else:
        lines = measured(options)
    tables = {"mobilenet": [line for line in lines if not line["job"].endswith("_int8")],
              "mobilenet_int8": [line for line in lines if line["job"].endswith("_int8")]}
    tables = {name: table for name, table in tables.items() if table}
    for table in tables.values():
        print("\n".join(table_of(table)))
    if options.json:
        options.json.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if options.readme:
        for name, table in tables.items():
            write_readme(options.readme, name, "\n".join(table_of(table)))


if __name__ == "__main__":
    main()
