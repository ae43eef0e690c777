# SPDX-License-Identifier: MIT
"""pandas' part of tables.py, which has one thread. There is no Parquet in it here: inputs are a .npy file a column, and
what a pipeline writes is CSV. Reads `run JOB` and `check JOB`, as peer.mjs says."""
import json
import pathlib
import sys
import time

import numpy
import pandas

folder = pathlib.Path(sys.argv[1])
floats = ["ax", "ay", "az", "gx", "gy", "gz", "temp"]
by = lambda x, *keys: x.groupby(list(keys), as_index=False, sort=False, observed=True)


def load(name):
    columns = {}
    for path in sorted((folder / name).glob("*.npy")):
        values = numpy.load(path)
        words = path.with_suffix(".txt")
        if words.exists():
            values = pandas.Categorical.from_codes(values, words.read_text().splitlines())
        columns[path.stem.split("-", 1)[1]] = values.astype("datetime64[ns]") if path.stem.endswith("-ts") else values
    return pandas.DataFrame(columns, copy=False)


def written(frame, name):
    frame.to_csv(folder / name, index=False)
    return folder / name


def rolling(sensors):
    window = sensors.groupby("id", sort=False)["ax"].rolling(100, min_periods=1)
    return pandas.DataFrame({"mean": window.mean(), "min": window.min(), "max": window.max(), "std": window.std()})


read = lambda: pandas.read_csv(folder / "sensors.csv", parse_dates=["ts"])
jobs = {
    "group_mean": (["readings"], lambda r: by(r, "id")["x"].mean()),
    "csv_read": ([], read),
    "csv_write": (["sensors"], lambda s: written(s, "pandas.csv")),
    "rolling": (["sensors"], rolling),
    "asof": (["imu", "gnss"], lambda l, r: pandas.merge_asof(l, r, on="ts", by="id")),
    "sort": (["keys"], lambda k: k.sort_values(["k1", "k2"])),
    "pipeline": ([], lambda: written(by(read(), "id")[floats].mean(), "pandas_means.csv")),
    "q1": (["x"], lambda x: by(x, "id1")["v1"].sum()),
    "q2": (["x"], lambda x: by(x, "id1", "id2")["v1"].sum()),
    "q3": (["x"], lambda x: by(x, "id3").agg({"v1": "sum", "v3": "mean"})),
    "q4": (["x"], lambda x: by(x, "id4")[["v1", "v2", "v3"]].mean()),
    "q5": (["x"], lambda x: by(x, "id6")[["v1", "v2", "v3"]].sum()),
    "q6": (["x"], lambda x: by(x, "id4", "id5").agg(median_v3=("v3", "median"), sd_v3=("v3", "std"))),
    "q7": (["x"], lambda x: by(x, "id3").agg(v1=("v1", "max"), v2=("v2", "min")).eval("range_v1_v2 = v1 - v2")
           .drop(columns=["v1", "v2"])),
}


def sums(frame, ordered):
    if isinstance(frame, pathlib.Path):
        frame = pandas.read_csv(frame, parse_dates=["ts"] if frame.name == "pandas.csv" else False)
    told = {"rows": len(frame)}
    for name, values in frame.items():
        if isinstance(values.dtype, pandas.CategoricalDtype):
            continue
        if values.dtype.kind == "M":
            values = values.astype("int64") / 1e9
        values = values.to_numpy("float64")
        told[name] = float(numpy.nansum(values * (numpy.arange(len(values)) % 1009) if ordered else values))
    return told


inputs = {}
for line in sys.stdin:
    what, name = line.split()
    told = {}
    if name in jobs:
        needs, run = jobs[name]
        inputs = {key: value for key, value in inputs.items() if key in needs}
        for key in needs:
            if key not in inputs:
                inputs[key] = load(key)
        begin = time.perf_counter()
        result = run(*(inputs[key] for key in needs))
        told = {"seconds": time.perf_counter() - begin} if what == "run" else sums(result, name == "sort")
        del result
    print(json.dumps(told), flush=True)
