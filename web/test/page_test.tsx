// The page as people use it, against the fake studio: what is shown, what keys do, what the server is asked.
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stopLive } from "../src/api/live";
import { loadMe, me } from "../src/api/session";
import { Shell } from "../src/app/shell";
import { startKeyboard } from "../src/parts/actions";
import { navigate, place } from "../src/parts/router";
import { setLanguage } from "../src/words";
import { permissionsOf } from "./fake_data";
import { FakeStudio } from "./fake_server";

let studio: FakeStudio;
let root: HTMLElement;
let endKeyboard: () => void;

const kBridge = "lanterns/sq010/sh020:background";
const text = (): string => root.textContent ?? "";
const find = <E extends HTMLElement>(selector: string): E => {
  const found = document.querySelector<E>(selector);
  if (!found) throw new Error(`there is no ${selector} in ${text().slice(0, 300)}`);
  return found;
};
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });

function button(name: string, within: ParentNode = document): HTMLButtonElement {
  const found = [...within.querySelectorAll("button")].find((each) => (each.getAttribute("aria-label") ?? each.textContent ?? "").trim() === name);
  if (!found) throw new Error(`there is no button "${name}"`);
  return found;
}

function press(key: string, more: KeyboardEventInit = {}): void {
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
}

function type(selector: string, value: string): void {
  const field = find<HTMLInputElement>(selector);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function submit(selector: string): void {
  find(selector).dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

async function open(path: string): Promise<void> {
  history.replaceState(null, "", path);
  place.value = { path: location.pathname, query: new URLSearchParams(location.search) };
  await loadMe();
  render(<Shell />, root);
  // Preact runs effects after the frame was painted; keys work from then on.
  await new Promise((done) => setTimeout(done, 60));
}

async function openTask(query = ""): Promise<void> {
  await open(`/tasks/${studio.task(kBridge).id}${query}`);
  await soon(() => expect(root.querySelectorAll(".take").length).toBeGreaterThan(5));
}

const takeOf = (label: string) => studio.data.takes.find((take) => take.label === label && take.reference.startsWith(kBridge))!;

beforeEach(() => {
  studio = new FakeStudio();
  vi.stubGlobal("fetch", studio.fetch);
  setLanguage("en");
  localStorage.clear();
  root = document.createElement("div");
  document.body.append(root);
  endKeyboard = startKeyboard();
});
afterEach(() => {
  stopLive();
  render(null, root);
  root.remove();
  endKeyboard();
  me.value = undefined;
  vi.unstubAllGlobals();
});

describe("signing in", () => {
  it("shows the server's refusal, then the shows", async () => {
    studio.signedIn = false;
    await open("/");
    type("input[name=login]", "ines");
    type("input[name=password]", "wrong");
    submit("form");
    await soon(() => expect(text()).toContain("the login or the password is wrong"));
    expect(text()).toContain("an administrator can set a new password");
    type("input[name=password]", "lanterns");
    submit("form");
    await soon(() => expect(text()).toContain("Atlas of Tides"));
  });
  it("asks for an own password after a one-time one", async () => {
    studio.data.me.person.must_change_password = true;
    await open("/");
    expect(text()).toContain("one-time password");
    type("input[name=old]", "lanterns");
    type("input[name=new]", "short");
    type("input[name=again]", "short");
    submit("form");
    await soon(() => expect(text()).toContain("at least 10"));
    type("input[name=new]", "a long enough one");
    type("input[name=again]", "a long enough one");
    submit("form");
    await soon(() => expect(text()).toContain("Atlas of Tides"));
    expect(studio.password).toBe("a long enough one");
  });
  it("is not asked of a single user", async () => {
    studio.data.me.single_user = true;
    await open("/");
    await soon(() => expect(text()).toContain("Lanterns"));
    expect(text()).not.toContain("Sign out");
  });
  it("speaks the person's language", async () => {
    studio.data.me.person.language = "fr";
    await open("/");
    await soon(() => expect(text()).toContain("Nouveau projet"));
    expect(document.documentElement.lang).toBe("fr");
  });
});

describe("the board", () => {
  it("shows shots with their tasks, statuses and casting", async () => {
    await open("/shows/lanterns");
    await soon(() => expect(text()).toContain("Lanterns over the bridge"));
    expect(text()).toContain("Waiting For Approval");
    expect(text()).toContain("9 takes · 1 retake");
    expect(find("[role=grid]").getAttribute("aria-rowcount")).toBe("11");
  });
  it("filters by what is in the address", async () => {
    await open("/shows/lanterns?status=retake");
    await soon(() => expect(text()).toContain("1 row"));
    expect(text()).toContain("Roofs, blue hour");
    expect(text()).not.toContain("Mira at the window");
  });
  it("creates a shot in the sequence it is at, and shows it when the event arrives", async () => {
    await open("/shows/lanterns");
    await soon(() => expect(text()).toContain("11 rows"));
    press("n");
    await soon(() => expect(find("dialog select[name=parent]").children.length).toBe(3));
    type("dialog input[name=code]", "sh050");
    submit("dialog form");
    await soon(() => expect(text()).toContain("12 rows"));
    expect(studio.data.entities.at(-1)).toMatchObject({ path: "sq010/sh050", kind: "shot" });
  });
  it("offers an artist nothing that artists may not do", async () => {
    studio.data.me.roles = { "": ["artist"] };
    studio.data.me.permissions = permissionsOf(studio.data.me.roles);
    await open("/shows/lanterns");
    await soon(() => expect(text()).toContain("11 rows"));
    expect(text()).not.toContain("New shot");
    press("n");
    expect(document.querySelector("dialog")).toBeNull();
  });
});

describe("episodes", () => {
  it("hold sequences, which hold shots: one goes in with Enter", async () => {
    await open("/shows/lanterns?kind=episode");
    await soon(() => expect(text()).toContain("No episodes"));
    press("n");
    await soon(() => expect(document.querySelector("dialog input[name=code]")).not.toBeNull());
    type("dialog input[name=code]", "ep01");
    submit("dialog form");
    await soon(() => expect(text()).toContain("1 row"));
    press("N", { shiftKey: true });
    await soon(() => expect(find<HTMLSelectElement>("dialog select[name=parent]").value).toBe(studio.data.entities.at(-1)!.id));
    type("dialog input[name=code]", "sq900");
    submit("dialog form");
    await soon(() => expect(studio.data.entities.at(-1)!.path).toBe("ep01/sq900"));
    await soon(() => expect(document.querySelector("dialog")).toBeNull());
    press("Enter");
    await soon(() => expect(text()).toContain("sq900"));
    expect(place.value.query.get("kind")).toBe("sequence");
    expect(place.value.query.get("search")).toBe("ep01/");
    await soon(() => expect(find<HTMLInputElement>(".board-search").value).toBe("ep01/"));
  });
});

describe("in and out of a show", () => {
  it("hands over approved takes, and lists what was handed over", async () => {
    await open("/shows/lanterns/exchange");
    await soon(() => expect(text()).toContain("Nothing was handed over yet"));
    button("New delivery").click();
    await soon(() => expect(document.querySelectorAll("dialog input[name=format]").length).toBe(5));
    find<HTMLInputElement>("dialog input[value=exr]").checked = true;
    type("dialog input[name=name]", "reel1");
    submit("dialog form");
    await soon(() => expect(find(".delivery").textContent).toContain("reel1"));
    expect(find(".delivery").textContent).toContain("exr");
    const links = [...root.querySelectorAll<HTMLAnchorElement>(".delivery a")].map((link) => new URL(link.href).pathname);
    expect(links.some((link) => link.endsWith("/shows/lanterns/deliveries/reel1/archive"))).toBe(true);
    expect(links.some((link) => link.endsWith("/deliveries/reel1/files/manifest.json"))).toBe(true);
    expect(links.filter((link) => link.includes("/files/")).length).toBeGreaterThan(1);
  });
  it("brings in a table, and says what is wrong with one", async () => {
    await open("/shows/lanterns/exchange");
    await soon(() => expect(document.querySelector(".exchange-form")).not.toBeNull());
    const choose = (body: string): void => {
      const files = new DataTransfer();
      files.items.add(new File([body], "cut.edl"));
      find<HTMLInputElement>(".exchange-form input[type=file]").files = files.files;
    };
    choose("Sequence,Name\nsq010,sh010\nsq010,sh020");
    submit(".exchange-form");
    await soon(() => expect(text()).toContain("2 created, 0 updated"));
    find<HTMLSelectElement>(".exchange-form select").value = "edl";
    choose("nonsense");
    submit(".exchange-form");
    await soon(() => expect(text()).toContain("this is no edit decision list"));
    expect(studio.requests.filter((line) => line.includes("/import?what="))).toEqual(["POST /api/v1/shows/lanterns/import?what=shots", "POST /api/v1/shows/lanterns/import?what=edl"]);
  });
  it("gets types of its own", async () => {
    await open("/shows/lanterns/settings");
    await soon(() => expect(text()).toContain("New type of task"));
    button("New type of task").click();
    await soon(() => expect(document.querySelector("dialog")).not.toBeNull());
    type("dialog input[name=name]", "Matte painting");
    type("dialog input[name=code]", "matte");
    submit("dialog form");
    await soon(() => expect(text()).toContain("Matte painting"));
  });
});

describe("keeping the studio", () => {
  it("examines files, names what is wrong, and copies all of it", async () => {
    studio.data.me.roles = { "": ["administrator"] };
    studio.data.me.permissions = permissionsOf(studio.data.me.roles);
    await open("/studio");
    await soon(() => expect(text()).toContain("Examine all files"));
    button("Examine all files").click();
    await soon(() => expect(text()).toContain("1 problem"));
    expect(text()).toContain("lanterns/sq010/sh020:background/v001/t02");
    submit(".studio form");
    await soon(() => expect(text()).toContain("412 files, 1.9 GB"));
  });
  it("is in the bar of those only who may", async () => {
    studio.data.me.roles = { "": ["artist"] };
    studio.data.me.permissions = permissionsOf(studio.data.me.roles);
    await open("/");
    await soon(() => expect(text()).toContain("Library"));
    expect([...root.querySelectorAll(".bar-section")].map((each) => each.textContent)).not.toContain("Studio");
  });
  it("lets somebody with roles in two shows choose between them", async () => {
    const [lanterns, atlas] = studio.data.shows;
    studio.data.me.roles = { [lanterns!.id]: ["artist"], [atlas!.id]: ["artist"] };
    studio.data.me.permissions = permissionsOf(studio.data.me.roles);
    await open("/queue");
    await soon(() => expect(studio.requests.some((line) => line.includes(`/jobs?`) && line.includes(`show=${lanterns!.id}`))).toBe(true));
    expect(studio.requests.some((line) => line.includes("/jobs?") && !line.includes("show="))).toBe(false);
    const choice = find<HTMLSelectElement>('select[aria-label="Show"]');
    choice.value = "atlas";
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    await soon(() => expect(studio.requests.some((line) => line.includes("/jobs?") && line.includes(`show=${atlas!.id}`))).toBe(true));
  });
});

describe("a task", () => {
  it("has its one approved take on top, and withdrawn ones only on demand", async () => {
    await openTask();
    expect(find(".approved").textContent).toContain("v002 t03");
    expect(root.querySelectorAll(".take-approved").length).toBe(1);
    expect(root.querySelectorAll(".take-withdrawn").length).toBe(0);
    press("w");
    await soon(() => expect(root.querySelectorAll(".take-withdrawn").length).toBe(1));
  });
  it("keeps two settings that are changed before the page is drawn again", async () => {
    await openTask();
    for (const [label, value] of [["Width", "512"], ["Height", "256"]] as const) {
      const field = find<HTMLInputElement>(`input[aria-label="${label}"]`);
      field.value = value;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    await soon(() => expect(find<HTMLInputElement>('input[aria-label="Height"]').value).toBe("256"));
    expect(find<HTMLInputElement>('input[aria-label="Width"]').value).toBe("512");
  });
  it("says who approved the take that is looked at, and offers no approving of it", async () => {
    await openTask(`?take=${takeOf("v002 t03").id}`);
    await soon(() => expect(find(".approved-by").textContent).toContain("Approved by Inès Caron (Art director)"));
    expect([...root.querySelectorAll(".take-buttons button")].map((each) => each.textContent)).not.toContain("Approve");
  });
  it("shows takes as they arrive, also those of while the stream was cut", async () => {
    await openTask();
    const before = root.querySelectorAll(".take").length;
    await soon(() => expect(studio.requests).toContain("GET /api/v1/events/stream"));
    studio.addTake(studio.task(kBridge), "generated");
    await soon(() => expect(root.querySelectorAll(".take").length).toBe(before + 1));
    studio.cutStreams();
    studio.addTake(studio.task(kBridge), "generated");
    await soon(() => expect(root.querySelectorAll(".take").length).toBe(before + 2));
  });
  it("takes stars and verdicts from the keyboard", async () => {
    const take = takeOf("v002 t02");
    await openTask(`?take=${take.id}`);
    await soon(() => expect(find(".take-panel").textContent).toContain("v002 t02"));
    press("4");
    press("v");
    await soon(() => expect(takeOf("v002 t02").marks.mine).toEqual({ stars: 4, verdict: "validated" }));
    press("v");
    await soon(() => expect(takeOf("v002 t02").marks.mine).toEqual({ stars: 4, verdict: "neutral" }));
  });
  it("moves the approval with a reason, and tells its history", async () => {
    await openTask(`?take=${takeOf("v002 t02").id}`);
    await soon(() => expect(find(".take-panel").textContent).toContain("v002 t02"));
    press("a");
    await soon(() => expect(find("dialog")).toBeTruthy());
    type("dialog textarea[name=reason]", "Better lights.");
    submit("dialog form");
    await soon(() => expect(find(".approved").textContent).toContain("v002 t02"));
    press("h");
    await soon(() => expect(find(".task-side").textContent).toContain("Better lights."));
    expect(root.querySelectorAll(".take-approved").length).toBe(1);
  });
  it("recalls every setting of a take, and sends it again", async () => {
    await openTask(`?take=${takeOf("v001 t02").id}`);
    await soon(() => expect(find(".take-panel .recipe").textContent).toContain("karras"));
    press("r");
    await soon(() => expect(find<HTMLTextAreaElement>("#prompt").value).toContain("rising paper lanterns:1.3"));
    press("Enter", { ctrlKey: true });
    await soon(() => expect(studio.requests.some((each) => /^POST .*\/jobs$/.test(each))).toBe(true));
    await soon(() => expect(text()).toContain("Pictures in the queue: 4"));
    expect(studio.data.jobs.at(-1)).toMatchObject({ kind: "generate", count: 4, model: "backgrounds-xl" });
  });
  it("changes status only with a comment", async () => {
    await openTask();
    press("c");
    await soon(() => expect(find(".comment-list").textContent).toContain("Five proposals"));
    await soon(() => expect(find("select[name=status]").children.length).toBeGreaterThan(3));
    type(".comment-form textarea", "Once more, please.");
    find<HTMLSelectElement>("select[name=status]").value = "retake";
    submit(".comment-form");
    await soon(() => expect(find(".task-head").textContent).toContain("2 of 5"));
    expect(studio.data.comments.at(-1)).toMatchObject({ text: "Once more, please.", status: { code: "retake" } });
  });
  it("refuses to overwrite what somebody else changed", async () => {
    await openTask();
    press("b");
    await soon(() => expect(text()).toContain("the camera pans"));
    button("Edit").click();
    await soon(() => expect(find("dialog textarea[name=brief]")).toBeTruthy());
    studio.task(kBridge).version += 1;
    type("dialog textarea[name=brief]", "Mine.");
    submit("dialog form");
    await soon(() => expect(find("dialog").textContent).toContain("somebody else changed it"));
    expect(studio.task(kBridge).brief).not.toBe("Mine.");
  });
  it("shows progress and cancels", async () => {
    await openTask();
    await soon(() => expect(text()).toContain("1 of 4"));
    studio.progress(studio.data.jobs[0]!, 7, 28);
    await soon(() => expect(text()).toContain("step 7 of 28"));
    button("Cancel", find(".job-strip")).click();
    await soon(() => expect(studio.data.jobs[0]!.state).toBe("canceled"));
  });
});

describe("the keyboard", () => {
  it("opens the sheet of shortcuts and leaves typing alone", async () => {
    await openTask();
    const prompt = find<HTMLTextAreaElement>("#prompt");
    prompt.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true }));
    expect(document.querySelector("dialog")).toBeNull();
    press("?");
    await soon(() => expect(find("dialog").textContent).toContain("Recall all settings"));
    press("w");
    expect(root.querySelectorAll(".take-withdrawn").length).toBe(0);
    button("Close", find("dialog")).click();
    await soon(() => expect(document.querySelector("dialog")).toBeNull());
  });
  it("goes to sections", async () => {
    await open("/");
    await soon(() => expect(text()).toContain("New show"));
    press("2", { altKey: true, code: "Digit2" });
    await soon(() => expect(text()).toContain("the job would not fit in memory"));
    navigate("/nowhere");
    await soon(() => expect(text()).toContain("There is no such page"));
  });
});
