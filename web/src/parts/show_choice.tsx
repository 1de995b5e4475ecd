// Which show a list is about: people with a role in the whole studio see all at once and may narrow it; others see one
// of theirs at a time.
import type { JSX } from "preact";
import { useResource } from "../api/store";
import { may } from "../api/session";
import type { Page, Show } from "../model/documents";
import { t } from "../words";
import { place, setQuery } from "./router";

export interface ShowChoice {
  /** What lists are asked with: a show's id, null for all, undefined while it is not known which shows there are. */
  show: string | null | undefined;
  field: JSX.Element | null;
}

/** `action`: the right that the list takes. */
export function useShowChoice(action: string): ShowChoice {
  const all = may(action);
  const shows = useResource<Page<Show>>("/shows", { topics: [{ kinds: ["show"] }] });
  const mine = (shows.data.value?.items ?? []).filter((show) => may(action, show.id));
  const wished = place.value.query.get("show");
  const chosen = mine.find((show) => show.code === wished) ?? (all ? null : (mine[0] ?? null));
  const field =
    mine.length < 2 ? null : (
      <select class="input" aria-label={t("show.choose")} value={chosen?.code ?? ""} onChange={(event) => setQuery({ show: event.currentTarget.value })}>
        {all && <option value="">{t("show.all")}</option>}
        {mine.map((show) => (
          <option key={show.id} value={show.code}>
            {show.name}
          </option>
        ))}
      </select>
    );
  if (!all && shows.data.value === null) return { show: undefined, field };
  return { show: chosen?.id ?? null, field };
}
