// Every address of the page, with its view. Views are loaded when they are first shown.
import type { ComponentType } from "preact";
import type { WordKey } from "../words";
import { kPictureRoutes } from "./routes_pictures";

/** A view is given the names of its address (":show") as they stand there. */
export type View = ComponentType<{ values: Record<string, string> }>;

export interface Route {
  path: string;
  title: WordKey;
  load(): Promise<View>;
  /** Without the bar and without being signed in: guests. */
  guest?: boolean;
  /** The section of the bar that is marked. */
  section?: "shows" | "queue" | "library" | "people" | "activity" | "profile";
}

export const kRoutes: readonly Route[] = [
  { path: "/", title: "shows.title", section: "shows", load: async () => (await import("../views/shows/shows_view")).ShowsView },
  ...kPictureRoutes,
];
