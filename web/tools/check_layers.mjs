// Refuses an import that points up: words and model know nothing of the page, api nothing of what is drawn, parts
// nothing of views, and no view knows another.
//
//   words, model  <-  api  <-  parts  <-  views, canvas, compare, review, texture  <-  app
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const source = resolve(dirname(fileURLToPath(import.meta.url)), "../src");
const views = ["views", "canvas", "compare", "review", "texture"];
const allowed = {
  words: ["words"],
  model: ["model"],
  api: ["api", "model", "words"],
  parts: ["parts", "api", "model", "words"],
  ...Object.fromEntries(views.map((view) => [view, [view, "parts", "api", "model", "words"]])),
  app: ["app", ...views, "parts", "api", "model", "words"],
};
// A view may use parts of these views, for the reason given.
const exceptions = {
  "review -> compare": "reviewing compares two takes of a playlist",
  "review -> canvas": "a note's drawing is made with the canvas's tools",
  "review -> views": "the list of playlists stands under the show's tabs",
  "compare -> canvas": "zoom and pan are the canvas's",
  "texture -> canvas": "zoom and pan are the canvas's",
};

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : /\.tsx?$/.test(name) ? [path] : [];
  });
}

const complaints = [];
for (const file of files(source)) {
  const layer = relative(source, file).split(sep)[0];
  const text = readFileSync(file, "utf8");
  for (const [, name] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]*)"/g)) {
    const target = relative(source, resolve(dirname(file), name)).split(sep)[0];
    if (target === ".." || allowed[layer]?.includes(target) || exceptions[`${layer} -> ${target}`]) continue;
    complaints.push(`src/${relative(source, file)}: ${layer} may not import ${name} (${target})`);
  }
}
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exit(1);
console.log(`check_layers: ${files(source).length} files import downwards only`);
