// Refuses a page whose first load (index.html, its scripts and styles) is larger than 200 kB gzipped.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const kLimit = 200_000;
const dist = resolve(dirname(fileURLToPath(import.meta.url)), "../dist");
const html = readFileSync(join(dist, "index.html"), "utf8");
const first = ["index.html", ...[...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((found) => found[1])];
const bytes = first.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name))).length, 0);
console.log(`check_size: the first load is ${(bytes / 1000).toFixed(1)} kB gzipped (${first.length} files, limit ${kLimit / 1000})`);
if (bytes > kLimit) process.exit(1);
