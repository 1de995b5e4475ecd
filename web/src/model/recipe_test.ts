import { describe, expect, it } from "vitest";
import { defaultSettings, fromRecipe, libraryName, overscanShare, previewOf, restoreSettings, sizePresets, toRecipe } from "./recipe";

const kKnown = [
  { name: "backgrounds-xl", path: "models/backgrounds-xl.safetensors" },
  { name: "ink", path: "loras/ink.safetensors" },
];

describe("recipes", () => {
  it("come back as they went: recall and generate is the same recipe", () => {
    const written = {
      model: { path: "/studio/models/backgrounds-xl.safetensors", sha256: "aa" },
      prompt: "(fog:1.2), sea",
      negative: "text",
      width: 1216,
      height: 688,
      steps: 28,
      cfg: 6.5,
      sampler: "dpm++2m",
      schedule: "karras",
      seed: 4294967295,
      init: { path: "store/ab", sha256: "ab".repeat(32) },
      strength: 0.45,
      controls: [{ kind: "lineart", model: { path: "ink" }, image: { path: "x", sha256: "cd".repeat(32) }, weight: 0.7 }],
      loras: [{ file: { path: "loras/ink.safetensors" }, unet_weight: 0.8, text_weight: 0.8 }],
      tile_x: true,
      clip_skip: 2,
      regions: [{ prompt: "lanterns", mask: { path: "sha256:ef", sha256: "ef".repeat(32) }, weight: 1 }],
      vae: { path: "/studio/models/backgrounds-xl.safetensors", sha256: "bb" },
    };
    const settings = fromRecipe(written, defaultSettings(), kKnown);
    expect(toRecipe(settings)).toEqual({
      ...written,
      model: "backgrounds-xl",
      regions: [{ prompt: "lanterns", mask: `sha256:${"ef".repeat(32)}`, weight: 1 }],
      vae: "backgrounds-xl",
      init: `sha256:${"ab".repeat(32)}`,
      controls: [{ kind: "lineart", model: "ink", image: `sha256:${"cd".repeat(32)}`, weight: 0.7 }],
      loras: [{ file: "ink", unet_weight: 0.8, text_weight: 0.8 }],
    });
    expect(fromRecipe(toRecipe(settings), defaultSettings(), kKnown)).toEqual(settings);
  });
  it("leave out what was not set", () => {
    expect(Object.keys(toRecipe({ ...defaultSettings(), model: "starter" })).sort()).toEqual(["cfg", "height", "model", "prompt", "seed", "steps", "width"]);
  });
  it("find a model by name, by path and by file name", () => {
    for (const name of ["ink", "loras/ink.safetensors", "/elsewhere/ink.ckpt"]) expect(libraryName(name, kKnown)).toBe("ink");
    expect(libraryName("unknown", kKnown)).toBe("unknown");
  });
});

describe("sizePresets", () => {
  it("have the show's proportions, sides that networks take, and grow by the overscan", () => {
    const show = { width: 1920, height: 1080, overscan: 0.1 };
    const plain = sizePresets(show, false);
    const large = sizePresets(show, true);
    for (const [index, preset] of plain.entries()) {
      if (preset.id === "square") continue;
      expect(preset.width % 8 + preset.height % 8).toBe(0);
      expect(Math.abs(preset.width / preset.height - 16 / 9)).toBeLessThan(0.03);
      expect(large[index]!.width / preset.width).toBeCloseTo(1.1, 1);
    }
    expect(overscanShare({ overscan: 10 })).toBe(overscanShare({ overscan: 0.1 }));
  });
});

describe("previewOf", () => {
  it("is a quarter of the pixels in at most twelve steps", () => {
    expect(previewOf({ ...defaultSettings(), width: 1216, height: 688, steps: 28 })).toMatchObject({ width: 608, height: 344, steps: 12 });
  });
});

describe("restoreSettings", () => {
  it("keeps what fits and drops what does not", () => {
    const base = defaultSettings();
    expect(restoreSettings({ prompt: "sea", steps: "many", loras: {}, unknown: 1 }, base)).toEqual({ ...base, prompt: "sea" });
    expect(restoreSettings(null, base)).toBe(base);
  });
});
