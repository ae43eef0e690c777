#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What each way to quantize a classifier keeps of its answers, and how long it takes.

    quantization.py --bin build/release/bin --model mobilenet_v2.onnx --images imagenet-sample
    quantization.py … --json lines.jsonl --readme README.md        the page's table, made anew

Images of the split --calibrate are calibrated on, those of --evaluate answered. Prints a table, and with --json the lines
that it was made from: way, seconds, file_bytes, top1, top5 and agreement (with the float model's first class), in percent.
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from peers import answer, write_readme  # noqa: E402

PLAIN = ["--no-equalize", "--no-bias-correct", "--no-learned-rounding"]
WAYS = {
    "per channel": [],
    "per channel, `--observer minmax`, nothing corrected": ["--observer", "minmax", *PLAIN],
    "per channel, `--no-learned-rounding`": ["--no-learned-rounding"],
    "per tensor": ["--weights", "per-tensor"],
    "per tensor, `--observer minmax`, nothing corrected": ["--weights", "per-tensor", "--observer", "minmax", *PLAIN],
    "per tensor, `--no-learned-rounding`": ["--weights", "per-tensor", "--no-learned-rounding"],
}
HEAD = ("| weights and options | top-1, % | top-5, % | agrees with float32, % | file, MB | calibration, s |\n"
        "|---|--:|--:|--:|--:|--:|")


def measured(options):
    nn = options.bin / "edge_nn"

    def evaluated(way, model, seconds):
        told = answer([nn, "eval", model, "--images", options.images, "--split", options.evaluate, "--against",
                       options.model, "--json"])
        return {"way": way, "seconds": seconds, "file_bytes": model.stat().st_size, "images": told["images"],
                "top1": told["top1"], "top5": told["top5"], "agreement": told["agreement"]}

    yield evaluated("float32", options.model, None)
    with tempfile.TemporaryDirectory() as folder:
        for way, more in WAYS.items():
            made = pathlib.Path(folder) / "int8.onnx"
            begin = time.monotonic()
            answer([nn, "quantize", options.model, "--calibrate", options.images, "--split", options.calibrate, *more,
                    "--json", "-o", made])
            yield evaluated(way, made, time.monotonic() - begin)


def table_of(lines):
    def row(line):
        seconds = "" if line["seconds"] is None else f"{line['seconds']:.1f}"
        return (f"| {line['way']} | {line['top1']:.1f} | {line['top5']:.1f} | {line['agreement']:.1f} | "
                f"{line['file_bytes'] / 1e6:.2f} | {seconds} |")
    return "\n".join([HEAD, *map(row, lines), "", f"{lines[0]['images']} images."]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where edge_nn was built")
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a classifier of images, as ONNX")
    parser.add_argument("--images", type=pathlib.Path, required=True, help="folder with labels.csv")
    parser.add_argument("--calibrate", default="calibration", help="split to calibrate on")
    parser.add_argument("--evaluate", default="evaluation", help="split to be answered")
    parser.add_argument("--readme", type=pathlib.Path, help="page whose table is to be replaced")
    parser.add_argument("--json", type=pathlib.Path, help="file of JSON lines")
    options = parser.parse_args()
    lines = list(measured(options))
    print(table_of(lines))
    if options.json:
        options.json.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if options.readme:
        write_readme(options.readme, "quantization", table_of(lines))


if __name__ == "__main__":
    main()
