// The review sheet: every take of a playlist with its drawings and notes, for paper. The server makes the same as a
// PDF; this page prints from the browser.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { segment } from "../api/client";
import { api } from "../api/session";
import { useResource } from "../api/store";
import { takePicture } from "../canvas/pictures";
import type { Comment, Page, Playlist, Take } from "../model/documents";
import { ErrorBox } from "../parts/error_box";
import { reportError } from "../parts/notices";
import { Link } from "../parts/router";
import { formatTime, t } from "../words";
import type { Annotation } from "./drawing";
import { Shapes } from "./drawing_layer";
import { shortReference } from "./player_view";
import "./review.css";

interface Notes {
  annotations: Annotation[];
  comments: Comment[];
}

async function notesOf(take: Take): Promise<Notes> {
  const [annotations, comments] = await Promise.all([
    api.get<Page<Annotation>>(`/takes/${segment(take.id)}/annotations`),
    api.get<Page<Comment>>(`/tasks/${segment(take.task_id)}/comments`, { limit: 100 }),
  ]);
  return { annotations: annotations.items, comments: comments.items.filter((comment) => comment.take_id === take.id) };
}

function SheetTake({ take, notes }: { take: Take; notes: Notes | undefined }): JSX.Element {
  return (
    <article class="sheet-take">
      <div class="sheet-picture">
        <img src={takePicture(take.id)} alt={take.reference} width={take.width} height={take.height} />
        <svg viewBox={`0 0 ${take.width} ${take.height}`} aria-hidden="true">
          {notes?.annotations.map((one) => <Shapes key={one.id} shapes={one.drawing} size={take} />)}
        </svg>
      </div>
      <h2>
        {shortReference(take.reference)} {take.state === "approved" && `✓ ${t("compare.approved")}`}
      </h2>
      <p class="faint">
        {take.created_by?.name ?? "–"} · {formatTime(take.created_at)}
      </p>
      {notes?.comments.map((comment) => (
        <p key={comment.id}>
          <b>{comment.person?.name ?? comment.guest}</b> {comment.status && `[${comment.status.name}] `}
          {comment.text}
        </p>
      ))}
    </article>
  );
}

export function SheetView({ values }: { values: Record<string, string> }): JSX.Element {
  const id = values.playlist ?? "";
  const playlist = useResource<Playlist>(`/playlists/${segment(id)}`);
  const notes = useMemo(() => signal<Record<string, Notes>>({}), [id]);
  const document = playlist.data.value;
  useEffect(() => {
    for (const take of document?.items ?? []) {
      notesOf(take)
        .then((found) => (notes.value = { ...notes.peek(), [take.id]: found }))
        .catch(reportError);
    }
  }, [document]);
  if (playlist.error.value) return <ErrorBox error={playlist.error.value} />;
  if (!document) return <div class="empty" aria-busy="true" />;
  return (
    <div class="page sheet">
      <header class="sheet-head">
        <h1>{document.name}</h1>
        <span class="faint">{document.description}</span>
        <span class="grow" />
        <span class="row no-print">
          <Link class="button" to={`/playlists/${id}`}>
            ← {t("review.back")}
          </Link>
          <a class="button" href={api.url(`/playlists/${segment(id)}/sheet`, { format: "pdf" })} download>
            {t("review.pdf")}
          </a>
          <button type="button" class="button button-primary" onClick={() => print()}>
            {t("review.print")}
          </button>
        </span>
      </header>
      <div class="sheet-takes">
        {document.items.map((take) => (
          <SheetTake key={take.id} take={take} notes={notes.value[take.id]} />
        ))}
      </div>
    </div>
  );
}
