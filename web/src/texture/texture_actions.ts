// Looking at a texture by keys.
import { signal } from "@preact/signals";
import { StageView } from "../canvas/stage_view";
import type { Action, ActionTable } from "../parts/actions";

export class TextureDesk {
  readonly stage = new StageView(2);
  readonly copies = signal(3);
  readonly shifted = signal(false);
  readonly lines = signal(false);

  setCopies(copies: number): void {
    this.copies.value = copies;
  }
}

export const kCopies: Action<TextureDesk> = { id: "texture.copies", label: "texture.repeat", keys: ["t"], perform: (desk) => desk.setCopies(desk.copies.peek() === 3 ? 1 : 3) };
export const kShift: Action<TextureDesk> = { id: "texture.shift", label: "texture.shift", keys: ["o"], perform: (desk) => void (desk.shifted.value = !desk.shifted.peek()) };
export const kLines: Action<TextureDesk> = { id: "texture.lines", label: "texture.lines", keys: ["l"], perform: (desk) => void (desk.lines.value = !desk.lines.peek()) };

export const kTextureActions: ActionTable<TextureDesk> = { group: "texture.group", actions: [kCopies, kShift, kLines] };
