// SPDX-License-Identifier: MIT
// Files that the library writes open in DuckDB with the same values; files that DuckDB writes open in the library.
//   duckdb.js PARQUET_PEER FOLDER
'use strict';
const { DuckDBInstance } = require('@duckdb/node-api');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const [peer, folder] = process.argv.slice(2);
const quoted = (name) => '"' + name.replaceAll('"', '""') + '"';
const text = (value) => "'" + value.replaceAll("'", "''") + "'";
let checks = 0;
const failures = [];

/** What DuckDB must say of a column of that kind, as text or a number that is not rounded. */
function expression(column) {
  const name = quoted(column.name);
  switch (column.kind) {
    case 'float32':
    case 'float64': return `CAST(${name} AS DOUBLE)`;
    case 'date': return `CAST(${name} - DATE '1970-01-01' AS VARCHAR)`;
    case 'timestamp': return `CAST(epoch_ns(${name}) AS VARCHAR)`;
    case 'bytes': return `hex(${name})`;
    default: return `CAST(${name} AS VARCHAR)`;
  }
}

const same = (kind, ours, theirs) =>
  ours === null || theirs === null
    ? ours === theirs
    : kind.startsWith('float') ? Object.is(Number(ours), theirs) : ours === theirs;

async function rows(db, sql) {
  return (await db.runAndReadAll(sql)).getRowsJS();
}

/** Compares the columns of `want` with what DuckDB finds in the file. */
async function compare(db, file, want) {
  const from = `read_parquet(${text(file)})`;
  const got = await rows(db, `SELECT ${want.columns.map(expression).join(', ')} FROM ${from}`);
  const fail = (why) => failures.push(`${path.basename(file)}: ${why}`);
  for (const [c, column] of want.columns.entries()) {
    checks++;
    if (got.length !== column.values.length) {
      fail(`${got.length} rows, not ${column.values.length}`);
      return;
    }
    const i = column.values.findIndex((value, row) => !same(column.kind, value, got[row][c]));
    if (i >= 0) fail(`column ${column.name}, row ${i}: ${got[i][c]}, not ${column.values[i]}`);
  }
}

/** Filters use the statistics of row groups: they must not lose rows. */
async function filters(db, file, want) {
  for (const column of want.columns) {
    if (!/^[iu]\d|int|finite|word|line/.test(column.name) || column.kind === 'bytes') continue;
    const isText = column.kind === 'string';
    const present = column.values.filter((v) => v !== null);
    const literal = (v) => (isText ? text(v) : column.kind.includes('int') ? v : `CAST(${v} AS DOUBLE)`);
    for (const v of new Set([...present.slice(0, 3), ...present.slice(-3)])) {
      const [[count]] = await rows(db, `SELECT CAST(count(*) AS INTEGER) FROM read_parquet(${text(file)}) WHERE ${quoted(column.name)} = ${literal(v)}`);
      checks++;
      const expected = present.filter((x) => x === v).length;
      if (count !== expected) failures.push(`${path.basename(file)}: ${column.name} = ${v} finds ${count} rows, not ${expected}`);
    }
  }
}

