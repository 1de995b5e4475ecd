// Pictures of the canvas, comparing, reviewing and textures at both sizes, walked as a person would, to look at
// (screenshots/). Fails where the page reports an error.
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { FakeStudio } from "./fake_server";
import { serve } from "./serve";

const folder = resolve(dirname(fileURLToPath(import.meta.url)), "../screenshots");
mkdirSync(folder, { recursive: true });
const kSizes = [[1366, 768], [1180, 820]] as const;
const port = 8127;

const studio = new FakeStudio();
const server = await serve(studio, port);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const root = `http://127.0.0.1:${port}`;
const problems: string[] = [];

const task = studio.task("lanterns/sq010/sh020:background");
const takes = studio.data.takes.filter((take) => take.task_id === task.id);
const playlist = studio.data.playlists[0]!;

async function open(path: string, width: number, height: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height } });
  page.on("console", (message) => message.type() === "error" && !/404|412/.test(message.text()) && problems.push(`${path}: ${message.text()}`));
  page.on("pageerror", (error) => problems.push(`${path}: ${error.stack ?? error.message}`));
  await page.goto(root + path);
  await page.waitForTimeout(700);
  return page;
}

async function shoot(page: Page, name: string, width: number): Promise<void> {
  await page.waitForTimeout(150);
  await page.screenshot({ path: `${folder}/${name}_${width}.png` });
}

async function drag(page: Page, points: [number, number][]): Promise<void> {
  await page.mouse.move(...points[0]!);
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...point, { steps: 6 });
  await page.mouse.up();
}

async function canvas(width: number, height: number): Promise<void> {
  studio.data.canvases.clear();
  const page = await open(`/tasks/${task.id}/canvas?take=${takes[0]!.id}`, width, height);
  await page.keyboard.press("n");
  await page.fill("input.hex", "#e8a13c");
  await page.keyboard.press("Enter");
  await page.locator(".stage-canvas").focus().catch(() => {});
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press("b");
  await drag(page, [[300, 330], [380, 260], [480, 330], [560, 280]]);
  await page.keyboard.press("q");
  for (let i = 0; i < 8; i += 1) await page.keyboard.press("]");
  await drag(page, [[430, 470], [500, 440], [590, 480]]);
  await page.keyboard.press("Shift+N");
  await drag(page, [[200, 560], [330, 570]]);
  await page.keyboard.press("l");
  await drag(page, [[600, 250], [690, 230], [700, 330], [620, 350], [590, 290]]);
  await shoot(page, "canvas", width);
  await page.keyboard.press("Control+d");
  const known = new Set(studio.data.jobs.map((one) => one.id));
  await page.keyboard.press("r");
  await page.waitForTimeout(900);
  const job = studio.data.jobs.find((one) => !known.has(one.id));
  if (!job) problems.push("canvas: R sent no job");
  else {
    studio.finishPicture(job);
    await page.waitForTimeout(1200);
    await page.locator(".arrived").first().scrollIntoViewIfNeeded().catch(() => problems.push("canvas: no proof is shown"));
    await shoot(page, "canvas_proof", width);
  }
  await page.keyboard.press("m");
  for (let i = 0; i < 9; i += 1) await page.mouse.wheel(0, -400);
  await page.waitForTimeout(100);
  await shoot(page, "canvas_pixels", width);
  await page.waitForTimeout(1500);
  if (studio.data.canvases.size === 0) problems.push("canvas: nothing was stored");
  await page.reload();
  await page.waitForTimeout(900);
  await page.keyboard.press("Control+z");
  await shoot(page, "canvas_again", width);
  await page.close();
}

async function compare(width: number, height: number): Promise<void> {
  const ids = takes.slice(0, 2).map((take) => take.id).join(",");
  const page = await open(`/compare?takes=${ids}`, width, height);
  await shoot(page, "compare_side", width);
  for (const [key, name] of [["w", "wipe"], ["d", "difference"], ["o", "overlay"]] as const) {
    await page.keyboard.press(key);
    await shoot(page, `compare_${name}`, width);
  }
  await page.close();
  const all = studio.data.takes.slice(0, 7).map((take) => take.id).join(",");
  const sheet = await open(`/compare?takes=${all}&mode=sheet`, width, height);
  await shoot(sheet, "compare_sheet", width);
  await sheet.close();
}

async function review(width: number, height: number): Promise<void> {
  const list = await open("/shows/lanterns/review", width, height);
  await shoot(list, "review_playlists", width);
  await list.close();
  const page = await open(`/playlists/${playlist.id}`, width, height);
  await page.keyboard.press("e");
  await drag(page, [[300, 300], [470, 400]]);
  await page.keyboard.press("w");
  await drag(page, [[620, 260], [490, 330]]);
  await page.keyboard.press("d");
  await drag(page, [[200, 460], [240, 430], [280, 470], [330, 440]]);
  await page.fill(".verdicts textarea", "The glow is too strong here, and the rail must stay dark.");
  await shoot(page, "review_player", width);
  await page.keyboard.press("Escape");
  await page.keyboard.press("r");
  await page.waitForTimeout(700);
  await shoot(page, "review_said", width);
  await page.keyboard.press("m");
  await page.waitForTimeout(1500);
  await shoot(page, "review_to_canvas", width);
  await page.close();
  const sheet = await open(`/playlists/${playlist.id}/sheet`, width, height);
  await shoot(sheet, "review_sheet", width);
  await sheet.close();
  const guest = await open("/shared/k3y-for-guests", width, height);
  await shoot(guest, "review_guest", width);
  await guest.close();
}

async function texture(width: number, height: number): Promise<void> {
  const page = await open(`/takes/${takes[0]!.id}/texture`, width, height);
  await page.keyboard.press("l");
  await shoot(page, "texture", width);
  await page.keyboard.press("o");
  await shoot(page, "texture_offset", width);
  await page.close();
}

const wanted = process.argv.slice(2).filter((name) => !name.startsWith("-"));
const walks = { canvas, compare, review, texture };
for (const [width, height] of kSizes) {
  for (const [name, walk] of Object.entries(walks)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await walk(width, height).catch((error: unknown) => problems.push(`${name}: ${String(error)}`));
  }
}
await browser.close();
server.closeAllConnections();
server.close();
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
