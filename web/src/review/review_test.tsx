import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadMe } from "../api/session";
import { place } from "../parts/router";
import { setLanguage, t } from "../words";
import { FakeStudio } from "../../test/fake_server";
import { beginShape } from "./drawing";
import { PlayerView } from "./player_view";
import { PlaylistsView } from "./playlists_view";
import { ReviewDesk } from "./review_desk";

const settle = async (): Promise<void> => {
  for (let i = 0; i < 12; i += 1) await new Promise((done) => setTimeout(done, 2));
};

let studio: FakeStudio;
let bodies: { to: string; body: Record<string, unknown> }[];

beforeEach(async () => {
  studio = new FakeStudio();
  bodies = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init: RequestInit = {}) => {
    if (typeof init.body === "string") bodies.push({ to: String(input), body: JSON.parse(init.body) as Record<string, unknown> });
    return studio.fetch(input, init);
  });
  vi.stubGlobal("createImageBitmap", async () => ({ width: 960, height: 540 }));
  await loadMe();
});
afterEach(() => {
  setLanguage("en");
  document.body.textContent = "";
});

const sent = (end: string) => bodies.filter((one) => one.to.endsWith(end)).map((one) => one.body);

async function newDesk(): Promise<ReviewDesk> {
  const desk = new ReviewDesk(studio.data.playlists[0]!.id);
  await settle();
  return desk;
}

function draw(desk: ReviewDesk): void {
  const shape = beginShape({ kind: "path", color: "#ff4f4f", width: 0.005 }, { x: 100, y: 100 }, 1, { width: 1920, height: 1080 });
  desk.draft.sketch.value = { shapes: [shape], undone: [] };
}

describe("a review", () => {
  it("sends a retake as a comment with the retake status, the take and the drawing", async () => {
    const desk = await newDesk();
    draw(desk);
    desk.text.value = "darker";
    await desk.say("retake");
    const take = desk.take.value!;
    const [drawing] = sent("/annotations");
    expect(drawing).toMatchObject({ canvas_width: take.width, canvas_height: take.height, note: "darker" });
    expect(drawing!.drawing).toHaveLength(1);
    const [comment] = sent("/comments");
    expect(comment).toMatchObject({ text: "darker", status: "status-retake", take: take.id });
    expect(comment!.annotation).toBeTruthy();
    expect(desk.draft.sketch.value.shapes).toHaveLength(0);
    desk.close();
  });

  it("asks for a reason before a retake, and for words or a drawing before a note", async () => {
    const desk = await newDesk();
    await desk.say("retake");
    await desk.say("note");
    expect(bodies).toHaveLength(0);
    desk.close();
  });

  it("approves with the comment as the reason, rejects with a mark", async () => {
    const desk = await newDesk();
    desk.show(1);
    desk.text.value = "right";
    await desk.say("approve");
    expect(sent("/approve")).toEqual([{ reason: "right" }]);
    await desk.say("reject");
    // Stars that were given stay: they are not said.
    expect(sent("/mark")).toEqual([{ verdict: "rejected" }]);
    desk.close();
  });

  it("makes a drawing the mask of the next take with one call and goes to the canvas", async () => {
    const desk = await newDesk();
    draw(desk);
    await desk.toMask();
    expect(sent("/mask")[0]).toMatchObject({ grow: expect.any(Number), feather: 0 });
    expect(place.value.path).toBe(`/tasks/${desk.take.value!.task_id}/canvas`);
    expect(place.value.query.get("take")).toBe(desk.take.value!.id);
    expect(place.value.query.get("mask")).toMatch(/^[0-9a-f]{64}$/);
    desk.close();
  });

  it("keeps showing the same take when the order changes, and stores the order", async () => {
    const desk = await newDesk();
    desk.show(1);
    const before = desk.take.value!.id;
    await desk.move(1, 3);
    expect(desk.take.value!.id).toBe(before);
    expect(desk.index.value).toBe(3);
    expect(studio.data.playlists[0]!.items[3]!.id).toBe(before);
    desk.close();
  });
});

describe("the views", () => {
  it("show the playlist's takes, verdicts and history, in both languages", async () => {
    const place = document.body.appendChild(document.createElement("div"));
    render(<PlayerView values={{ playlist: studio.data.playlists[0]!.id }} />, place);
    await settle();
    expect(place.querySelectorAll(".strip-take")).toHaveLength(studio.data.playlists[0]!.items.length);
    expect(place.textContent).toContain("Retake");
    for (const button of place.querySelectorAll("button")) {
      expect(button.textContent || button.getAttribute("aria-label"), button.outerHTML).toBeTruthy();
    }
    setLanguage("fr");
    await settle();
    expect(place.textContent).toContain("Approuver");
    render(null, place);
  });

  it("list the playlists of a show", async () => {
    const place = document.body.appendChild(document.createElement("div"));
    render(<PlaylistsView values={{ show: "lanterns" }} />, place);
    await settle();
    expect(place.querySelectorAll(".playlist-card").length).toBe(studio.data.playlists.length);
    expect(place.textContent).toContain(t("review.make_playlist"));
    render(null, place);
  });
});
