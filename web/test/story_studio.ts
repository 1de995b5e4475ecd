// What the story needs: the real program with a studio of its own, its interface, steps that are counted and pictured,
// and a check of what people with screen readers or weak eyes meet (axe-core, WCAG 2 A and AA).
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const program = process.env["MAQUETTE"] ?? join(root, "build/release/src/cli/maquette");
const pictures = join(root, "web/screenshots/story");
const kArrival = 120_000; // a picture on a busy machine

export class Studio {
  private constructor(
    readonly address: string,
    private readonly server: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Studio> {
    mkdirSync(pictures, { recursive: true });
    const folder = mkdtempSync(join(tmpdir(), "maquette-story-"));
    const server = spawn(program, ["serve", "--single-user", "--port", "0", "--json", "--studio", folder], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((done, fail) => {
      server.stdout!.once("data", (text: Buffer) => done(text.toString().split("\n")[0]!));
      server.once("exit", (code) => fail(new Error(`the server ended with ${code}`)));
    });
    return new Studio((JSON.parse(line) as { address: string }).address.replace(/\/$/, ""), server, folder);
  }

  async end(): Promise<void> {
    this.server.kill("SIGTERM");
    await new Promise((ended) => this.server.once("exit", ended));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Api {
  private csrf = "";
  constructor(private readonly address: string) {}
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async ask(method: string, path: string, body?: unknown): Promise<any> {
    if (!this.csrf) this.csrf = ((await (await fetch(`${this.address}/api/v1/me`)).json()) as { csrf: string }).csrf;
    const answer = await fetch(`${this.address}/api/v1${path}`, {
      method,
      headers: { "X-CSRF-Token": this.csrf, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

export const score = { passed: 0, failed: 0 };

export async function step(name: string, page: Page, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    score.passed += 1;
    console.log(`ok    ${name}`);
  } catch (problem) {
    score.failed += 1;
    console.log(`FAIL  ${name}\n      ${String(problem)}`);
  }
  const number = String(score.passed + score.failed).padStart(2, "0");
  await page.screenshot({ path: join(pictures, `${number}_${name.replace(/[^A-Za-z0-9]+/g, "_")}.png`) });
}

export async function until<T>(what: string, look: () => Promise<T | undefined | false>, patience = kArrival): Promise<T> {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((wake) => setTimeout(wake, 200));
  }
  throw new Error(`waited in vain for ${what}`);
}

export function expect(truth: boolean, what: string): void {
  if (!truth) throw new Error(what);
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds wrong on the page as it stands: rule, then the elements. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    interface Result {
      violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
    }
    const { axe: checker } = globalThis as unknown as { axe: { run(root: Document, options: object): Promise<Result> } };
    const found = await checker.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
    return found.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html.slice(0, 160)).slice(0, 4).join(" | ")}`);
  });
}

/** A stroke of a pen that presses harder as it goes on, as the browser gives it to the page. */
export async function penStroke(page: Page, points: [number, number][]): Promise<void> {
  const pen = await page.context().newCDPSession(page);
  const send = (type: string, [x, y]: [number, number], force: number, buttons: number): Promise<unknown> =>
    pen.send("Input.dispatchMouseEvent", { type: type as "mousePressed", x, y, button: "left", buttons, clickCount: 1, pointerType: "pen", force });
  await send("mousePressed", points[0]!, 0.1, 1);
  for (const [index, point] of points.entries()) await send("mouseMoved", point, (index + 1) / points.length, 1);
  await send("mouseReleased", points[points.length - 1]!, 0, 0);
  await pen.detach();
}
