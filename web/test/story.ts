// The story of a picture, told by a real browser to the real program with the starter model: a background artist
// briefs a shot and sees proposals arrive, an art director draws on what is wrong, the drawing becomes the next take's
// mask with one key, the proof is shown, the artist paints over it by hand, the take is approved and handed over, and
// a guest says something about it. Ends with "N passed, N failed".
//
//   npm run story            pictures of each step in web/screenshots/story
//
// Needs the program (build/release/src/cli/maquette, or $MAQUETTE) and Chromium ($CHROMIUM or /usr/bin/chromium).
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { accessibilityFaults, Api, expect, penStroke, score, step, Studio, until } from "./story_studio";

interface StoryTake {
  id: string;
  state: string;
  origin: string;
  label: string;
  proof: { outside_unchanged?: boolean; changed_pixels?: number; outside_pixels?: number } | null;
  parents: { id: string }[];
}

interface Told {
  page: Page;
  context: BrowserContext;
  browser: Browser;
  api: Api;
  address: string;
  task: string;
  takes(): Promise<StoryTake[]>;
}

const kTask = encodeURIComponent("lanterns/sq010/sh020:background");

async function brief(told: Told): Promise<void> {
  const { page, api, address } = told;
  await step("an empty studio opens", page, async () => {
    await page.goto(address);
    await page.waitForSelector("main");
    const { loaded } = await page.evaluate(() => ({ loaded: performance.getEntriesByType("navigation")[0]!.duration }));
    expect(loaded < 1000, `the page took ${Math.round(loaded)} ms`);
  });
  await step("a show with a shot and its task", page, async () => {
    await api.ask("POST", "/shows", { code: "lanterns", name: "Lanterns", settings: { width: 128, height: 128 } });
    await api.ask("POST", "/shows/lanterns/sequences", { code: "sq010", name: "The harbour" });
    await api.ask("POST", "/shows/lanterns/shots", { code: "sh020", parent: "sq010", brief: "the pier at dusk" });
    told.task = (await api.ask("POST", `/entities/${encodeURIComponent("lanterns/sq010/sh020")}/tasks`, { task_type: "background", brief: "sunset, red mesas, ringed planet" })).id;
    await page.goto(`${address}/shows/lanterns`);
    await page.locator(".board-path", { hasText: "sh020" }).waitFor();
  });
}

async function propose(told: Told): Promise<void> {
  const { page, api, address, takes } = told;
  await step("the artist asks for two proposals and sees them arrive", page, async () => {
    await page.goto(`${address}/tasks/${told.task}`);
    await page.fill("#prompt", "sunset, red mesas, ringed planet");
    await page.getByLabel(/width/i).first().fill("128");
    await page.getByLabel(/height/i).first().fill("128");
    await page.getByLabel("Steps").fill("6");
    await page.getByLabel("How many").fill("2");
    await page.getByRole("button", { name: "Generate", exact: true }).click();
    await until("two takes", async () => (await takes()).length === 2);
    await page.getByText("v001/t02").first().waitFor({ timeout: 10_000 });
  });
  await step("without a mouse: from the board to a take, its stars, its settings, one more", page, async () => {
    await page.goto(`${address}/shows/lanterns`);
    await page.locator(".board-path", { hasText: "sh020" }).waitFor();
    await page.keyboard.press("o");
    await page.getByText("v001/t02").first().waitFor();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("4");
    await page.keyboard.press("v");
    await until("the stars", async () => ((await api.ask("GET", "/events?action=take:mark")) as { items: unknown[] }).items.length >= 2, 10_000);
    await page.keyboard.press("r");
    await page.getByText(/recalled/).waitFor();
    await page.keyboard.press("Control+Enter");
    await until("a take from the recalled settings", async () => (await takes()).length > 2);
    // A proposal that comes after the retake is asked for belongs to the next revision: none is left on its way.
    await until("the last proposal", async () => ((await api.ask("GET", "/jobs?state=open")) as { items: unknown[] }).items.length === 0);
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
  });
}

