// SPDX-License-Identifier: MIT
// Polars' part of tables.py: the jobs over data frames in memory, by both of its engines.
//   POLARS_MAX_THREADS=THREADS polars_peer.mjs FOLDER               see peer.mjs
//   POLARS_MAX_THREADS=THREADS polars_peer.mjs FOLDER stream JOB    a job over a Parquet file: prints {"seconds", "rows", …}
import path from 'node:path';
import { npm, serve } from './peer.mjs';

const { default: pl } = npm('nodejs-polars');
const [folder, mode, only] = process.argv.slice(2);
const file = (name) => path.join(folder, name);
const { col } = pl;

/** `query(frames)` gives a lazy frame. */
const job = (inputs, query, ordered = false) => ({
  inputs,
  ordered,
  ways: ['in-memory', 'streaming'].map((engine) => (frames) => query(frames).collectSync({ engine })),
});

export const questions = {
  q1: (x) => x.groupBy('id1').agg(col('v1').sum()),
  q2: (x) => x.groupBy(['id1', 'id2']).agg(col('v1').sum()),
  q3: (x) => x.groupBy('id3').agg(col('v1').sum(), col('v3').mean()),
  q4: (x) => x.groupBy('id4').agg(col('v1').mean(), col('v2').mean(), col('v3').mean()),
  q5: (x) => x.groupBy('id6').agg(col('v1').sum(), col('v2').sum(), col('v3').sum()),
  q6: (x) => x.groupBy(['id4', 'id5']).agg(col('v3').median().alias('median_v3'), col('v3').std().alias('sd_v3')),
  q7: (x) => x.groupBy('id3').agg(col('v1').max().minus(col('v2').min()).alias('range_v1_v2')),
  q8: (x) => x.groupBy('id6').agg(col('v3').sort(true).head(2)).explode('v3'),
  q9: (x) => x.groupBy(['id2', 'id4']).agg(pl.pearsonCorr('v1', 'v2').pow(2).alias('r2')),
  q10: (x) => x.groupBy(['id1', 'id2', 'id3', 'id4', 'id5', 'id6']).agg(col('v3').sum(), pl.len().alias('count')),
};

const floats = ['ax', 'ay', 'az', 'gx', 'gy', 'gz', 'temp'];
const each = (f) => {
  const ax = { windowSize: 100, minPeriods: 1 };
  return ['Mean', 'Min', 'Max', 'Std'].map((what) => f(col('ax')[`rolling${what}`](ax)).alias(what.toLowerCase()));
};
const csv = file('sensors.csv');
const jobs = {
  group_mean: job(['readings'], ({ readings }) => readings.lazy().groupBy('id').agg(col('x').mean())),
  csv_read: {
    inputs: [],
    ways: [
      () => pl.readCSV(csv, { tryParseDates: true }),
      () => pl.scanCSV(csv, { parseDates: true }).collectSync({ engine: 'streaming' }),
    ],
  },
  csv_write: {
    inputs: ['sensors'],
    ways: [
      ({ sensors }) => (sensors.writeCSV(file('polars.csv')), pl.scanCSV(file('polars.csv'), { parseDates: true })),
      ({ sensors }) => (sensors.lazy().sinkCSV(file('polars.csv')).collectSync({ engine: 'streaming' }), undefined),
    ],
  },
  rolling: job(['sensors'], ({ sensors }) => sensors.lazy().select(...each((e) => e.over('id')))),
  asof: job(['imu', 'gnss'], ({ imu, gnss }) => imu.lazy().joinAsof(gnss.lazy(), { on: 'ts', by: 'id', strategy: 'backward', checkSortedness: false })),
  sort: job(['keys'], ({ keys }) => keys.lazy().sort(['k1', 'k2']), true),
  pipeline: {
    inputs: [],
    ways: [
      () => pl.readCSV(csv, { tryParseDates: true }).lazy(),
      () => pl.scanCSV(csv, { parseDates: true }),
    ].flatMap((source) =>
      ['in-memory', 'streaming'].map((engine) => () => {
        const means = source().groupBy('id').agg(...floats.map((c) => col(c).mean()));
        means.collectSync({ engine }).writeParquet(file('polars.parquet'));
        return pl.scanParquet(file('polars.parquet'));
      }),
    ),
  },
};
for (const [name, ask] of Object.entries(questions)) jobs[name] = job(['x'], ({ x }) => ask(x.lazy()));

const isTime = (type) => String(type).startsWith('Datetime') || type?.variant === 'Datetime';
const peer = {
  load(name) {
    let frame = pl.readParquet(file(`${name}.parquet`));
    // Words that repeat, as the public benchmark has them.
    const text = frame.columns.filter((c) => ['String', 'Utf8'].includes(frame.getColumn(c).dtype.variant));
    if (text.length) frame = frame.withColumns(...text.map((c) => col(c).cast(pl.Categorical)));
    return frame.rechunk();
  },
  drop() {},
  forget() {},

  /** Rows, and of each column of numbers or times (as seconds) the sum. */
  sums(result, ordered) {
    const frame = result.collectSync ? result.collectSync() : result;
    const told = { rows: frame.height };
    const place = pl.Series('place', Float64Array.from({ length: frame.height }, (_, i) => i % 1009));
    for (const name of frame.columns) {
      let values = frame.getColumn(name);
      if (['String', 'Utf8', 'Categorical'].includes(values.dtype.variant)) continue;
      if (isTime(values.dtype)) values = values.cast(pl.Datetime('ns')).cast(pl.Int64).cast(pl.Float64).div(1e9);
      values = values.cast(pl.Float64);
      if (ordered) values = values.mul(place);
      told[name] = values.sum();
    }
    return told;
  },
};

if (mode === 'stream') {
  const begin = process.hrtime.bigint();
  const result = questions[only](pl.scanParquet(file('x.parquet'))).collectSync({ engine: 'streaming' });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  console.log(JSON.stringify({ seconds, ...peer.sums(result) }));
} else {
  await serve(jobs, peer);
}
