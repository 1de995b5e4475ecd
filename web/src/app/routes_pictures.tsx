// The addresses of the canvas, comparing, reviewing and textures.
import type { Route } from "./routes";

export const kPictureRoutes: readonly Route[] = [
  { path: "/tasks/:task/canvas", title: "canvas.title", section: "shows", load: async () => (await import("../canvas/canvas_view")).CanvasView },
  { path: "/compare", title: "compare.title", section: "shows", load: async () => (await import("../compare/compare_view")).CompareView },
  { path: "/tasks/:task/compare", title: "compare.title", section: "shows", load: async () => (await import("../compare/compare_view")).CompareView },
  { path: "/shows/:show/review", title: "review.playlists", section: "shows", load: async () => (await import("../review/playlists_view")).PlaylistsView },
  { path: "/playlists/:playlist", title: "review.title", section: "shows", load: async () => (await import("../review/player_view")).PlayerView },
  { path: "/playlists/:playlist/sheet", title: "review.sheet", section: "shows", load: async () => (await import("../review/sheet_view")).SheetView },
  { path: "/shared/:token", title: "review.title", guest: true, load: async () => (await import("../review/guest_view")).GuestView },
  { path: "/takes/:take/texture", title: "texture.title", section: "shows", load: async () => (await import("../texture/texture_view")).TextureView },
];
