// SPDX-License-Identifier: MIT
// A program that runs jobs when it is told to:
//     run JOB      one line in; one line out: {"seconds": …}
//     check JOB    {"rows": …, "COLUMN": sum of its values, …}
// {} for a job that it has not. A job may have several ways to the same result: the first time that it is run, each is
// tried twice, and the quickest is kept.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import path from 'node:path';

export const npm = createRequire(path.join(path.resolve(process.env.EDGE_NPM || '.'), 'package.json'));

/**
 * @param jobs   name: {inputs: [NAME], ways: [function of the inputs], ordered}
 * @param peer   load(name) gives an input, drop(name, input) lets it go; sums(result, ordered) are those of a check;
 *               forget(result) lets go of a result
 */
export async function serve(jobs, peer) {
  const inputs = {};
  const best = {};
  const seconds = async (way) => {
    globalThis.gc?.();
    const begin = process.hrtime.bigint();
    const result = await way(inputs);
    const taken = Number(process.hrtime.bigint() - begin) / 1e9;
    await peer.forget(result);
    return taken;
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, name] = line.trim().split(' ');
    const job = jobs[name];
    let told = {};
    if (job) {
      for (const other of Object.keys(inputs)) {
        if (job.inputs.includes(other)) continue;
        await peer.drop(other, inputs[other]);
        delete inputs[other];
      }
      for (const input of job.inputs) inputs[input] ??= await peer.load(input);
      if (what === 'check') {
        const result = await job.ways[0](inputs);
        told = await peer.sums(result, job.ordered);
        await peer.forget(result);
      } else {
        if (!best[name]) {
          let least = Infinity;
          for (const way of job.ways) {
            const taken = Math.min(await seconds(way), await seconds(way));
            if (taken < least) [least, best[name]] = [taken, way];
          }
        }
        told = { seconds: await seconds(best[name]) };
      }
    }
    console.log(JSON.stringify(told));
  }
}
