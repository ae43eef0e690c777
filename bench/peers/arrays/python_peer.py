#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""NumPy's or PyTorch's side of the comparison of array libraries: python_peer.py numpy|torch. As peer.hpp."""
import os
import sys
import time

import numpy as np


def inputs(n, seed):
    bits = (np.arange(n, dtype=np.uint64) + np.uint64(seed)) * np.uint64(2654435761)
    return (bits % np.uint64(4001)).astype(np.float32) / np.float32(1000) - np.float32(2)


def numpy_jobs(n, _):
    """Jobs of NumPy: all but products run on one thread, whatever is asked."""
    arrays = {}

    def get(name):
        if not arrays:
            arrays.update(a=inputs(n, 0), b=inputs(n, 7), c=inputs(n, 99), out=np.empty(n, np.float32))
            arrays["positive"] = np.abs(arrays["a"]) + np.float32(0.5)
        return arrays[name]

    def matrix():
        if "m" not in arrays:
            arrays["m"] = inputs(n, 0).reshape(-1, 10000)
        return arrays["m"]

    def square(name, seed):
        if name not in arrays:
            arrays[name] = inputs(n * n, seed).reshape(n, n)
        return arrays[name]

    jobs = {"matmul": lambda: square("sa", 0) @ square("sb", 7)}
    jobs.update({
        "multiply": lambda: np.multiply(get("a"), get("b"), out=get("out")),
        "multiply_new": lambda: get("a") * get("b"),
        "fused": lambda: get("a") * get("b") + np.float32(2) * get("c") - np.sqrt(np.abs(get("a"))),
        "exp": lambda: np.exp(get("a"), out=get("out")),
        "log": lambda: np.log(get("positive"), out=get("out")),
        "tanh": lambda: np.tanh(get("a"), out=get("out")),
        "sin": lambda: np.sin(get("a"), out=get("out")),
        "sum": lambda: matrix().sum(), "mean": lambda: matrix().mean(),
        "var": lambda: matrix().var(), "argmax": lambda: matrix().argmax()})
    for axis in (0, 1):
        for name in ("sum", "mean", "var", "argmax"):
            jobs[f"{name}_axis{axis}"] = lambda name=name, axis=axis: getattr(matrix(), name)(axis=axis)
    try:
        from scipy.special import erf
        jobs["erf"] = lambda: erf(get("a"), out=get("out"))
    except ImportError:
        pass
    return jobs


def torch_jobs(n, threads):
    import torch
    torch.set_num_threads(threads)
    arrays = {}

    def get(name):
        if not arrays:
            for key, seed in (("a", 0), ("b", 7), ("c", 99), ("out", 0)):
                arrays[key] = torch.from_numpy(inputs(n, seed))
            arrays["positive"] = torch.abs(arrays["a"]) + 0.5
        return arrays[name]

    def matrix():
        if "m" not in arrays:
            arrays["m"] = torch.from_numpy(inputs(n, 0).reshape(-1, 10000))
        return arrays["m"]

    def square(name, seed):
        if name not in arrays:
            arrays[name] = torch.from_numpy(inputs(n * n, seed).reshape(n, n))
        return arrays[name]

    jobs = {
        "matmul": lambda: square("sa", 0) @ square("sb", 7),
        "multiply": lambda: torch.mul(get("a"), get("b"), out=get("out")),
        "multiply_new": lambda: get("a") * get("b"),
        "fused": lambda: get("a") * get("b") + 2 * get("c") - torch.sqrt(torch.abs(get("a"))),
        "exp": lambda: torch.exp(get("a"), out=get("out")),
        "log": lambda: torch.log(get("positive"), out=get("out")),
        "tanh": lambda: torch.tanh(get("a"), out=get("out")),
        "sin": lambda: torch.sin(get("a"), out=get("out")),
        "erf": lambda: torch.erf(get("a"), out=get("out")),
        "sum": lambda: matrix().sum(), "mean": lambda: matrix().mean(),
        "var": lambda: matrix().var(unbiased=False), "argmax": lambda: matrix().argmax()}
    for axis in (0, 1):
        for name in ("sum", "mean", "argmax"):
            jobs[f"{name}_axis{axis}"] = lambda name=name, axis=axis: getattr(matrix(), name)(dim=axis)
        jobs[f"var_axis{axis}"] = lambda axis=axis: matrix().var(dim=axis, unbiased=False)
    return jobs


def seconds(run, runs):
    start = time.perf_counter()
    for _ in range(runs):
        run()
    return time.perf_counter() - start


def main():
    make = {"numpy": numpy_jobs, "torch": torch_jobs}[sys.argv[1]]
    jobs, runs_of, current = {}, {}, None
    for line in sys.stdin:
        name, *size = line.split()
        if size != current:
            jobs, runs_of = {}, {}  # frees the inputs of the last size first
            jobs = make(*map(int, size))
            current = size
        run = jobs.get(name)
        if run and name not in runs_of:
            run()
            runs_of[name] = 1
            while seconds(run, runs_of[name]) < 0.01:
                runs_of[name] *= 2
        runs = runs_of.get(name, 1)
        print(f"{seconds(run, runs) / runs:.9f}" if run else "unknown", flush=True)


if __name__ == "__main__":
    main()
