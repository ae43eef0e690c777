// SPDX-License-Identifier: MIT
// ONNX Runtime runs the networks that the library writes, and gives the same results.
//   onnxruntime.js ONNX_PEER FOLDER COUNT
'use strict';
const ort = require('onnxruntime-node');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const [peer, folder, count] = process.argv.slice(2);
/** Of the largest result: what sums in another order may differ by. */
const tolerance = 1e-4;

const floats = (file) => {
  const bytes = fs.readFileSync(path.join(folder, file));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

async function main() {
  fs.rmSync(folder, { recursive: true, force: true });
  execFileSync(peer, [folder, count], { stdio: 'inherit' });
  const failures = [];
  let outputs = 0;
  let worst = 0;
  for (let i = 0; i < Number(count); i++) {
    const name = `net_${i}`;
    const want = JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8'));
    const session = await ort.InferenceSession.create(path.join(folder, `${name}.onnx`), { intraOpNumThreads: 1 });
    const results = await session.run({ x: new ort.Tensor('float32', floats(want.input.data), want.input.dims) });
    for (const ours of want.outputs) {
      outputs++;
      const theirs = results[ours.name];
      if (String(theirs.dims) !== String(ours.dims)) {
        failures.push(`${name}: ${ours.name} is ${ours.dims}, not ${theirs.dims}`);
        continue;
      }
      const a = floats(ours.data);
      let largest = 1e-30;
      let difference = 0;
      for (let k = 0; k < a.length; k++) {
        largest = Math.max(largest, Math.abs(theirs.data[k]));
        const d = Math.abs(a[k] - theirs.data[k]);
        difference = Number.isNaN(d) ? Infinity : Math.max(difference, d);
      }
      worst = Math.max(worst, difference / largest);
      if (difference > tolerance * largest) failures.push(`${name}: ${ours.name} differs by ${difference / largest} of its largest element`);
    }
    await session.release();
  }
  for (const f of failures) console.log(f);
  console.log(`${outputs} outputs of ${count} networks, compared with ONNX Runtime ${ort.env.versions.node}: ${failures.length} differ; the worst by ${worst.toExponential(1)}`);
  process.exit(failures.length === 0 && outputs >= Number(count) ? 0 : 1);
}
main();