async function retake(told: Told): Promise<void> {
  const { page, api, address, takes } = told;
  await step("the art director draws on what is wrong and asks for a retake", page, async () => {
    const first = (await takes()).find((take) => take.label === "v001/t01")!;
    const playlist = await api.ask("POST", "/shows/lanterns/playlists", { name: "Dailies", takes: [first.id] });
    await page.goto(`${address}/playlists/${playlist.id}`);
    await page.locator(".stage-canvas").waitFor();
    await page.waitForTimeout(500);
    const place = (await page.locator(".stage-canvas").boundingBox())!;
    const middle = { x: place.x + place.width / 2, y: place.y + place.height / 2 };
    await page.keyboard.press("e");
    await page.mouse.move(middle.x - 60, middle.y - 40);
    await page.mouse.down();
    await page.mouse.move(middle.x + 60, middle.y + 50, { steps: 6 });
    await page.mouse.up();
    await page.fill(".verdicts textarea", "The horizon is too busy: calmer, please.");
    await page.keyboard.press("Escape");
    await page.locator("body").press("r");
    await until("the status", async () => ((await api.ask("GET", `/tasks/${kTask}`)) as { status: { code: string } }).status.code === "retake", 10_000);
  });
  await step("one key makes the drawing the mask of the next take", page, async () => {
    await page.locator("body").press("m");
    await page.waitForURL(/\/canvas\?/);
    await page.locator(".layer", { hasText: "Mask of the note" }).waitFor();
    await page.locator(".from", { hasText: "the mask" }).waitFor();
  });
  await step("the region is repainted, and the server proves that the rest is as it was", page, async () => {
    await page.getByLabel("What is to be seen there").fill("sunset, clouds");
    await page.keyboard.press("Control+Enter");
    const made = await until("the retake", async () => (await takes()).find((take) => take.label.startsWith("v002")));
    expect(made.parents.length === 1, "the retake does not know its parent");
    expect(made.proof?.outside_unchanged === true && made.proof.changed_pixels === 0, `pixels outside the mask changed: ${JSON.stringify(made.proof)}`);
    await page.locator(".arrived .proof-good").waitFor({ timeout: 15_000 });
    const said = await page.locator(".arrived .proof").innerText();
    expect(said.includes(`0 of ${made.proof!.outside_pixels!.toLocaleString("en")}`) && said.includes("ΔE"), `the page says: ${said}`);
    await page.locator(".arrived").scrollIntoViewIfNeeded();
  });
}

async function paint(told: Told): Promise<void> {
  const { page, api, takes } = told;
  interface Stored {
    edits: { kind: string; mark?: { points?: number[][] } }[];
    done: number;
  }
  // Null until the page has stored it for the first time.
  const stored = async (): Promise<Stored> => ((await api.ask("GET", `/tasks/${kTask}/canvas`)) as { document: Stored | null }).document ?? { edits: [], done: 0 };
  let before = 0;
  await step("a pen paints over it, harder as it presses", page, async () => {
    await page.getByRole("button", { name: "Go on from it" }).click();
    await page.keyboard.press("n");
    await page.keyboard.press("b");
    before = (await stored()).done;
    const place = (await page.locator(".stage-canvas").boundingBox())!;
    const middle = { x: place.x + place.width / 2, y: place.y + place.height / 2 };
    await penStroke(page, Array.from({ length: 12 }, (_, i) => [middle.x - 55 + 10 * i, middle.y + 20 * Math.sin(i)]));
    const document = await until("the stored stroke", async () => {
      const now = await stored();
      return now.edits.at(-1)?.kind === "mark" && now;
    }, 15_000);
    const pressures = document.edits.at(-1)!.mark!.points!.map((point) => point[2]!);
    expect(Math.min(...pressures) < 0.3 && Math.max(...pressures) > 0.8, `pressures ${pressures.join(" ")}`);
  });
  await step("undo and redo work after the page was loaded again", page, async () => {
    const { done } = await stored();
    expect(done > before, "nothing new was stored");
    await page.goto(page.url().split("?")[0]!);
    await page.locator(".stage-canvas").waitFor();
    await page.locator(".layer").first().waitFor();
    await page.keyboard.press("Control+z");
    await until("the undone stroke", async () => (await stored()).done === done - 1, 15_000);
    await page.keyboard.press("Control+Shift+z");
    await until("the stroke again", async () => (await stored()).done === done, 15_000);
  });
  await step("the paint-over is a take with its layers and strokes", page, async () => {
    await page.keyboard.press("Control+s");
    await page.getByRole("dialog").getByLabel("Title").fill("by hand");
    await page.keyboard.press("Enter");
    const edited = await until("the painted take", async () => (await takes()).find((take) => take.origin === "edited"));
    const files = await until("its files", async () => {
      const list = ((await api.ask("GET", `/takes/${edited.id}/files`)) as { items: { representation: string }[] }).items.map((file) => file.representation);
      return list.includes("strokes") && list;
    });
    for (const wanted of ["layer", "mask", "strokes"]) expect(files.includes(wanted), `no ${wanted} among ${files.join(", ")}`);
  });
}

