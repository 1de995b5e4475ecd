// Tables of actions of the canvas, comparing, reviewing and textures.
import type { ActionTable } from "../parts/actions";

export const kPictureTables: readonly ActionTable<never>[] = [];
