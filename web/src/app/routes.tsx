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
  section?: "shows" | "queue" | "library" | "people" | "activity" | "studio" | "profile";
}

export const kRoutes: readonly Route[] = [
  { path: "/", title: "shows.title", section: "shows", load: async () => (await import("../views/shows/shows_view")).ShowsView },
  { path: "/shows/:show", title: "board.title", section: "shows", load: async () => (await import("../views/board/board_view")).BoardView },
  { path: "/shows/:show/tasks", title: "show.tasks", section: "shows", load: async () => (await import("../views/tasks/tasks_view")).TasksView },
  { path: "/shows/:show/takes", title: "show.takes", section: "shows", load: async () => (await import("../views/takes/takes_view")).TakesView },
  { path: "/shows/:show/activity", title: "nav.activity", section: "shows", load: async () => (await import("../views/activity/activity_view")).ActivityView },
  { path: "/shows/:show/settings", title: "show.settings", section: "shows", load: async () => (await import("../views/settings/show_settings_view")).ShowSettingsView },
  { path: "/shows/:show/exchange", title: "show.exchange", section: "shows", load: async () => (await import("../views/exchange/exchange_view")).ExchangeView },
  { path: "/tasks/:task", title: "task.task", section: "shows", load: async () => (await import("../views/task/task_view")).TaskView },
  { path: "/queue", title: "nav.queue", section: "queue", load: async () => (await import("../views/queue/queue_view")).QueueView },
  { path: "/library", title: "nav.library", section: "library", load: async () => (await import("../views/library/library_view")).LibraryView },
  { path: "/people", title: "nav.people", section: "people", load: async () => (await import("../views/people/people_view")).PeopleView },
  { path: "/activity", title: "nav.activity", section: "activity", load: async () => (await import("../views/activity/activity_view")).ActivityView },
  { path: "/studio", title: "nav.studio", section: "studio", load: async () => (await import("../views/studio/studio_view")).StudioView },
  { path: "/profile", title: "profile.you", section: "profile", load: async () => (await import("../views/profile/profile_view")).ProfileView },
  ...kPictureRoutes,
];
