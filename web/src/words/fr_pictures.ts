// French: the canvas, comparing, reviewing and textures.
import type { enPictures } from "./en_pictures";

export const frPictures: Record<keyof typeof enPictures, string> = {};
