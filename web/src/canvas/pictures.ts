// Pictures of the server as bitmaps to draw and as pixels to compute with. Bytes are taken as they are: no colour
// profile is applied, so that what is computed is what the file says.
import { api } from "../api/session";
import { ApiError, errorDocument } from "../api/errors";
import type { Take } from "../model/documents";
import type { Size } from "./geometry";
import type { Pixels } from "./pixels";
import { readPng } from "./png_reader";

const kKept = 24;
const bitmaps = new Map<string, Promise<ImageBitmap>>();

export function takePicture(take: string): string {
  return api.url(`/takes/${encodeURIComponent(take)}/picture`);
}

export function showFile(show: string, sha256: string): string {
  return api.url(`/shows/${encodeURIComponent(show)}/files/${sha256}`);
}

/** The address of a small picture for lists. */
export function takeThumbnail(take: Pick<Take, "id">): string {
  return api.url(`/takes/${encodeURIComponent(take.id)}/thumbnail`);
}

async function fetchBitmap(url: string): Promise<ImageBitmap> {
  const response = await api.fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new ApiError(response.status, errorDocument(await response.json().catch(() => null), response.status));
  return createImageBitmap(await response.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}

/** The same picture is fetched once; the oldest are forgotten. */
export function loadBitmap(url: string): Promise<ImageBitmap> {
  const known = bitmaps.get(url);
  if (known) {
    bitmaps.delete(url);
    bitmaps.set(url, known);
    return known;
  }
  const loading = fetchBitmap(url);
  bitmaps.set(url, loading);
  loading.catch(() => bitmaps.delete(url));
  for (const old of bitmaps.keys()) {
    if (bitmaps.size <= kKept) break;
    bitmaps.delete(old);
  }
  return loading;
}

export function bitmapPixels(bitmap: ImageBitmap): Pixels {
  const surface = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = surface.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return { width: bitmap.width, height: bitmap.height, data };
}

/** How a bitmap is made as large as the canvas. */
export function sized(bitmap: ImageBitmap, size: Size): ImageBitmapOptions {
  if (bitmap.width === size.width && bitmap.height === size.height) return {};
  return { resizeWidth: size.width, resizeHeight: size.height, resizeQuality: "high" };
}

/** A file's pixels at the canvas's size; files of this page come back level by level. */
export async function loadPixels(url: string, size: Size): Promise<Pixels> {
  const response = await api.fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new ApiError(response.status, errorDocument(await response.json().catch(() => null), response.status));
  const file = await response.blob();
  const exact = await readPng(new Uint8Array(await file.arrayBuffer()));
  if (exact && exact.width === size.width && exact.height === size.height) return exact;
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  return bitmapPixels(await createImageBitmap(bitmap, sized(bitmap, size)));
}

/** A mask's file as marks' ground: white becomes the colour, black transparent. */
export function maskGround(pixels: Pixels, color: { r: number; g: number; b: number }): Pixels {
  const data = new Uint8ClampedArray(pixels.data.length);
  for (let i = 0; i < data.length; i += 4) {
    data[i] = color.r;
    data[i + 1] = color.g;
    data[i + 2] = color.b;
    data[i + 3] = Math.round((pixels.data[i]! * pixels.data[i + 3]!) / 255);
  }
  return { width: pixels.width, height: pixels.height, data };
}
