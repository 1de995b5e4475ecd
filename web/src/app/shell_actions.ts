// What can be done anywhere: going to a section, searching, the shortcut sheet.
import { may, mayAnywhere } from "../api/session";
import type { ActionTable } from "../parts/actions";
import { navigate } from "../parts/router";

export interface ShellContext {
  openShortcuts(): void;
}

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  field?.focus();
  field?.select();
}

export const kShellActions: ActionTable<ShellContext> = {
  group: "actions.everywhere",
  actions: [
    { id: "shell.shortcuts", label: "actions.shortcuts", keys: ["?", "F1"], perform: (c) => c.openShortcuts() },
    { id: "shell.search", label: "actions.search", keys: ["/"], perform: focusSearch },
    { id: "shell.shows", label: "nav.shows", keys: ["Alt+1"], perform: () => navigate("/") },
    { id: "shell.queue", label: "nav.queue", keys: ["Alt+2"], perform: () => navigate("/queue") },
    { id: "shell.library", label: "nav.library", keys: ["Alt+3"], perform: () => navigate("/library") },
    {
      id: "shell.people",
      label: "nav.people",
      keys: ["Alt+4"],
      when: () => mayAnywhere("person.read"),
      perform: () => navigate("/people"),
    },
    { id: "shell.activity", label: "nav.activity", keys: ["Alt+5"], perform: () => navigate("/activity") },
    { id: "shell.studio", label: "nav.studio", keys: ["Alt+6"], when: () => may("studio.check") || may("studio.backup"), perform: () => navigate("/studio") },
  ],
};
