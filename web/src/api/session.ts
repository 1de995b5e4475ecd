// Who is signed in, and the one client everything asks through.
import { signal } from "@preact/signals";
import type { Me } from "../model/documents";
import { setLanguage } from "../words";
import { createClient } from "./client";
import { ApiError } from "./errors";

export const api = createClient((...call) => globalThis.fetch(...call));

/** undefined until the server was asked; null where nobody is signed in. */
export const me = signal<Me | null | undefined>(undefined);

function accept(answer: Me): void {
  api.setCsrf(answer.csrf);
  setLanguage(answer.person.language);
  me.value = answer;
}

export async function loadMe(): Promise<void> {
  try {
    accept(await api.get<Me>("/me"));
  } catch (thrown) {
    if (!(thrown instanceof ApiError && thrown.isSignedOut)) throw thrown;
    me.value = null;
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  accept(await api.post<Me>("/sessions", { login, password }));
}

export async function signOut(): Promise<void> {
  await api.remove("/sessions/current");
  me.value = null;
}

export async function changePassword(old: string, wanted: string): Promise<void> {
  await api.post("/me/change-password", { old, new: wanted });
  await loadMe();
}

export async function saveProfile(change: { name?: string; language?: string }): Promise<void> {
  await api.patch("/me", change);
  await loadMe();
}

/** Whether the person may do this ("take.approve"), in the show or in the whole studio. */
export function may(action: string, showId?: string | null): boolean {
  const permissions = me.value?.permissions;
  if (!permissions) return false;
  if (permissions[""]?.includes(action)) return true;
  if (showId) return permissions[showId]?.includes(action) ?? false;
  return false;
}

/** Whether the person may do this in at least one show. */
export function mayAnywhere(action: string): boolean {
  return Object.values(me.value?.permissions ?? {}).some((actions) => actions.includes(action));
}