async function decide(told: Told): Promise<void> {
  const { page, api, address, takes } = told;
  await step("takes are compared", page, async () => {
    const ids = (await takes()).slice(0, 4).map((take) => take.id).join(",");
    await page.goto(`${address}/compare?takes=${ids}&task=${told.task}`);
    await page.locator(".stage-canvas").first().waitFor();
    for (const key of ["w", "d", "b", "o", "s"]) await page.keyboard.press(key);
    await page.keyboard.press("d");
    await page.waitForTimeout(300);
  });
  await step("one take is approved, and the page says by whom", page, async () => {
    const chosen = (await takes()).find((take) => take.origin === "edited")!;
    await page.goto(`${address}/tasks/${told.task}?take=${chosen.id}`);
    await page.getByText(chosen.label).first().waitFor();
    await page.locator("body").press("a");
    await page.getByRole("dialog").getByRole("button", { name: /approve/i }).click();
    await until("the approval", async () => (await takes()).find((take) => take.state === "approved")?.id === chosen.id, 10_000);
    await page.locator(".approved-by").waitFor({ timeout: 10_000 });
    expect((await page.locator(".take-buttons").getByRole("button", { name: "Approve", exact: true }).count()) === 0, "the approved take can be approved again");
  });
  await step("layered files are handed over from the page", page, async () => {
    await page.goto(`${address}/shows/lanterns/exchange`);
    await page.getByRole("button", { name: "New delivery" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("reel1");
    for (const format of ["OpenEXR", "OpenRaster", "PSD"]) await dialog.getByLabel(format).check();
    await dialog.getByRole("button", { name: "Hand over" }).click();
    await page.locator(".delivery", { hasText: "reel1" }).waitFor();
    const made = ((await api.ask("GET", "/shows/lanterns/deliveries")) as { items: { files: { format: string }[] }[] }).items[0]!;
    expect(made.files.map((file) => file.format).sort().join() === "exr,ora,png16,psd", JSON.stringify(made.files));
    await page.locator(".delivery summary").click();
  });
  await step("a cut comes in, the doctor finds nothing, a copy is made", page, async () => {
    await page.getByLabel("What it holds").selectOption("shots");
    await page.locator(".exchange-form input[type=file]").setInputFiles({ name: "shots.csv", mimeType: "text/csv", buffer: Buffer.from("Sequence,Name\nsq010,sh030\nsq010,sh040\n") });
    await page.getByRole("button", { name: "Bring in" }).click();
    await page.getByText("2 created").waitFor();
    await page.goto(`${address}/studio`);
    await page.getByRole("button", { name: "Examine all files" }).click();
    await page.getByText("Every file is there and unaltered").waitFor();
    await page.getByRole("button", { name: "Back up" }).click();
    await page.getByText(/✓ \d+ files/).waitFor();
  });
  await step("a show's settings are kept, without a cap on retakes", page, async () => {
    await page.goto(`${address}/shows/lanterns/settings`);
    await page.getByLabel("Overscan").fill("0.1");
    await page.getByRole("button", { name: "Save" }).click();
    const settings = await until("the kept settings", async () => {
      const show = (await api.ask("GET", "/shows/lanterns")) as { settings: { overscan: number; max_retakes: number } };
      return show.settings.overscan === 0.1 && show.settings;
    }, 10_000);
    expect(settings.max_retakes === 0, JSON.stringify(settings));
  });
  await step("everything that happened is in the activity", page, async () => {
    await page.goto(`${address}/activity`);
    await page.locator("tbody tr").first().waitFor();
    const actions = ((await api.ask("GET", "/events?limit=200")) as { items: { action: string }[] }).items.map((event) => event.action);
    for (const wanted of ["show:create", "take:new", "take:mark", "task:status-changed", "take:approve", "show:deliver"]) expect(actions.includes(wanted), `no event ${wanted}`);
  });
}

async function share(told: Told): Promise<void> {
  const { page, api, address, browser, context } = told;
  await step("a guest reads what was said, and says something", page, async () => {
    const [playlist] = ((await api.ask("GET", "/shows/lanterns/playlists")) as { items: { id: string }[] }).items;
    const link = await api.ask("POST", `/playlists/${playlist!.id}/links`, { password: "for guests", can_comment: true, expires_at: new Date(Date.now() + 86_400_000).toISOString() });
    const guest = await (await browser.newContext({ viewport: { width: 1180, height: 820 }, hasTouch: true })).newPage();
    await guest.goto(`${address}/shared/${link.token}`);
    await guest.getByLabel("Your name").fill("Client");
    await guest.getByLabel("Password").fill("for guests");
    await guest.keyboard.press("Enter");
    await guest.getByText("calmer, please").waitFor();
    await guest.getByLabel("Comment").fill("We like it calmer, too.");
    await guest.getByRole("button", { name: "Send" }).click();
    await guest.locator(".guest-said", { hasText: "We like it calmer" }).waitFor();
    const faults = await accessibilityFaults(guest);
    await guest.screenshot({ path: "screenshots/story/guest.png" });
    await guest.context().close();
    expect(faults.length === 0, faults.join("\n"));
  });
  await step("two tabs share one stream, and the second goes on when the first closes", page, async () => {
    let streams = 0;
    const count = (request: { url(): string }): void => void (request.url().includes("/events/stream") && (streams += 1));
    context.on("request", count);
    const first = await context.newPage();
    await page.goto("about:blank");
    await first.goto(`${address}/shows/lanterns`);
    await first.locator(".board-path", { hasText: "sh030" }).waitFor();
    const second = await context.newPage();
    await second.goto(`${address}/shows/lanterns`);
    await second.locator(".board-path", { hasText: "sh030" }).waitFor();
    await api.ask("POST", "/shows/lanterns/shots", { code: "sh050", parent: "sq010" });
    await second.locator(".board-path", { hasText: "sh050" }).waitFor({ timeout: 5000 });
    expect(streams === 1, `${streams} streams for two tabs`);
    await first.close();
    await api.ask("POST", "/shows/lanterns/shots", { code: "sh060", parent: "sq010" });
    await second.locator(".board-path", { hasText: "sh060" }).waitFor({ timeout: 8000 });
    await second.close();
    context.off("request", count);
  });
}

async function look(told: Told): Promise<void> {
  const { page, address, takes, api } = told;
  const take = (await takes())[0]!;
  const [playlist] = ((await api.ask("GET", "/shows/lanterns/playlists")) as { items: { id: string }[] }).items;
  const views = {
    shows: "/", board: "/shows/lanterns", takes: "/shows/lanterns/takes", exchange: "/shows/lanterns/exchange", settings: "/shows/lanterns/settings",
    task: `/tasks/${told.task}?take=${take.id}`, canvas: `/tasks/${told.task}/canvas`, compare: `/compare?takes=${(await takes()).map((each) => each.id).slice(0, 2).join(",")}`,
    playlist: `/playlists/${playlist!.id}`, sheet: `/playlists/${playlist!.id}/sheet`, texture: `/takes/${take.id}/texture`,
    queue: "/queue", library: "/library", people: "/people", activity: "/activity", studio: "/studio", profile: "/profile",
  };
  for (const [language, size] of [["en", { width: 1366, height: 768 }], ["fr", { width: 1180, height: 820 }]] as const) {
    await api.ask("PATCH", "/me", { language });
    await page.setViewportSize(size);
    for (const [name, path] of Object.entries(views)) {
      await step(`${name} ${language} has no fault of accessibility`, page, async () => {
        await page.goto(address + path);
        await page.locator("main > *").first().waitFor();
        await page.waitForTimeout(600);
        const faults = await accessibilityFaults(page);
        expect(faults.length === 0, faults.join("\n      "));
      });
    }
  }
}

const studio = await Studio.start();
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  const elsewhere: string[] = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(studio.address) && !/^(blob|data|about):/.test(request.url())) elsewhere.push(request.url());
  });
  page.on("pageerror", (problem) => complaints.push(String(problem)));
  page.on("response", (answer) => {
    // A preview may be gone by the time it is asked for: its picture is finished. A task has no canvas at first, and
    // what was painted by hand no recipe.
    const expected = answer.status() === 404 && /\/(preview|canvas|recipe)$/.test(new URL(answer.url()).pathname);
    if (answer.status() >= 400 && !expected) complaints.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load")) complaints.push(message.text());
  });
  const api = new Api(studio.address);
  const takes = async (): Promise<StoryTake[]> => ((await api.ask("GET", `/tasks/${kTask}/takes?state=all`)) as { items: StoryTake[] }).items;
  const told: Told = { page, context, browser, api, address: studio.address, task: "", takes };
  for (const chapter of [brief, propose, retake, paint, decide, share, look]) await chapter(told);
  await step("the page said nothing on its console", page, async () => expect(complaints.length === 0, complaints.join("\n")));
  await step("no request left this machine", page, async () => expect(elsewhere.length === 0, elsewhere.join("\n")));
} finally {
  await browser.close();
  await studio.end();
}
console.log(`${score.passed} passed, ${score.failed} failed`);
process.exit(score.failed > 0 ? 1 : 0);
