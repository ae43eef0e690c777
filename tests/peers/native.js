// SPDX-License-Identifier: MIT
// Runs a program that loads DuckDB's shared library, whose path is its first argument.
//   native.js PROGRAM ARGUMENT…
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const [program, ...words] = process.argv.slice(2);
const platform = `${process.platform}-${process.arch}`;
const name = process.platform === 'darwin' ? 'libduckdb.dylib' : 'libduckdb.so';
const bindings = path.dirname(require.resolve('@duckdb/node-bindings/package.json'));
const library = path.join(bindings, '..', `node-bindings-${platform}`, name);
if (!fs.existsSync(library)) {
  console.log(`skipped: there is no ${library}`);
  process.exit(77);
}
try {
  execFileSync(program, [library, ...words], { stdio: 'inherit' });
} catch (error) {
  process.exit(error.status || 1);
}
