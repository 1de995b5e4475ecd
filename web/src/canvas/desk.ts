// What the page remembers with a canvas besides its layers: colours, and what was last asked for when repainting.

/** What the engine finds under the mask at first: the picture, its blurred surroundings, noise, or nothing. */
export const kFills = ["original", "fill", "noise", "nothing"] as const;
export type Fill = (typeof kFills)[number];

export interface Desk {
  color: string;
  recent: string[];
  prompt: string;
  strength: number;
  /** Null: as the take below. */
  negative: string | null;
  /** "": as the take below. */
  model: string;
  fill: Fill;
  /** Only the masked part with so many pixels around it, painted at full size; null: the whole picture. */
  padding: number | null;
  /** Null: another one each time. */
  seed: number | null;
}

export const kEmptyDesk: Desk = { color: "#3a6ea5", recent: [], prompt: "", strength: 0.6, negative: null, model: "", fill: "original", padding: null, seed: null };
