// SPDX-License-Identifier: MIT
// ONNX Runtime runs the networks that the library writes, and gives the same results.
//   onnxruntime.js ONNX_PEER FOLDER COUNT
'use strict';
const ort = require('onnxruntime-node');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const [peer, folder, count] = process.argv.slice(2);

/** Without dot products of bytes, ONNX Runtime adds pairs of 8-bit products in 16 bits on x86, where they saturate. */
const isExact = process.arch !== 'x64' ||
  (fs.existsSync('/proc/cpuinfo') && /^flags.* (avx_vnni|avx512_vnni)( |$)/m.test(fs.readFileSync('/proc/cpuinfo', 'utf8')));

const floats = (file) => {
  const bytes = fs.readFileSync(path.join(folder, file));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

async function main() {
  fs.rmSync(folder, { recursive: true, force: true });
  execFileSync(peer, [folder, count], { stdio: 'inherit' });
  const failures = [];
  let outputs = 0;
  const worst = {};
  const names = fs.readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));
  for (const name of names) {
    const kind = name.split('_')[0];
    if (kind !== 'net' && !isExact) continue;
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
      worst[kind] = Math.max(worst[kind] ?? 0, difference / largest);
      if (difference > want.tolerance * largest) failures.push(`${name}: ${ours.name} differs by ${difference / largest} of its largest element`);
    }
    await session.release();
  }
  for (const f of failures) console.log(f);
  if (!isExact) console.log('quantized networks: skipped, this processor has no dot products of bytes');
  console.log(`${outputs} outputs of ${names.length} networks, compared with ONNX Runtime ${ort.env.versions.node}: ${failures.length} differ; ` +
    `the worst by ${Object.entries(worst).map(([kind, by]) => `${by.toExponential(1)} (${kind})`).join(', ')}`);
  process.exit(failures.length === 0 && outputs >= Number(count) ? 0 : 1);
}
main();
