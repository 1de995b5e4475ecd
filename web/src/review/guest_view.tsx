// A shared playlist for guests: a name and the link's password, then looking, drawing and commenting, nothing else.
import { signal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { segment } from "../api/client";
import { ApiError, asErrorDocument } from "../api/errors";
import { api } from "../api/session";
import { kStageActions } from "../canvas/stage_actions";
import type { ErrorDocument, Playlist, Take } from "../model/documents";
import { useActions } from "../parts/actions";
import { ErrorBox } from "../parts/error_box";
import { notify, reportError } from "../parts/notices";
import { t } from "../words";
import { Board, Drafting, PenBar } from "./board";
import { shortReference } from "./player_view";
import "./review.css";

interface Shared {
  playlist: Playlist;
  takes: Take[];
  can_comment: boolean;
}

class GuestDesk {
  readonly draft = new Drafting();
  readonly shared: Signal<Shared | null> = signal<Shared | null>(null);
  readonly index = signal(0);
  readonly text = signal("");
  readonly locked = signal(false);
  readonly error: Signal<ErrorDocument | null> = signal<ErrorDocument | null>(null);
  /** Takes that this guest has said something about, and how often. */
  readonly said: Signal<Record<string, number>> = signal<Record<string, number>>({});

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

  show(index: number): void {
    this.draft.clear();
    this.text.value = "";
    this.index.value = index;
  }

  async send(take: Take): Promise<void> {
    const drawing = this.draft.sketch.peek().shapes;
    const text = this.text.peek().trim();
    if (text === "" && drawing.length === 0) return notify("review.nothing_to_say");
    await api.post(`${this.path}/takes/${segment(take.id)}/comments`, { text, drawing });
    this.draft.clear();
    this.text.value = "";
    this.said.value = { ...this.said.peek(), [take.id]: (this.said.peek()[take.id] ?? 0) + 1 };
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
  const picture = (one: Take): string => api.url(`${desk.path}/takes/${segment(one.id)}/picture`);
  return (
    <div class="player is-guest">
      <header class="player-head">
        <h1 class="clip">{shared.playlist.name}</h1>
        <span class="mono">
          {desk.index.value + 1} / {shared.takes.length}
        </span>
      </header>
      {shared.can_comment ? <PenBar draft={desk.draft} /> : <span />}
      <div class="player-stage">{take && <Board draft={desk.draft} url={picture(take)} label={take.label} shapes={[]} />}</div>
      <aside class="player-side">
        {take && <h2>{shortReference(take.reference)}</h2>}
        <p class="muted">{shared.playlist.description}</p>
        {shared.can_comment && take && (
          <div class="verdicts">
            <textarea class="input" rows={4} aria-label={t("review.comment")} placeholder={t("review.guest_hint")} value={desk.text.value} onInput={(event) => (desk.text.value = event.currentTarget.value)} />
            <button type="button" class="button button-primary" onClick={() => desk.send(take).catch(reportError)}>
              {t("review.send")}
            </button>
            {(desk.said.value[take.id] ?? 0) > 0 && <p class="faint">✓ {t("review.guest_sent")}</p>}
          </div>
        )}
      </aside>
      <ol class="strip" aria-label={t("review.takes")}>
        {shared.takes.map((one, index) => (
          <li key={one.id} class={`strip-take ${index === desk.index.value ? "is-current" : ""}`}>
            <button type="button" class="strip-picture" aria-current={index === desk.index.value ? "true" : undefined} aria-label={one.label} onClick={() => desk.show(index)}>
              <img src={picture(one)} alt="" loading="lazy" />
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
