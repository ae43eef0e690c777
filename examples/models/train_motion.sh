#!/bin/sh
# Makes the motion model anew: simulated drives → features → training → INT8 → measured accuracy.
#   sh examples/models/train_motion.sh
# Writes motion.onnx, motion.int8.onnx and motion.json (how well both do) beside itself, and the table in the README. Needs python3-numpy and
# python3-onnx. With EDGE_TEST_DATA set, recordings of real sensors (imu/*/*.csv there) are judged too; none of them is
# trained on.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
models=$root/examples/models
work=$root/build/motion
mkdir -p "$work/calibration"

(cd "$root" && cmake --preset release && cmake --build --preset release --target motion_data edge_nn) >&2
bin=$root/build/release/bin
python=${PYTHON:-python3}

"$bin/motion_data" --seed 1000 --scenarios 500 -x "$work/train_x.npy" -y "$work/train_y.npy"
"$bin/motion_data" --seed 5000 --scenarios 120 -x "$work/test_x.npy" -y "$work/test_y.npy"
"$python" "$models/train_motion.py" train "$work/train_x.npy" "$work/train_y.npy" -o "$models/motion.onnx"
cp "$work/train_x.npy" "$work/calibration/features.npy"
"$bin/edge_nn" quantize "$models/motion.onnx" --calibrate "$work/calibration" --weights per-channel --observer minmax \
    -o "$models/motion.int8.onnx"

for model in motion motion.int8; do
    "$bin/edge_nn" run "$models/$model.onnx" -i "features=$work/test_x.npy" -o "$work/$model"
done
"$python" "$models/train_motion.py" judge "$work/test_y.npy" "$work/motion/probabilities.npy" \
    "$work/motion.int8/probabilities.npy" -o "$work/simulated.json"

# The pipeline carries the model inside, so it is built with the new one.
(cd "$root" && cmake --build --preset release --target edge_pipeline) >&2
recordings=$work/recordings.jsonl
: >"$recordings"
if [ -n "${EDGE_TEST_DATA:-}" ]; then
    for trace in "$EDGE_TEST_DATA"/imu/*/*.csv; do
        for model in motion motion.int8; do
            "$bin/edge_pipeline" --trace "$trace" --model "$models/$model.onnx" --out "$work/replay" --json |
                "$python" -c 'import json,sys; r=json.load(sys.stdin); print(json.dumps({"recording":sys.argv[1],"model":sys.argv[2],"seconds_in_state":r["states"]}))' \
                    "$(basename "$trace" .csv)" "$model" >>"$recordings"
        done
    done
fi
"$python" "$models/train_motion.py" report "$work/simulated.json" "$recordings" -o "$models/motion.json" \
    --readme "$root/README.md"
