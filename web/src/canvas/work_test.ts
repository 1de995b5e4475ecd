import { describe, expect, it, vi } from "vitest";
import { api, loadMe } from "../api/session";
import { FakeStudio } from "../../test/fake_server";
import { rectangleArea } from "./area";
import { newState } from "./document";
import { Editor } from "./editor";
import { History } from "./history";
import { newPixels } from "./pixels";
import { RepaintWatch } from "./repaint_watch";
import { generateFromBlockout, layerFileName, paintedInside, repaint, repaintRecipe, saveAsTake } from "./work";

const kSize = { width: 32, height: 24 };
const wish = { prompt: "a lit window", negative: "", strength: 0.6, count: 1, model: "", kind: "retake", fill: "original", padding: null, seed: null } as const;

async function newStudio() {
  const studio = new FakeStudio();
  const bodies: Record<string, unknown>[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init: RequestInit = {}) => {
    if (typeof init.body === "string") bodies.push({ to: String(input), ...(JSON.parse(init.body) as object) });
    return studio.fetch(input, init);
  });
  await loadMe();
  const task = studio.task("lanterns/sq010/sh020:background");
  const take = studio.data.takes.find((one) => one.task_id === task.id)!;
  const editor = new Editor(new History(newState(kSize, take.id)));
  const base = newPixels(kSize);
  for (let i = 0; i < base.data.length; i += 1) base.data[i] = i % 4 === 3 ? 255 : i % 251;
  editor.base.value = base;
  return { studio, bodies, task, take, editor };
}

describe("repainting", () => {
  it("keeps the parent's settings, but not what belongs to its own picture", () => {
    const recipe = repaintRecipe({ model: "m", steps: 20, seed: 7, mask: "sha256:old", prompt: "old", controls: [] }, wish, { init: "aa", mask: "bb", feather: 5 });
    expect(recipe).toMatchObject({ model: "m", steps: 20, prompt: "a lit window", init: "sha256:aa", mask: "sha256:bb", strength: 0.6, inpaint: { feather: 5 } });
    expect(recipe).not.toHaveProperty("seed");
    expect(recipe).not.toHaveProperty("controls");
    expect(recipe.inpaint).toEqual({ feather: 5 });
    const asked = repaintRecipe({ model: "m" }, { ...wish, fill: "noise", padding: 48, seed: 11, model: "inpaint" }, { init: "aa", mask: "bb", feather: 5 });
    expect(asked).toMatchObject({ model: "inpaint", seed: 11, inpaint: { feather: 5, fill: "noise", padding: 48 } });
  });

  it("starts from paint inside the mask and from the take's own pixels outside", async () => {
    const { editor } = await newStudio();
    editor.addLayer("paint");
    editor.setColor("#ff0000");
    editor.fillSelection();
    const area = rectangleArea({ left: 4, top: 4, right: 8, bottom: 8 }, kSize);
    const start = paintedInside(editor, area);
    const at = (x: number, y: number): number[] => [...start.data.subarray((y * 32 + x) * 4, (y * 32 + x) * 4 + 3)];
    expect(at(5, 5)).toEqual([255, 0, 0]);
    const outside = (9 * 32 + 9) * 4;
    expect(at(9, 9)).toEqual([...editor.base.value!.data.subarray(outside, outside + 3)]);
  });

  it("asks for a retake with mask, parent and regions, and shows the server's proof of what arrives", async () => {
    const { studio, bodies, task, take, editor } = await newStudio();
    const region = editor.addLayer("region");
    editor.selectBox({ left: 0, top: 0, right: 6, bottom: 6 }, "replace");
    editor.fillSelection();
    editor.change(region.id, { prompt: "a lantern" });
    editor.selectBox({ left: 8, top: 8, right: 20, bottom: 20 }, "replace");
    const asked = await repaint(api, editor, task, take, wish);
    const sent = bodies.find((body) => String(body.to).endsWith("/jobs"))! as { recipe: Record<string, unknown> } & Record<string, unknown>;
    expect(sent).toMatchObject({ kind: "retake", parent: take.id, relation: "retake", count: 1 });
    expect(sent.recipe.mask).toBe(`sha256:${asked.mask}`);
    expect(sent.recipe.init).toBe(`sha256:${take.sha256}`);
    expect(sent.recipe.regions).toMatchObject([{ prompt: "a lantern", weight: 1 }]);

    const watch = new RepaintWatch(api, () => {}, 1e6);
    watch.add(asked);
    const job = studio.data.jobs.find((one) => one.id === asked.job.id)!;
    const made = studio.finishPicture(job);
    await watch.ask(job.id);
    expect(watch.items.value[0]!.takes).toMatchObject([{ take: { id: made.id }, proof: { outside_unchanged: true } }]);
    expect(bodies.find((body) => String(body.to).endsWith("/prove"))).toMatchObject({ mask: asked.mask, parent: take.id });
    // A take is proved once, however often the job is looked at.
    await watch.ask(job.id);
    expect(watch.items.value[0]!.takes).toHaveLength(1);
    watch.close();
  });
});

describe("blockouts", () => {
  it("are the start of a whole picture, or scribbles that lead it", async () => {
    const { bodies, task, editor } = await newStudio();
    expect(await generateFromBlockout(api, editor, task, {}, wish)).toBeNull();
    const layer = editor.addLayer("blockout", { strength: 0.55 });
    editor.fillSelection();
    await generateFromBlockout(api, editor, task, { model: "m", seed: 9, steps: 12 }, wish);
    const jobs = () => bodies.filter((body) => String(body.to).endsWith("/jobs")) as { kind: string; recipe: Record<string, unknown> }[];
    expect(jobs()[0]).toMatchObject({ kind: "generate", recipe: { model: "m", steps: 12, strength: 0.55, width: 32, height: 24 } });
    expect(jobs()[0]!.recipe.init).toMatch(/^sha256:/);
    expect(jobs()[0]!.recipe).not.toHaveProperty("seed");
    editor.change(layer.id, { use: "scribble", strength: 0.8 });
    await generateFromBlockout(api, editor, task, { model: "m" }, wish);
    expect(jobs()[1]!.recipe).not.toHaveProperty("init");
    expect(jobs()[1]!.recipe.controls).toMatchObject([{ kind: "scribble", model: "lineart", weight: 0.8 }]);
  });
});

describe("saving as a take", () => {
  it("files the flattened picture with its layers and strokes", async () => {
    const { studio, task, take, editor } = await newStudio();
    editor.addLayer("paint", { name: "Ciel, retouché" });
    editor.fillSelection();
    editor.addLayer("mask");
    await saveAsTake(api, editor, task, "by hand");
    const asked = studio.requests.filter((line) => !line.startsWith("GET"));
    expect(asked.some((line) => line.includes("/takes?origin=edited") && line.includes(`parent=${take.id}`))).toBe(true);
    expect(asked.filter((line) => line.includes("/files/layer/"))).toHaveLength(1);
    expect(asked.some((line) => line.includes("/files/layer/01-ciel-retouche.png"))).toBe(true);
    expect(asked.some((line) => line.endsWith("/files/strokes/canvas.json"))).toBe(true);
  });

  it("gives layers file names in plain letters", () => {
    expect(layerFileName(0, { name: "../../etc", kind: "paint" } as never)).toBe("01-etc.png");
    expect(layerFileName(11, { name: "空", kind: "region" } as never)).toBe("12-region.png");
  });
});
