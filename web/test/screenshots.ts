// Takes a picture of every view at the two sizes the page is made for, with a fake studio behind it, and fails where
// the page says something on its console or where text is cut off by its box.
//
//   npm run screenshots            into web/screenshots
//   npm run screenshots -- task    only views whose name contains "task"
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { permissionsOf } from "./fake_data";
import { FakeStudio } from "./fake_server";
import { serve } from "./serve";

interface Shot {
  name: string;
  path: string | ((studio: FakeStudio) => string);
  /** What is done before the picture is taken. */
  act?(page: Page, studio: FakeStudio): Promise<void>;
  signedOut?: boolean;
  admin?: boolean;
  language?: string;
}

const kPort = 8124;
const kSizes = [
  { name: "desk", width: 1366, height: 768, touch: false },
  { name: "tablet", width: 1180, height: 820, touch: true },
];
const out = resolve(dirname(fileURLToPath(import.meta.url)), "../screenshots");

const bridge = (studio: FakeStudio): string => `/tasks/${studio.task("lanterns/sq010/sh020:background").id}`;
const take = (studio: FakeStudio, label: string): string => `?take=${studio.data.takes.find((each) => each.label === label && each.reference.includes("sq010/sh020"))!.id}`;

const kShots: Shot[] = [
  { name: "sign_in", path: "/", signedOut: true },
  { name: "password", path: "/", act: async () => undefined },
  { name: "shows", path: "/" },
  { name: "board", path: "/shows/lanterns" },
  { name: "board_assets", path: "/shows/lanterns?kind=asset" },
  {
    name: "board_100000",
    path: "/shows/atlas",
    act: async (page) => {
      await page.locator("#board-rows").evaluate((list) => (list.scrollTop = 66 * 50000));
      await page.waitForTimeout(500);
    },
  },
  { name: "board_new_shot", path: "/shows/lanterns", act: (page) => page.keyboard.press("n") },
  { name: "board_casting", path: "/shows/lanterns", act: (page) => page.keyboard.press("c") },
  { name: "tasks", path: "/shows/lanterns/tasks?whose=all" },
  { name: "takes", path: "/shows/lanterns/takes" },
  {
    name: "exchange",
    path: "/shows/lanterns/exchange",
    act: async (page) => {
      await page.getByRole("button", { name: "New delivery" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Hand over" }).click();
      await page.locator(".delivery summary").click();
    },
  },
  { name: "exchange_dialog", path: "/shows/lanterns/exchange", act: (page) => page.getByRole("button", { name: "New delivery" }).click() },
  { name: "studio", path: "/studio", admin: true, act: (page) => page.getByRole("button", { name: "Examine all files" }).click() },
  { name: "board_episodes", path: "/shows/lanterns?kind=sequence" },
  { name: "settings", path: "/shows/lanterns/settings" },
  {
    name: "task",
    path: bridge,
    act: async (page, studio) => {
      studio.progress(studio.data.jobs[0]!, 14, 28);
      await page.fill("#prompt", "stone bridge seen from the water at night, (rising paper lanterns:1.3), deep blue sky, gouache");
      await page.waitForTimeout(600);
    },
  },
  { name: "task_take", path: (studio) => bridge(studio) + take(studio, "v002 t01"), act: (page) => page.keyboard.press("r") },
  { name: "task_comments", path: bridge, act: (page) => page.keyboard.press("c") },
  { name: "task_history", path: bridge, act: (page) => page.keyboard.press("h") },
  { name: "task_approve", path: (studio) => bridge(studio) + take(studio, "v002 t02"), act: (page) => page.keyboard.press("a") },
  { name: "task_fr", path: (studio) => bridge(studio) + take(studio, "v002 t01"), language: "fr" },
  { name: "queue", path: "/queue" },
  { name: "library", path: "/library" },
  { name: "people", path: "/people" },
  { name: "activity", path: "/activity" },
  { name: "profile", path: "/profile" },
  { name: "shortcuts", path: "/shows/lanterns", act: (page) => page.keyboard.press("?") },
];

/** Buttons, headings and table cells whose text is wider than they are and that do not say so with an ellipsis. */
async function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, h1, h2, th, td, label, .label, .chip")]
      .filter((each) => each.offsetParent !== null && each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1)
      .filter((each) => getComputedStyle(each).overflowX !== "visible" || each.matches("button"))
      .filter((each) => getComputedStyle(each).textOverflow !== "ellipsis" && !each.matches(".take-picture, .clip, .virtual-list"))
      .map((each) => `${each.tagName.toLowerCase()}.${each.className} "${each.innerText.slice(0, 40)}"`),
  );
}

async function photograph(shot: Shot, size: (typeof kSizes)[number], studio: FakeStudio, page: Page): Promise<string[]> {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`http://127.0.0.1:${kPort}${typeof shot.path === "string" ? shot.path : shot.path(studio)}`);
  await page.waitForSelector("#page > *");
  await page.waitForTimeout(700);
  await shot.act?.(page, studio);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(out, `${shot.name}_${size.name}.png`) });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) complaints.push(`the page is ${wide} pixels too wide`);
  return [...complaints, ...(await cutTexts(page)).map((text) => `cut off: ${text}`)];
}

async function main(): Promise<number> {
  mkdirSync(out, { recursive: true });
  const wanted = process.argv.slice(2).filter((each) => !each.startsWith("-") && !each.endsWith(".ts"));
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  let failures = 0;
  for (const shot of kShots.filter((each) => wanted.length === 0 || wanted.some((part) => each.name.includes(part)))) {
    for (const size of kSizes) {
      const studio = new FakeStudio();
      studio.signedIn = !shot.signedOut;
      if (shot.name === "password") studio.data.me.person.must_change_password = true;
      if (shot.admin) {
        studio.data.me.roles = { "": ["administrator"] };
        studio.data.me.permissions = permissionsOf(studio.data.me.roles);
      }
      studio.data.me.person.language = shot.language ?? "en";
      const server = await serve(studio, kPort);
      const context = await browser.newContext({ viewport: { width: size.width, height: size.height }, hasTouch: size.touch, isMobile: false, locale: "en-GB" });
      const page = await context.newPage();
      const complaints = await photograph(shot, size, studio, page);
      for (const complaint of complaints) console.error(`${shot.name} ${size.name}: ${complaint}`);
      failures += complaints.length;
      await context.close();
      studio.cutStreams();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }
  await browser.close();
  console.log(`screenshots: ${failures} complaints, pictures in ${out}`);
  return failures > 0 ? 1 : 0;
}

process.exit(await main());
