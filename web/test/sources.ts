// The page's own source files, for tests that read them.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const sourceRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../src");

export function sourceFiles(pattern: RegExp, folder = sourceRoot): { name: string; text: string }[] {
  return readdirSync(folder).flatMap((entry) => {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) return sourceFiles(pattern, path);
    return pattern.test(entry) ? [{ name: relative(sourceRoot, path), text: readFileSync(path, "utf8") }] : [];
  });
}