async function main() {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const [[version]] = await rows(db, 'SELECT version()');

  execFileSync(peer, ['write', folder], { stdio: 'inherit' });
  const names = fs.readdirSync(folder).filter((n) => n.endsWith('.parquet'));
  for (const name of names) {
    const file = path.join(folder, name);
    const want = JSON.parse(fs.readFileSync(file.replace(/parquet$/, 'json'), 'utf8'));
    await compare(db, file, want);
    await filters(db, file, want);
    const meta = await rows(db, `SELECT path_in_schema, CAST(sum(stats_null_count) AS INTEGER), min(compression) FROM parquet_metadata(${text(file)}) GROUP BY 1`);
    const codec = /none/.test(name) ? 'UNCOMPRESSED' : /snappy/.test(name) ? 'SNAPPY' : 'ZSTD';
    for (const [column, nulls, compression] of meta) {
      checks++;
      const expected = want.columns.find((c) => quoted(c.name) === column || c.name === column).values.filter((v) => v === null).length;
      if (nulls !== expected) failures.push(`${name}: statistics of ${column}: ${nulls} missing, not ${expected}`);
      if (compression !== codec) failures.push(`${name}: ${column} is ${compression}, not ${codec}`);
    }
  }

  // The other way: every type that DuckDB has and a column can hold, in both versions of the format.
  const every = `
    SELECT i % 3 = 0 AS flag, CAST(i % 100 AS TINYINT) AS i8, CAST(i AS SMALLINT) AS i16, CAST(i * 100003 AS INTEGER) AS i32,
      CAST(i AS BIGINT) * 1000000007 AS i64, CAST(i % 200 AS UTINYINT) AS u8, CAST(i AS USMALLINT) AS u16,
      CAST(4294967295 - i AS UINTEGER) AS u32, CAST(9223372036854775807 - i AS UBIGINT) AS u64,
      CAST(i AS FLOAT) / 3 AS f32, sqrt(i) * CASE WHEN i % 2 = 0 THEN -1 ELSE 1 END AS f64, CAST(i / 4 AS DECIMAL(9, 2)) AS d9,
      CAST(i / 4 AS DECIMAL(18, 3)) AS d18, CAST(-i / 4 AS DECIMAL(30, 2)) AS d30, 'word ' || (i % 7) AS word,
      'a longer line ' || i || repeat('é', i % 5) AS line, CAST('\\xFF\\x00' || i AS BLOB) AS bytes,
      CASE WHEN i % 4 > 0 THEN i END AS gaps, CASE WHEN i < 0 THEN 'x' END AS missing,
      make_timestamp_ns(CAST(i AS BIGINT) * 1000000007) AS ns, make_timestamp(CAST(i AS BIGINT) * 1000003) AS us,
      CAST(make_timestamp_ms(CAST(i AS BIGINT) * 100003) AS TIMESTAMP_MS) AS ms,
      CAST(make_timestamp(CAST(i AS BIGINT) * 1000003) AS TIMESTAMPTZ) AS tz, DATE '2024-02-28' + CAST(i AS INTEGER) AS day,
      TIME '00:00:01' + to_seconds(i) AS clock, CAST('00112233-4455-6677-8899-aabb' || lpad(CAST(i AS VARCHAR), 8, '0') AS UUID) AS uuid
    FROM range(0, 4000) t(i)`;
  await db.run("SET TimeZone = 'UTC'");
  await db.run(`CREATE TABLE every AS ${every}`);
  for (const codec of ['uncompressed', 'snappy', 'zstd'])
    for (const format of ['V1', 'V2'])
      for (const group of [2048, 100000]) {
        const file = path.join(folder, `duckdb_${codec}_${format}_${group}.parquet`);
        await db.run(`COPY every TO ${text(file)} (FORMAT parquet, CODEC ${text(codec)}, PARQUET_VERSION ${format}, ROW_GROUP_SIZE ${group})`);
        let ours;
        try {
          ours = JSON.parse(execFileSync(peer, ['read', file], { maxBuffer: 1 << 30, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
        } catch (e) {
          failures.push(`${path.basename(file)}: ${e.stderr || e.message}`);
          continue;
        }
        // DuckDB's own words for what has no kind of its own.
        const clock = ours.columns.find((c) => c.name === 'clock');
        checks++;
        const clocks = await rows(db, 'SELECT CAST(epoch_ns(clock) AS VARCHAR) FROM every');
        if (clock.values.some((v, i) => v !== clocks[i][0])) failures.push(`${path.basename(file)}: clock`);
        await compare(db, file, { columns: ours.columns.filter((c) => c.name !== 'clock') });
        if (ours.columns.length !== 26) failures.push(`${path.basename(file)}: ${ours.columns.length} columns, not 26`);
      }

  for (const failure of failures.slice(0, 30)) console.log(failure);
  console.log(`DuckDB ${version}: ${names.length} files of ours, 12 of its own, ${checks} checks, ${failures.length} failed`);
  process.exit(failures.length === 0 && checks > 500 ? 0 : 1);
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
