// The addresses of the canvas, comparing, reviewing and textures.
import type { Route } from "./routes";

export const kPictureRoutes: readonly Route[] = [];
