// SPDX-License-Identifier: MIT
// ONNX Runtime's part of mobilenet.py: prints one JSON object.
//
//   ort_peer.mjs time MODEL THREADS RUNS            milliseconds to load and of each run, one image of random numbers
//   ort_peer.mjs logits MODEL THREADS IN OUT        float32 images, one after the other, to float32 logits
//
// onnxruntime-node is looked for from the folder that EDGE_NPM names, else from the working directory.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const require = createRequire(join(resolve(process.env.EDGE_NPM ?? '.'), 'package.json'));
const ort = require('onnxruntime-node');

const [job, model, threads, ...rest] = process.argv.slice(2);
const start = performance.now();
const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
});
const loaded = performance.now() - start;
const [input] = session.inputNames;
const [output] = session.outputNames;
const image = 3 * 224 * 224;
const run = async (pixels) =>
  (await session.run({ [input]: new ort.Tensor('float32', pixels, [1, 3, 224, 224]) }))[output].data;

if (job === 'time') {
  const pixels = Float32Array.from({ length: image }, () => 2 * Math.random() - 1);
  for (let i = 0; i < 3; ++i) await run(pixels);
  const runs = [];
  for (let i = 0; i < Number(rest[0]); ++i) {
    const before = performance.now();
    await run(pixels);
    runs.push(performance.now() - before);
  }
  console.log(JSON.stringify({ load_ms: loaded, runs_ms: runs, version: require('onnxruntime-node/package.json').version }));
} else {
  const bytes = readFileSync(rest[0]);
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const logits = [];
  for (let i = 0; i < all.length; i += image) logits.push(Float32Array.from(await run(all.slice(i, i + image))));
  writeFileSync(rest[1], Buffer.concat(logits.map((l) => Buffer.from(l.buffer))));
  console.log(JSON.stringify({ images: logits.length }));
}
