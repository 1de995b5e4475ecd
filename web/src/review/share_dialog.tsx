// A link for guests: with a password and an end, for looking and commenting only.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { segment } from "../api/client";
import { asErrorDocument } from "../api/errors";
import { api } from "../api/session";
import { useResource } from "../api/store";
import type { ErrorDocument, Page, Playlist } from "../model/documents";
import { Dialog } from "../parts/dialog";
import { ErrorBox } from "../parts/error_box";
import { reportError } from "../parts/notices";
import { formatTime, t } from "../words";

interface ShareLink {
  id: string;
  url: string;
  token?: string;
  expires_at: string | null;
  can_comment: boolean;
  revoked_at?: string | null;
}

const kDays = [1, 7, 30];
const kDayMs = 86400000;

export function ShareDialog({ playlist, close }: { playlist: Playlist; close(): void }): JSX.Element {
  const path = `/playlists/${segment(playlist.id)}/links`;
  const links = useResource<Page<ShareLink>>(path);
  const [password, setPassword] = useState("");
  const [days, setDays] = useState(7);
  const [comments, setComments] = useState(true);
  const [made, setMade] = useState<string | null>(null);
  const [error, setError] = useState<ErrorDocument | null>(null);
  const create = (): void => {
    setError(null);
    const expires_at = new Date(Date.now() + days * kDayMs).toISOString();
    api
      .post<ShareLink>(path, { password, expires_at, can_comment: comments })
      .then((link) => {
        setMade(new URL(link.url, location.origin).href);
        return links.reload();
      })
      .catch((thrown: unknown) => setError(asErrorDocument(thrown)));
  };
  const revoke = (id: string): void => void api.post(`/share-links/${segment(id)}/revoke`, {}).then(() => links.reload()).catch(reportError);
  return (
    <Dialog
      title={t("review.share_title", { name: playlist.name })}
      close={close}
      foot={
        <button type="button" class="button button-primary" disabled={password.length < 4} onClick={create}>
          {t("review.make_link")}
        </button>
      }
    >
      <div class="stack">
        <p class="muted">{t("review.share_text")}</p>
        <label class="field">
          <span class="label">{t("session.password")}</span>
          <input class="input" data-autofocus autocomplete="off" value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="label">{t("review.link_ends")}</span>
          <select class="input" value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {kDays.map((one) => (
              <option key={one} value={one}>
                {t("review.days", { n: one })}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={comments} onChange={(event) => setComments(event.currentTarget.checked)} />
          {t("review.can_comment")}
        </label>
        {error && <ErrorBox error={error} />}
        {made && (
          <label class="field">
            <span class="label">{t("review.link_once")}</span>
            <input class="input mono" readOnly value={made} onFocus={(event) => event.currentTarget.select()} />
          </label>
        )}
        <ul>
          {links.data.value?.items
            .filter((link) => !link.revoked_at)
            .map((link) => (
              <li key={link.id} class="row spread">
                <span class="muted">{link.expires_at ? t("review.until", { time: formatTime(link.expires_at) }) : "–"}</span>
                <button type="button" class="button button-small button-danger" onClick={() => revoke(link.id)}>
                  {t("review.revoke")}
                </button>
              </li>
            ))}
        </ul>
      </div>
    </Dialog>
  );
}
