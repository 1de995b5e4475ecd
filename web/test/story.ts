// The story of a picture, told by a real browser to the real program with the starter model: a background artist
// briefs a shot and sees proposals arrive, an art director draws on what is wrong, the artist repaints that region,
// the proof is shown, the take is approved and handed over. Ends with "N passed, N failed".
//
//   npm run story            pictures of each step in web/screenshots/story
//
// Needs the program (build/release/src/cli/maquette, or $MAQUETTE) and Chromium ($CHROMIUM or /usr/bin/chromium).
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const program = process.env["MAQUETTE"] ?? join(root, "build/release/src/cli/maquette");
const pictures = join(root, "web/screenshots/story");
const kArrival = 120_000; // a picture on a busy machine

interface Studio {
  address: string;
  process: ChildProcess;
  folder: string;
}

async function start(): Promise<Studio> {
  const folder = mkdtempSync(join(tmpdir(), "maquette-story-"));
  const server = spawn(program, ["serve", "--single-user", "--port", "0", "--json", "--studio", folder], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise<string>((done, fail) => {
    server.stdout!.once("data", (text: Buffer) => done(text.toString().split("\n")[0]!));
    server.once("exit", (code) => fail(new Error(`the server ended with ${code}`)));
  });
  return { address: (JSON.parse(line) as { address: string }).address.replace(/\/$/, ""), process: server, folder };
}

class Api {
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

let passed = 0;
let failed = 0;
async function step(name: string, page: Page, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (problem) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${String(problem)}`);
  }
  await page.screenshot({ path: join(pictures, `${String(passed + failed).padStart(2, "0")}_${name.replaceAll(" ", "_")}.png`) });
}

async function until<T>(what: string, look: () => Promise<T | undefined | false>, patience = kArrival): Promise<T> {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((wake) => setTimeout(wake, 200));
  }
  throw new Error(`waited in vain for ${what}`);
}

function expect(truth: boolean, what: string): void {
  if (!truth) throw new Error(what);
}

async function tell(page: Page, api: Api, address: string): Promise<void> {
  const reference = encodeURIComponent("lanterns/sq010/sh020:background");
  const takes = async (): Promise<{ id: string; state: string; label: string; proof: { outside_unchanged?: boolean; changed_pixels?: number } | null; parents: unknown[] }[]> =>
    ((await api.ask("GET", `/tasks/${reference}/takes?state=all`)) as { items: never[] }).items;
  let task = "";

  await step("an empty studio opens", page, async () => {
    const before = Date.now();
    await page.goto(address);
    await page.waitForSelector("main");
    expect(Date.now() - before < 1000 * 3, "the page took more than three seconds on a busy machine");
  });
  await step("a show with a shot and its task", page, async () => {
    await api.ask("POST", "/shows", { code: "lanterns", name: "Lanterns", settings: { width: 128, height: 128 } });
    await api.ask("POST", "/shows/lanterns/sequences", { code: "sq010", name: "The harbour" });
    await api.ask("POST", "/shows/lanterns/shots", { code: "sh020", parent: "sq010", brief: "the pier at dusk" });
    task = (await api.ask("POST", `/entities/${encodeURIComponent("lanterns/sq010/sh020")}/tasks`, { task_type: "background", brief: "sunset, red mesas, ringed planet" })).id;
    await page.goto(`${address}/shows/lanterns`);
    await page.getByText("sq010/sh020").first().waitFor();
  });
  await step("the artist asks for two proposals and sees them arrive", page, async () => {
    await page.goto(`${address}/tasks/${task}`);
    await page.fill("#prompt", "sunset, red mesas, ringed planet");
    await page.getByLabel(/width/i).first().fill("128");
    await page.getByLabel(/height/i).first().fill("128");
    await page.getByLabel("Steps").fill("6");
    await page.getByLabel("How many").fill("2");
    await page.getByRole("button", { name: "Generate", exact: true }).click();
    await until("two takes", async () => (await takes()).length === 2);
    await page.getByText("v001/t02").first().waitFor({ timeout: 10_000 });
  });
  await step("a star and a verdict from the keyboard", page, async () => {
    await page.locator("body").click({ position: { x: 5, y: 400 } });
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("4");
    await until("the stars", async () => ((await api.ask("GET", "/events?action=take:mark")) as { items: unknown[] }).items.length > 0, 10_000);
  });
  await step("the art director draws on what is wrong and asks for a retake", page, async () => {
    const first = (await takes())[0]!;
    const note = await api.ask("POST", `/takes/${first.id}/annotations`, { drawing: [{ kind: "rect", points: [[0.25, 0.25], [0.75, 0.6]], color: "#ff4040", width: 0.01 }], note: "the horizon is too busy" });
    await api.ask("POST", `/tasks/${task}/comments`, { text: "calmer, please", status: "retake", take: first.id, annotation: note.id });
    const mask = await api.ask("POST", `/annotations/${note.id}/mask`, { grow: 2 });
    await api.ask("POST", `/tasks/${task}/jobs`, {
      kind: "retake",
      parent: first.id,
      recipe: { model: "starter", prompt: "sunset, clouds", steps: 6, seed: 3, width: 128, height: 128, strength: 0.9, init: `sha256:${(await api.ask("GET", `/takes/${first.id}`)).sha256}`, mask: `sha256:${mask.sha256}` },
    });
    const retake = await until("the retake", async () => (await takes()).find((take) => take.label.startsWith("v002")));
    expect(retake.parents.length === 1, "the retake does not know its parent");
    expect(retake.proof?.outside_unchanged === true, `pixels outside the mask changed: ${JSON.stringify(retake.proof)}`);
    await page.getByText("v002/t01").first().waitFor({ timeout: 10_000 });
  });
  await step("the canvas opens over the retake", page, async () => {
    const retake = (await takes()).find((take) => take.label.startsWith("v002"))!;
    await page.goto(`${address}/tasks/${task}/canvas?take=${retake.id}`);
    await page.waitForSelector("canvas");
    await page.waitForTimeout(500);
  });
  await step("one take is approved and the page shows it", page, async () => {
    const retake = (await takes()).find((take) => take.label.startsWith("v002"))!;
    await page.goto(`${address}/tasks/${task}?take=${retake.id}`);
    await page.getByText("v002/t01").first().waitFor();
    await page.locator("body").press("a");
    await page.waitForTimeout(500);
    const dialog = page.getByRole("dialog");
    if (await dialog.count()) await dialog.getByRole("button", { name: /approve/i }).click();
    await until("the approval", async () => (await takes()).find((take) => take.state === "approved")?.id === retake.id, 10_000);
  });
  await step("layered files are handed over", page, async () => {
    const made = await api.ask("POST", "/shows/lanterns/deliveries", { formats: ["exr", "psd", "ora", "png16"], name: "reel1" });
    expect(made.files.length === 4, `${made.files.length} files were delivered`);
    const health = await api.ask("GET", "/doctor");
    expect(health.healthy === true, JSON.stringify(health));
  });
  await step("everything that happened is in the activity", page, async () => {
    await page.goto(`${address}/activity`);
    await page.waitForTimeout(800);
    const actions = ((await api.ask("GET", "/events?limit=200")) as { items: { action: string }[] }).items.map((event) => event.action);
    for (const wanted of ["show:create", "take:new", "take:mark", "task:status-changed", "take:approve", "show:deliver"]) expect(actions.includes(wanted), `no event ${wanted}`);
  });
}

mkdirSync(pictures, { recursive: true });
const studio = await start();
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 } });
  const complaints: string[] = [];
  page.on("pageerror", (problem) => complaints.push(String(problem)));
  page.on("response", (answer) => {
    // A preview may be gone by the time it is asked for: its picture is finished.
    const late = answer.status() === 404 && answer.url().includes("/preview");
    if (answer.status() >= 400 && !late) complaints.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load")) complaints.push(message.text());
  });
  await tell(page, new Api(studio.address), studio.address);
  await step("the page said nothing on its console", page, async () => expect(complaints.length === 0, complaints.join("\n")));
} finally {
  await browser.close();
  studio.process.kill("SIGTERM");
  await new Promise((ended) => studio.process.once("exit", ended));
  rmSync(studio.folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
