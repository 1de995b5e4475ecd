// What happened, the newest first: who, in which role, what, to what, before and after.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { segment } from "../../api/client";
import { usePages } from "../../api/pages";
import { useResource } from "../../api/store";
import type { Page, Person, Show, StudioEvent } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { Link, place, setQuery } from "../../parts/router";
import { useShowChoice } from "../../parts/show_choice";
import { formatTime, t, tOr } from "../../words";
import { ShowHead } from "../show/show_head";
import "../show/show_head.css";
import "./activity.css";

const kSubjects = ["show", "episode", "sequence", "shot", "asset", "task", "take", "comment", "annotation", "job", "playlist", "person", "model", "delivery"] as const;

/** The page that shows an event's subject. */
function addressOf(event: StudioEvent): string | null {
  const task = event.after?.task_id ?? event.after?.task ?? event.before?.task_id;
  if (event.subject_kind === "task") return `/tasks/${event.subject_id}`;
  if (typeof task === "string") return event.subject_kind === "take" ? `/tasks/${task}?take=${event.subject_id}` : `/tasks/${task}`;
  return null;
}

function change(event: StudioEvent): string {
  const names = [...new Set([...Object.keys(event.before ?? {}), ...Object.keys(event.after ?? {})])].filter((name) => !name.endsWith("_id") && name !== "id");
  const text = (value: unknown): string => (value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
  return names
    .map((name) => {
      const [before, after] = [event.before?.[name], event.after?.[name]];
      return before === undefined ? `${name}: ${text(after)}` : `${name}: ${text(before)} → ${text(after)}`;
    })
    .join(", ");
}

function EventRow({ event }: { event: StudioEvent }): JSX.Element {
  const address = addressOf(event);
  const name = event.subject_name || tOr(`subject.${event.subject_kind}`, event.subject_kind);
  return (
    <tr>
      <td class="activity-time">
        <time dateTime={event.at}>{formatTime(event.at)}</time>
      </td>
      <td>
        {event.person?.name ?? t("activity.program")}
        {event.role && <span class="faint"> {tOr(`role.${event.role}`, event.role)}</span>}
      </td>
      <td>
        {tOr(`event.${event.action}`, event.action)}
      </td>
      <td class="activity-subject">{address ? <Link to={address}>{name}</Link> : name}</td>
      <td class="muted activity-change">{change(event)}</td>
    </tr>
  );
}

/** Loads the next page when its place comes on screen. */
function MoreWhenSeen({ more }: { more(): void }): JSX.Element {
  const element = useRef<HTMLButtonElement>(null);
  const latest = useRef(more);
  latest.current = more;
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && latest.current(), { rootMargin: "600px" });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return (
    <button ref={element} type="button" class="button" onClick={more}>
      {t("common.more")}
    </button>
  );
}

export function ActivityView({ values }: { values: Record<string, string> }): JSX.Element {
  const code = values.show;
  const show = useResource<Show>(code ? `/shows/${segment(code)}` : null);
  const people = useResource<Page<Person>>("/people", { query: { limit: 500 } });
  const query = place.value.query;
  const subject = query.get("about") ?? "";
  const person = query.get("person") ?? "";
  const choice = useShowChoice("event.read");
  const about = code ?? choice.show;
  const events = usePages<StudioEvent>(about === undefined ? null : "/events", {
    query: { show: about ?? null, person, action: subject ? `${subject}:` : null },
    topics: [{ kinds: [...kSubjects, "casting", "status", "mark"] }],
    rows: 60,
  });
  return (
    <>
      {code && <ShowHead show={show.data.value} code={code} tab="activity" />}
      <div class="page">
        <div class="page-head">
          {code ? <span class="grow" /> : <h1>{t("nav.activity")}</h1>}
          {!code && choice.field}
          <select class="input" aria-label={t("activity.about")} value={subject} onChange={(event) => setQuery({ about: event.currentTarget.value })}>
            <option value="">{t("activity.everything")}</option>
            {kSubjects.map((kind) => (
              <option key={kind} value={kind}>
                {t(`subject.${kind}`)}
              </option>
            ))}
          </select>
          <select class="input" aria-label={t("activity.who")} value={person} onChange={(event) => setQuery({ person: event.currentTarget.value })}>
            <option value="">{t("activity.everybody")}</option>
            {people.data.value?.items.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </select>
        </div>
        {events.error.value && <ErrorBox error={events.error.value} retry={() => void events.reload()} />}
        {events.items.value?.length === 0 && <p class="empty">{t("activity.none")}</p>}
        <table class="table">
          <thead>
            <tr>
              <th>{t("activity.when")}</th>
              <th>{t("activity.who")}</th>
              <th>{t("activity.what")}</th>
              <th>{t("activity.about")}</th>
              <th>{t("activity.change")}</th>
            </tr>
          </thead>
          <tbody aria-live="polite">
            {events.items.value?.map((event) => (
              <EventRow key={event.id} event={event} />
            ))}
          </tbody>
        </table>
        {events.next.value && <MoreWhenSeen key={events.next.value} more={() => void events.more()} />}
      </div>
    </>
  );
}
