// The built page (web/dist) and a fake studio on a loopback port: for screenshots, and to look at the page by hand
// (npm run fake).
import { readFileSync, existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FakeStudio } from "./fake_server";

const kTypes: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const dist = resolve(dirname(fileURLToPath(import.meta.url)), "../dist");

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return new Uint8Array(Buffer.concat(parts));
}

async function forward(studio: FakeStudio, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const abort = new AbortController();
  response.on("close", () => abort.abort());
  const init: RequestInit = { method: request.method!, headers: request.headers as Record<string, string>, signal: abort.signal };
  if (body.length > 0) init.body = body;
  const answer = await studio.fetch(request.url!, init);
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  const reader = answer.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    response.write(value);
  }
  response.end();
}

export function serve(studio: FakeStudio, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url!.startsWith("/api/")) {
      forward(studio, request, response).catch((error: unknown) => {
        console.error(request.method, request.url, error);
        response.destroy();
      });
      return;
    }
    const name = request.url!.split("?")[0]!;
    const file = join(dist, name);
    const found = extname(name) && file.startsWith(dist) && existsSync(file) ? file : join(dist, "index.html");
    response.writeHead(200, {
      "Content-Type": kTypes[extname(found)] ?? "application/octet-stream",
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    });
    response.end(readFileSync(found));
  });
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)));
}

if (process.argv.includes("--by-hand")) {
  const studio = new FakeStudio();
  await serve(studio, 8123);
  console.log("the fake studio: http://127.0.0.1:8123");
  setInterval(() => {
    const job = studio.data.jobs.find((each) => each.state === "running") ?? studio.data.jobs.find((each) => each.state === "queued");
    if (!job) return;
    job.state = "running";
    const step = Math.round(job.progress * 28) + 1;
    if (step > 28) {
      job.progress = 0;
      studio.finishPicture(job);
    } else studio.progress(job, step, 28);
  }, 400);
}
