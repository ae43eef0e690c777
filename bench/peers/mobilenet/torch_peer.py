#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PyTorch's part of mobilenet.py: the network with the weights of an ONNX file, traced and frozen.

    torch_peer.py MODEL THREADS RUNS     prints one JSON object: milliseconds to load and of each run
"""
import json
import sys
import time

import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F


class Network(torch.nn.Module):
    """The operators that MobileNetV2 has, in the order of the file."""

    def __init__(self, graph):
        super().__init__()
        self.steps = []
        self.end = graph.output[0].name
        self.begin = graph.input[0].name
        self.weights = {i.name: torch.from_numpy(onnx.numpy_helper.to_array(i).copy()) for i in graph.initializer}
        for node in graph.node:
            settings = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            self.steps.append((node.op_type, list(node.input), node.output[0], settings))

    def forward(self, image):
        values = dict(self.weights)
        values[self.begin] = image
        for op, names, to, settings in self.steps:
            x = [values[name] for name in names]
            values[to] = getattr(self, op)(x, settings)
        return values[self.end]

    @staticmethod
    def Conv(x, settings):
        top, left, bottom, right = settings["pads"]
        if (top, left) == (bottom, right):
            return F.conv2d(x[0], x[1], x[2], settings["strides"], (top, left), 1, settings["group"])
        padded = F.pad(x[0], (left, right, top, bottom))
        return F.conv2d(padded, x[1], x[2], settings["strides"], 0, 1, settings["group"])

    @staticmethod
    def Clip(x, _):
        return torch.clamp(x[0], float(x[1]), float(x[2]))

    @staticmethod
    def Add(x, _):
        return x[0] + x[1]

    @staticmethod
    def GlobalAveragePool(x, _):
        return x[0].mean((2, 3), keepdim=True)

    @staticmethod
    def Flatten(x, _):
        return x[0].flatten(1)

    @staticmethod
    def Gemm(x, settings):
        return F.linear(x[0], x[1] if settings.get("transB") else x[1].t(), x[2])


def main():
    model, threads, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    start = time.perf_counter()
    with torch.inference_mode():
        image = torch.rand(1, 3, 224, 224) * 2 - 1
        network = Network(onnx.load(model).graph).eval()
        network = torch.jit.freeze(torch.jit.trace(network, image))
        loaded = time.perf_counter() - start
        for _ in range(5):
            network(image)
        times = []
        for _ in range(runs):
            before = time.perf_counter()
            network(image)
            times.append((time.perf_counter() - before) * 1e3)
    print(json.dumps({"load_ms": loaded * 1e3, "runs_ms": times, "version": torch.__version__}))


main()
