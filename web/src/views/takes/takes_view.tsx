// Every take of a show, searched by prompt, title, model or seed, the newest first.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { segment } from "../../api/client";
import { usePages } from "../../api/pages";
import { useResource } from "../../api/store";
import type { Show, Take } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { thumbnailUrl, Thumbnail } from "../../parts/picture";
import { Link, place, setQuery } from "../../parts/router";
import { t } from "../../words";
import { ShowHead } from "../show/show_head";
import "../show/show_head.css";
import "./takes.css";

const kOrigins = ["generated", "edited", "imported", "composite"] as const;
const kStates = ["proposed", "approved", "withdrawn"] as const;

export function TakesView({ values }: { values: Record<string, string> }): JSX.Element {
  const code = values.show!;
  const base = `/shows/${segment(code)}`;
  const show = useResource<Show>(base, { topics: [{ kinds: ["show", "shot", "asset", "take"] }] });
  const query = place.value.query;
  const takes = usePages<Take>(`${base}/takes`, {
    query: { search: query.get("search"), origin: query.get("origin"), state: query.get("state") },
    topics: [{ kinds: ["take"] }],
    rows: 60,
  });
  const timer = useRef<ReturnType<typeof setTimeout>>();
  return (
    <>
      <ShowHead show={show.data.value} code={code} tab="takes" />
      <div class="page takes-page">
        <div class="page-head">
          <input
            class="input takes-search"
            type="search"
            data-search
            placeholder={t("takes.search")}
            aria-label={t("takes.search")}
            defaultValue={query.get("search") ?? ""}
            onInput={(event) => {
              const text = event.currentTarget.value;
              clearTimeout(timer.current);
              timer.current = setTimeout(() => setQuery({ search: text }), 200);
            }}
          />
          <select class="input" aria-label={t("takes.any_origin")} value={query.get("origin") ?? ""} onChange={(event) => setQuery({ origin: event.currentTarget.value })}>
            <option value="">{t("takes.any_origin")}</option>
            {kOrigins.map((origin) => (
              <option key={origin} value={origin}>
                {t(`origin.${origin}`)}
              </option>
            ))}
          </select>
          <select class="input" aria-label={t("takes.any_state")} value={query.get("state") ?? ""} onChange={(event) => setQuery({ state: event.currentTarget.value })}>
            <option value="">{t("takes.any_state")}</option>
            {kStates.map((state) => (
              <option key={state} value={state}>
                {t(`take.${state}`)}
              </option>
            ))}
          </select>
        </div>
        {takes.error.value && <ErrorBox error={takes.error.value} retry={() => void takes.reload()} />}
        {takes.items.value?.length === 0 && <p class="empty">{t("board.nothing_found")}</p>}
        <ul class="takes-grid">
          {takes.items.value?.map((take) => (
            <li key={take.id}>
              <Link to={`/tasks/${take.task_id}?take=${take.id}`} class={take.state === "approved" ? "takes-take takes-approved" : "takes-take"}>
                <Thumbnail url={thumbnailUrl(take)} alt="" class="takes-picture" />
                <span class="takes-name clip" title={take.reference}>
                  {take.reference.split("/").slice(1, 3).join("/")}
                </span>
                <span class="faint clip">
                  {take.label}
                  {take.state === "approved" && <span class="takes-state"> ✓ {t("take.approved")}</span>}
                </span>
              </Link>
            </li>
          ))}
        </ul>
        {takes.next.value && (
          <button type="button" class="button" onClick={() => void takes.more()}>
            {t("common.more")}
          </button>
        )}
      </div>
    </>
  );
}
