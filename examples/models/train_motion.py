#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains the motion model of edge_pipeline on simulated drives, and says how well it does. See train_motion.sh.

usage: train_motion.py train X.npy Y.npy -o motion.onnx
       train_motion.py judge Y.npy FLOAT.npy INT8.npy -o simulated.json
       train_motion.py report simulated.json recordings.jsonl -o motion.json [--readme README.md]

The arrays come from motion_data: features [n, 9] float32 as examples/pipeline/motion.hpp names them, and labels [n] int32:
0 STILL, 1 MOVING, 2 SHAKING. A multilayer perceptron 9-24-16-3 with ReLU, softmax at the end; Adam on the cross entropy.
The normalization of the features is folded into the first layer, so the model takes them as they are.

Needs python3-numpy and python3-onnx. Deterministic for a seed.
"""
import argparse
import json

import numpy as np


def forward(layers, x):
    """Activations of every layer; the last are logits."""
    out = [x]
    for i, (w, b) in enumerate(layers):
        x = x @ w + b
        if i + 1 < len(layers):
            x = np.maximum(x, 0)
        out.append(x)
    return out


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def train(x, y, sizes, epochs, rng):
    layers = [
        (rng.normal(0, np.sqrt(2 / a), (a, b)), np.zeros(b)) for a, b in zip(sizes, sizes[1:])
    ]
    flat = [p for layer in layers for p in layer]
    first = [np.zeros_like(p) for p in flat]
    second = [np.zeros_like(p) for p in flat]
    weight = len(y) / (len(np.unique(y)) * np.bincount(y))  # classes count the same however often they occur
    onehot = np.eye(sizes[-1])[y]
    step, batch = 0, 256
    for epoch in range(epochs):
        rate = 3e-3 * (0.5 + 0.5 * np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            # Noise on the features stands for mounts, roads and sensors that the simulator does not have.
            acts = forward(layers, x[rows] + rng.normal(0, 0.05, x[rows].shape))
            grad = (softmax(acts[-1]) - onehot[rows]) * weight[y[rows], None] / len(rows)
            grads = []
            for i in reversed(range(len(layers))):
                grads = [acts[i].T @ grad + 1e-4 * layers[i][0], grad.sum(0)] + grads
                grad = (grad @ layers[i][0].T) * (acts[i] > 0)
            step += 1
            for p, g, m, v in zip(flat, grads, first, second):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return layers


def to_onnx(layers, names):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights, value = [], [], "features"
    for i, (w, b) in enumerate(layers):
        last = i + 1 == len(layers)
        weights += [
            numpy_helper.from_array(w.astype(np.float32), f"w{i}"),
            numpy_helper.from_array(b.astype(np.float32), f"b{i}"),
        ]
        result = "logits" if last else f"h{i}"
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [result], f"dense{i}"))
        value = result
        if not last:
            nodes.append(helper.make_node("Relu", [value], [f"a{i}"], f"relu{i}"))
            value = f"a{i}"
    nodes.append(helper.make_node("Softmax", [value], ["probabilities"], "softmax", axis=1))
    n_in, n_out = layers[0][0].shape[0], layers[-1][0].shape[1]
    graph = helper.make_graph(
        nodes,
        "motion",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", n_in])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", n_out])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="edge")
    model.ir_version = 7
    model.metadata_props.add(key="classes", value=",".join(names))
    onnx.checker.check_model(model)
    return model


STATES = ("STILL", "MOVING", "SHAKING")


def train_command(args):
    import onnx

    x, y = (np.load(f) for f in args.files)
    mean, std = x.mean(0), x.std(0)
    layers = train((x - mean) / std, y, [x.shape[1], 24, 16, 3], args.epochs, np.random.default_rng(args.seed))
    w, b = layers[0]
    layers[0] = (w / std[:, None], b - (mean / std) @ w)
    guess = forward(layers, x.astype(np.float64))[-1].argmax(1)
    print(f"train: {len(y)} windows, {100 * (guess == y).mean():.2f}% right")
    onnx.save(to_onnx(layers, STATES), args.output)


def judge_command(args):
    y, exact, int8 = (np.load(f) for f in args.files)

    def confusion(p):
        table = np.zeros((3, 3), int)
        np.add.at(table, (y, p.argmax(1)), 1)
        return table.tolist()

    result = {
        "windows": len(y),
        "float32_accuracy": round(float((exact.argmax(1) == y).mean()), 4),
        "int8_accuracy": round(float((int8.argmax(1) == y).mean()), 4),
        "same_answer": round(float((exact.argmax(1) == int8.argmax(1)).mean()), 4),
        "states": STATES,
        "int8_confusion_rows_truth": confusion(int8),
    }
    with open(args.output, "w") as f:
        json.dump(result, f)


def report_command(args):
    with open(args.files[0]) as f:
        result = {"simulated_test": json.load(f)}
    with open(args.files[1]) as f:
        result["recordings"] = [json.loads(line) for line in f]
    with open(args.output, "w") as f:
        json.dump(result, f, indent=2)
        f.write("\n")
    if args.readme:
        write_table(result, args.readme)


def write_table(result, page):
    """Puts the figures between the marks of the page."""
    test = result["simulated_test"]
    lines = [
        "| simulated drives, not trained on | float32 | INT8 |",
        "|---|---|---|",
        f"| right of {test['windows']} windows | {100 * test['float32_accuracy']:.1f} % "
        f"| {100 * test['int8_accuracy']:.1f} % |",
        f"| same answer | | {100 * test['same_answer']:.1f} % |",
    ]
    rows = [r for r in result["recordings"] if r["model"] == "motion.int8"]
    if rows:
        lines += ["", "| recording | " + " | ".join(f"{s} s" for s in STATES) + " |", "|---|---|---|---|"]
        for r in rows:
            seconds = " | ".join(f"{r['seconds_in_state'][s]:.0f}" for s in STATES)
            lines.append(f"| {r['recording']} | {seconds} |")
    with open(page) as f:
        text = f.read()
    begin, end = "<!-- motion:begin -->\n", "<!-- motion:end -->"
    head, tail = text.split(begin)[0], text.split(end)[1]
    with open(page, "w") as f:
        f.write(head + begin + "\n".join(lines) + "\n" + end + tail)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, run, count in (("train", train_command, 2), ("judge", judge_command, 3), ("report", report_command, 2)):
        command = commands.add_parser(name)
        command.add_argument("files", nargs=count)
        command.add_argument("-o", "--output", required=True)
        command.add_argument("--readme")
        command.add_argument("--epochs", type=int, default=60)
        command.add_argument("--seed", type=int, default=1)
        command.set_defaults(run=run)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
