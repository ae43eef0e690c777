// SPDX-License-Identifier: MIT
// DuckDB's part of tables.py: the jobs in SQL, over tables in memory.
//   duckdb_peer.mjs FOLDER THREADS               see peer.mjs
//   duckdb_peer.mjs FOLDER THREADS stream JOB    a job over a Parquet file: prints {"seconds", "rows", …}
import path from 'node:path';
import { npm, serve } from './peer.mjs';

const { DuckDBInstance } = npm('@duckdb/node-api');
const [folder, threads, mode, only] = process.argv.slice(2);
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`SET threads = ${threads}`);
const file = (name) => `'${path.join(folder, name)}'`;

/** Rows in any order unless they have one: what DuckDB is quickest at. */
const query = (sql, isOrdered) => async () => {
  await db.run(`SET preserve_insertion_order = ${Boolean(isOrdered)}`);
  return sql();
};
const into_table = (sql, isOrdered) => query(() => db.run(`CREATE TABLE r AS ${sql}`), isOrdered);
const into_chunks = (sql, isOrdered) =>
  query(async () => {
    const result = await db.stream(sql);
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk());
  }, isOrdered);
const job = (inputs, sql, ordered = false) => ({ inputs, ordered, ways: [into_table(sql, ordered), into_chunks(sql, ordered)] });

const largest_two = 'SELECT id6, unnest(max(v3, 2)) AS v3 FROM x GROUP BY id6';
export const questions = {
  q1: 'SELECT id1, sum(v1) AS v1 FROM x GROUP BY id1',
  q2: 'SELECT id1, id2, sum(v1) AS v1 FROM x GROUP BY id1, id2',
  q3: 'SELECT id3, sum(v1) AS v1, avg(v3) AS v3 FROM x GROUP BY id3',
  q4: 'SELECT id4, avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3 FROM x GROUP BY id4',
  q5: 'SELECT id6, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3 FROM x GROUP BY id6',
  q6: 'SELECT id4, id5, median(v3) AS median_v3, stddev(v3) AS sd_v3 FROM x GROUP BY id4, id5',
  q7: 'SELECT id3, max(v1) - min(v2) AS range_v1_v2 FROM x GROUP BY id3',
  q8: largest_two,
  q9: 'SELECT id2, id4, pow(corr(v1, v2), 2) AS r2 FROM x GROUP BY id2, id4',
  q10: 'SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, count(*) AS count FROM x GROUP BY id1, id2, id3, id4, id5, id6',
};

const floats = ['ax', 'ay', 'az', 'gx', 'gy', 'gz', 'temp'];
const columns = `{ts: 'TIMESTAMP', id: 'INTEGER', ${floats.map((c) => `${c}: 'DOUBLE'`).join(', ')}}`;
const csv = file('sensors.csv');
const window = 'OVER w';
const jobs = {
  group_mean: job(['readings'], 'SELECT id, avg(x) AS x FROM readings GROUP BY id'),
  csv_read: {
    inputs: [],
    ways: [
      into_table(`SELECT * FROM read_csv(${csv})`, true),
      into_table(`SELECT * FROM read_csv(${csv}, header = true, columns = ${columns})`, true),
    ],
  },
  csv_write: {
    inputs: ['sensors'],
    ways: [query(() => db.run(`COPY sensors TO ${file('duckdb.csv')} (FORMAT csv, HEADER)`), true)],
    written: 'duckdb.csv',
  },
  rolling: job(
    ['sensors'],
    `SELECT avg(ax) ${window} AS mean, min(ax) ${window} AS min, max(ax) ${window} AS max, stddev(ax) ${window} AS std
     FROM sensors WINDOW w AS (PARTITION BY id ORDER BY ts ROWS 99 PRECEDING)`,
  ),
  asof: job(['imu', 'gnss'], 'SELECT l.*, r.y FROM imu l ASOF LEFT JOIN gnss r ON l.id = r.id AND l.ts >= r.ts'),
  sort: job(['keys'], 'SELECT * FROM keys ORDER BY k1, k2', true),
  pipeline: {
    inputs: [],
    ways: [csv, `${csv}, header = true, columns = ${columns}`].map((source) =>
      query(() =>
        db.run(`COPY (SELECT id, ${floats.map((c) => `avg(${c}) AS ${c}`).join(', ')} FROM read_csv(${source}) GROUP BY id)
                TO ${file('duckdb.parquet')} (FORMAT parquet)`),
      ),
    ),
    written: 'duckdb.parquet',
  },
};
for (const [name, sql] of Object.entries(questions)) jobs[name] = job(['x'], sql);
jobs.q8.ways.push(
  into_table(`SELECT id6, v3 FROM (SELECT id6, v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS place FROM x)
              WHERE place <= 2`),
);
for (const one of Object.values(jobs)) one.ways = one.ways.map((way) => async () => (await way(), one.written));

const rows = async (sql) => (await db.runAndReadAll(sql)).getRowsJS();

const peer = {
  async load(name) {
    const text = (await rows(`DESCRIBE SELECT * FROM ${file(`${name}.parquet`)}`)).filter((c) => c[1] === 'VARCHAR').map((c) => c[0]);
    // Words that repeat, as the public benchmark has them.
    for (const c of text) {
      await db.run(`DROP TYPE IF EXISTS ${name}_${c}`);
      await db.run(`CREATE TYPE ${name}_${c} AS ENUM (SELECT DISTINCT ${c} FROM ${file(`${name}.parquet`)} ORDER BY 1)`);
    }
    const cast = text.map((c) => `${c}::${name}_${c} AS ${c}`);
    await db.run(`CREATE TABLE ${name} AS SELECT * ${text.length ? `REPLACE (${cast.join(', ')})` : ''} FROM ${file(`${name}.parquet`)}`);
    return true;
  },
  drop: (name) => db.run(`DROP TABLE ${name}`),
  forget: () => db.run('DROP TABLE IF EXISTS r'),

  /** Rows, and of each column of numbers or times (as seconds) the sum. */
  async sums(written, ordered) {
    const from = written ? file(written) : 'r';
    const told = { rows: Number((await rows(`SELECT count(*) FROM ${from}`))[0][0]) };
    for (const [name, type] of await rows(`DESCRIBE SELECT * FROM ${from}`)) {
      if (/VARCHAR|ENUM/.test(type)) continue;
      let value = /TIMESTAMP/.test(type) ? `epoch_ns(${name})::DOUBLE / 1e9` : `${name}::DOUBLE`;
      if (ordered) value = `${value} * (rowid % 1009)`;
      told[name] = (await rows(`SELECT sum(${value}) FROM ${from}`))[0][0];
    }
    return told;
  },
};

if (mode === 'stream') {
  await db.run("SET memory_limit = '1700MB'");
  const begin = process.hrtime.bigint();
  await into_table(questions[only].replace('FROM x', `FROM ${file('x.parquet')}`))();
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  console.log(JSON.stringify({ seconds, ...(await peer.sums()) }));
} else {
  await serve(jobs, peer);
}
