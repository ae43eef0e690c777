// SPDX-License-Identifier: MIT
// Kills a program that logs to Parquet files, at random moments, and looks at what it left: every name in the folder is
// one of a log, every file opens in DuckDB, and the rows of all are a beginning without a gap of what was logged.
//   kill_test.js [--runs N] [--seed N] [--longest MS] [--sub DIR] --column NAME --folder DIR -- PROGRAM ARGUMENT…
// {} among the arguments is the folder to log to; --sub is where in it the files are. The column's values must be equally
// spaced: a number of the row, or its time.
'use strict';
const { DuckDBInstance } = require('@duckdb/node-api');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const option = { runs: '50', seed: '1', longest: '400', sub: '.', column: 'ts', folder: 'kill' };
const args = process.argv.slice(2);
while (args.length && args[0] !== '--') option[args.shift().replace(/^--/, '')] = args.shift();
const [program, ...rest] = args.slice(1);

/** Numbers from 0 to 1 that are the same for the same seed. Source: Vigna 2015, splitmix64, in 32 bits (mulberry32). */
let state = Number(option.seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function killed(folder, after) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest.map((a) => a.replaceAll('{}', folder)), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (d) => (said = (said + d).slice(-2000)));
    child.on('error', reject);
    const timer = setTimeout(() => child.kill('SIGKILL'), after);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`${program} ended with ${signal ?? code}: ${said}`));
    });
  });
}

async function main() {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const failures = [];
  let files = 0;
  let kills = 0;
  let total = 0n;
  for (let run = 0; run < Number(option.runs); run++) {
    const folder = path.join(option.folder, String(run));
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    const after = Math.round(random() * Number(option.longest));
    if (await killed(folder, after)) kills++;
    const where = path.join(folder, option.sub);
    const fail = (why) => failures.push(`run ${run}, after ${after} ms: ${why}`);
    const names = fs.existsSync(where) ? fs.readdirSync(where).sort() : [];  // hidden names, too
    let next = null;
    let step = null;
    for (const [i, name] of names.entries()) {
      if (!/^\d+\.parquet$/.test(name) || Number(name.slice(0, -8)) !== i + 1) {
        fail(`${name} is not the name of file ${i + 1}`);
        continue;
      }
      const file = path.join(where, name).replaceAll("'", "''");
      try {
        const column = '"' + option.column.replaceAll('"', '""') + '"';
        const [[type]] = (await db.runAndReadAll(`SELECT typeof(${column}) FROM read_parquet('${file}') LIMIT 1`)).getRowsJS();
        const value = type.startsWith('TIMESTAMP') ? `epoch_ns(${column})` : `CAST(${column} AS BIGINT)`;
        const sql = `WITH v AS (SELECT ${value} AS v, file_row_number AS n FROM read_parquet('${file}', file_row_number = true)),
          d AS (SELECT v - lag(v) OVER (ORDER BY n) AS d FROM v)
          SELECT (SELECT count(*) FROM v), (SELECT arg_min(v, n) FROM v), (SELECT arg_max(v, n) FROM v), (SELECT min(d) FROM d), (SELECT max(d) FROM d)`;
        const [[count, first, last, least, most]] = (await db.runAndReadAll(sql)).getRowsJS();
        step ??= least;
        if (least !== null && (least !== step || most !== step)) fail(`${name}: steps from ${least} to ${most}, not ${step}`);
        if (next !== null && first !== next) fail(`${name} begins at ${first}, not ${next}`);
        next = last + (step ?? 0n);
        files++;
        total += count;
      } catch (e) {
        fail(`${name}: ${e.message}`);
      }
    }
    if (!failures.length) fs.rmSync(folder, { recursive: true, force: true });
  }
  for (const failure of failures.slice(0, 20)) console.log(failure);
  console.log(`${kills} of ${option.runs} runs killed, seed ${option.seed}: ${files} files with ${total} rows, ${failures.length} failures`);
  // A test that killed nothing, or only programs that had not begun, has shown nothing.
  process.exit(failures.length === 0 && kills * 2 > Number(option.runs) && files > Number(option.runs) ? 0 : 1);
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
