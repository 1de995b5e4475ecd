// A shared playlist for guests: a name and the link's password, then looking, reading what was said about the
// pictures, drawing and commenting, nothing else.
import { signal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { segment } from "../api/client";
import { ApiError, asErrorDocument } from "../api/errors";
import { api } from "../api/session";
import { kStageActions } from "../canvas/stage_actions";
import type { ErrorDocument, Page, Playlist, Take } from "../model/documents";
import { useActions } from "../parts/actions";
import { ErrorBox } from "../parts/error_box";
import { notify, reportError } from "../parts/notices";
import { formatTime, t } from "../words";
import { Board, Drafting, PenBar } from "./board";
import type { Shape } from "./drawing";
import { shortReference } from "./player_view";
import "./review.css";

type SharedTake = Pick<Take, "id" | "reference" | "label" | "title" | "width" | "height">;

interface Shared {
  playlist: Pick<Playlist, "id" | "name" | "description">;
  takes: SharedTake[];
  can_comment: boolean;
}

/** What was said about one picture, by the crew or by guests. */
interface Said {
  id: string;
  text: string;
  author: string;
  is_guest: boolean;
  said_at: string;
  drawing: Shape[];
}

class GuestDesk {
  readonly draft = new Drafting();
  readonly shared: Signal<Shared | null> = signal<Shared | null>(null);
  readonly index = signal(0);
  readonly text = signal("");
  readonly locked = signal(false);
  readonly error: Signal<ErrorDocument | null> = signal<ErrorDocument | null>(null);
  readonly said: Signal<Said[]> = signal<Said[]>([]);

  constructor(readonly token: string) {
    void this.load();
  }

  get path(): string {
    return `/shared/${segment(this.token)}`;
  }

  async load(): Promise<void> {
    try {
      this.shared.value = await api.get<Shared>(this.path);
      this.locked.value = false;
      await this.hear();
    } catch (thrown) {
      this.locked.value = true;
      const refused = thrown instanceof ApiError && (thrown.status === 401 || thrown.status === 403);
      if (!refused) this.error.value = asErrorDocument(thrown);
    }
  }

  async open(name: string, password: string): Promise<void> {
    this.error.value = null;
    try {
      await api.post(`${this.path}/open`, { name, password });
      await this.load();
    } catch (thrown) {
      this.error.value = asErrorDocument(thrown);
    }
  }

  get take(): SharedTake | null {
    return this.shared.peek()?.takes[this.index.peek()] ?? null;
  }

  /** What was said about the picture that is shown. */
  private async hear(): Promise<void> {
    const take = this.take;
    if (!take) return;
    const said = await api.get<Page<Said>>(`${this.path}/takes/${segment(take.id)}/comments`);
    if (this.take?.id === take.id) this.said.value = said.items;
  }

  show(index: number): void {
    this.draft.clear();
    this.text.value = "";
    this.said.value = [];
    this.index.value = index;
    this.hear().catch(reportError);
  }

  async send(take: SharedTake): Promise<void> {
    const drawing = this.draft.sketch.peek().shapes;
    const text = this.text.peek().trim();
    if (text === "" && drawing.length === 0) return notify("review.nothing_to_say");
    await api.post(`${this.path}/takes/${segment(take.id)}/comments`, { text, ...(drawing.length > 0 ? { drawing } : {}) });
    this.draft.clear();
    this.text.value = "";
    await this.hear();
    notify("review.guest_sent");
  }
}

function Door({ desk }: { desk: GuestDesk }): JSX.Element {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  return (
    <form
      class="panel guest-door"
      onSubmit={(event) => {
        event.preventDefault();
        void desk.open(name.trim(), password);
      }}
    >
      <h1>{t("review.guest_title")}</h1>
      <p class="muted">{t("review.guest_text")}</p>
      <label class="field">
        <span class="label">{t("review.guest_name")}</span>
        <input class="input" required autocomplete="name" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span class="label">{t("session.password")}</span>
        <input class="input" type="password" required value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
      </label>
      {desk.error.value && <ErrorBox error={desk.error.value} />}
      <button type="submit" class="button button-primary">
        {t("review.guest_open")}
      </button>
    </form>
  );
}

export function GuestView({ values }: { values: Record<string, string> }): JSX.Element {
  const desk = useMemo(() => new GuestDesk(values.token ?? ""), [values.token]);
  useActions(kStageActions, desk.draft.stage);
  const shared = desk.shared.value;
  if (!shared) return desk.locked.value ? <Door desk={desk} /> : <div class="empty" aria-busy="true" />;
  const take = shared.takes[desk.index.value];
  const picture = (one: SharedTake, kind: "picture" | "thumbnail" = "picture"): string => api.url(`${desk.path}/takes/${segment(one.id)}/${kind}`);
  const drawn = desk.said.value.flatMap((one) => one.drawing);
  return (
    <div class="player is-guest">
      <header class="player-head">
        <h1 class="clip">{shared.playlist.name}</h1>
        <span class="mono">
          {desk.index.value + 1} / {shared.takes.length}
        </span>
      </header>
      {shared.can_comment ? <PenBar draft={desk.draft} /> : <span />}
      <div class="player-stage">{take && <Board draft={desk.draft} url={picture(take)} label={take.label} shapes={drawn} />}</div>
      <aside class="player-side">
        {take && <h2>{shortReference(take.reference)}</h2>}
        <p class="muted">{shared.playlist.description}</p>
        {shared.can_comment && take && (
          <div class="verdicts">
            <textarea class="input" rows={4} aria-label={t("review.comment")} placeholder={t("review.guest_hint")} value={desk.text.value} onInput={(event) => (desk.text.value = event.currentTarget.value)} />
            <button type="button" class="button button-primary" onClick={() => desk.send(take).catch(reportError)}>
              {t("review.send")}
            </button>
          </div>
        )}
        {desk.said.value.length > 0 && (
          <section>
            <h3>{t("review.history")}</h3>
            <ul class="guest-said" aria-live="polite">
              {desk.said.value.map((one) => (
                <li key={one.id}>
                  <b>{one.author}</b> {one.is_guest && <span class="faint">{t("review.guest")} </span>}
                  <time class="faint" dateTime={one.said_at}>
                    {formatTime(one.said_at)}
                  </time>
                  <p>{one.text}</p>
                </li>
              ))}
            </ul>
          </section>
        )}
      </aside>
      <ol class="strip" aria-label={t("review.takes")}>
        {shared.takes.map((one, index) => (
          <li key={one.id} class={`strip-take ${index === desk.index.value ? "is-current" : ""}`}>
            <button type="button" class="strip-picture" aria-current={index === desk.index.value ? "true" : undefined} aria-label={one.label} onClick={() => desk.show(index)}>
              <img src={picture(one, "thumbnail")} alt="" loading="lazy" />
            </button>
            <span class="strip-label">
              <span class="clip">{shortReference(one.reference).split(" ")[0]}</span>
              <span class="faint">{one.label}</span>
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
