// Where the picture lies on the screen: zoom and pan as plain numbers, shared by the canvas, comparing, reviewing and
// textures.
//
//   screen = picture * scale + (x, y)      in CSS pixels of the stage
export interface Size {
  width: number;
  height: number;
}

export interface Spot {
  x: number;
  y: number;
}

/** Whole pixels; right and bottom lie just outside. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Viewport {
  scale: number;
  x: number;
  y: number;
}

export const kZoomSteps: readonly number[] = [
  1 / 32, 1 / 24, 1 / 16, 1 / 12, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64,
];
const kSmallest = kZoomSteps[0]!;
const kLargest = kZoomSteps[kZoomSteps.length - 1]!;
/** From here on lines between pixels are drawn. */
export const kGridScale = 8;
/** Pixels of the picture that stay on the stage however far it is moved. */
const kKeptVisible = 48;

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

export function toPicture(view: Viewport, at: Spot): Spot {
  return { x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale };
}

export function toScreen(view: Viewport, at: Spot): Spot {
  return { x: at.x * view.scale + view.x, y: at.y * view.scale + view.y };
}

/** The whole picture in the middle of the stage; small pictures are shown no larger than `largest` times. */
export function fitted(picture: Size, stage: Size, margin = 24, largest = 4): Viewport {
  const room = { width: Math.max(1, stage.width - 2 * margin), height: Math.max(1, stage.height - 2 * margin) };
  const scale = clamp(Math.min(room.width / picture.width, room.height / picture.height, largest), kSmallest, kLargest);
  return centred(picture, stage, scale);
}

export function centred(picture: Size, stage: Size, scale: number): Viewport {
  return {
    scale,
    x: Math.round((stage.width - picture.width * scale) / 2),
    y: Math.round((stage.height - picture.height * scale) / 2),
  };
}

/** The picture's point under `at` stays there. */
export function zoomedTo(view: Viewport, at: Spot, scale: number): Viewport {
  const wanted = clamp(scale, kSmallest, kLargest);
  const fixed = toPicture(view, at);
  return { scale: wanted, x: at.x - fixed.x * wanted, y: at.y - fixed.y * wanted };
}

/** The next step of the zoom above (1) or below (-1) the present one. */
export function nextZoom(scale: number, direction: 1 | -1): number {
  const close = 1.001;
  if (direction > 0) return kZoomSteps.find((step) => step > scale * close) ?? kLargest;
  return [...kZoomSteps].reverse().find((step) => step < scale / close) ?? kSmallest;
}

/** Keeps a part of the picture on the stage. */
export function keptVisible(view: Viewport, picture: Size, stage: Size): Viewport {
  const width = picture.width * view.scale;
  const height = picture.height * view.scale;
  const keep = Math.min(kKeptVisible, width, height);
  return {
    scale: view.scale,
    x: clamp(view.x, keep - width, stage.width - keep),
    y: clamp(view.y, keep - height, stage.height - keep),
  };
}

export function boxOf(from: Spot, to: Spot): Box {
  return {
    left: Math.min(from.x, to.x),
    top: Math.min(from.y, to.y),
    right: Math.max(from.x, to.x),
    bottom: Math.max(from.y, to.y),
  };
}

export function united(a: Box | null, b: Box | null): Box | null {
  if (!a || !b) return a ?? b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** The part inside the canvas, in whole pixels; null where nothing is left. */
export function clipped(box: Box, size: Size): Box | null {
  const inside = {
    left: clamp(Math.floor(box.left), 0, size.width),
    top: clamp(Math.floor(box.top), 0, size.height),
    right: clamp(Math.ceil(box.right), 0, size.width),
    bottom: clamp(Math.ceil(box.bottom), 0, size.height),
  };
  return inside.right > inside.left && inside.bottom > inside.top ? inside : null;
}
