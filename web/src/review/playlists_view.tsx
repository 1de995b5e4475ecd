// The playlists of a show, and making one.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { segment } from "../api/client";
import { api, may } from "../api/session";
import { useResource } from "../api/store";
import { takeThumbnail } from "../canvas/pictures";
import type { Page, Playlist, Show } from "../model/documents";
import { ErrorBox } from "../parts/error_box";
import { reportError } from "../parts/notices";
import { Link, navigate } from "../parts/router";
import { ShowHead } from "../views/show/show_head";
import { t, tn } from "../words";
import "./review.css";

const kShownPictures = 4;

export function PlaylistsView({ values }: { values: Record<string, string> }): JSX.Element {
  const key = values.show ?? "";
  const show = useResource<Show>(`/shows/${segment(key)}`);
  const playlists = useResource<Page<Playlist>>(`/shows/${segment(key)}/playlists`, { query: { limit: 200 }, topics: [{ kinds: ["playlist"] }] });
  const [name, setName] = useState("");
  const create = async (): Promise<void> => {
    const made = await api.post<Playlist>(`/shows/${segment(key)}/playlists`, { name: name.trim(), description: "", takes: [] });
    navigate(`/playlists/${made.id}`);
  };
  const error = playlists.error.value;
  return (
    <>
      <ShowHead show={show.data.value} code={key} tab="review" />
      <div class="page playlists">
        <div class="row spread row-wrap">
          <h2>{t("review.playlists")}</h2>
          {may("playlist.edit", show.data.value?.id) && (
            <form
              class="row"
              onSubmit={(event) => {
                event.preventDefault();
                if (name.trim()) create().catch(reportError);
              }}
            >
              <input class="input" aria-label={t("review.playlist_name")} placeholder={t("review.playlist_name")} value={name} onInput={(event) => setName(event.currentTarget.value)} />
              <button type="submit" class="button button-primary" disabled={!name.trim()}>
                {t("review.make_playlist")}
              </button>
            </form>
          )}
      </div>
      {error && <ErrorBox error={error} retry={() => void playlists.reload()} />}
      {playlists.data.value?.items.length === 0 && <p class="empty">{t("review.no_playlists")}</p>}
      <ul class="playlist-cards">
        {playlists.data.value?.items.map((playlist) => (
          <li key={playlist.id}>
            <Link to={`/playlists/${playlist.id}`} class="panel playlist-card">
              <span class="playlist-pictures">
                {playlist.items.slice(0, kShownPictures).map((take) => (
                  <img key={take.id} src={takeThumbnail(take)} alt="" loading="lazy" />
                ))}
              </span>
              <b class="clip">{playlist.name}</b>
              <span class="faint">{tn("review.take_count", playlist.items.length)}</span>
              {playlist.description && <span class="muted clip">{playlist.description}</span>}
            </Link>
          </li>
        ))}
      </ul>
      </div>
    </>
  );
}
