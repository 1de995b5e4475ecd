// A playlist take by take: the picture large, the pen, verdicts, and the history of what was said.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { takePicture, takeThumbnail } from "../canvas/pictures";
import { kStageActions } from "../canvas/stage_actions";
import { may } from "../api/session";
import { useResource } from "../api/store";
import type { Page, Take } from "../model/documents";
import { ActionButton, useActions } from "../parts/actions";
import { Dialog } from "../parts/dialog";
import { ErrorBox } from "../parts/error_box";
import { reportError } from "../parts/notices";
import { Link } from "../parts/router";
import { formatNumber, formatTime, t, tn } from "../words";
import { Board, PenBar } from "./board";
import { kApprove, kCompare, kNext, kNote, kPrevious, kReject, kRetake, kReviewActions, kToMask } from "./review_actions";
import { ReviewDesk, type HistoryLine } from "./review_desk";
import { ShareDialog } from "./share_dialog";
import "./review.css";

function TakeFacts({ take }: { take: Take }): JSX.Element {
  return (
    <div class="take-facts">
      <h2>
        {take.label} {take.state === "approved" && <span class="tag-approved">✓ {t("compare.approved")}</span>}
      </h2>
      <Link to={`/tasks/${take.task_id}`} class="muted clip" title={take.reference}>
        {take.reference}
      </Link>
      <p class="faint">
        {take.created_by?.name ?? "–"} · {formatTime(take.created_at)} · {take.width} × {take.height}
      </p>
      {take.marks.stars !== null && (
        <p class="faint">
          <span class="stars">★ {formatNumber(take.marks.stars, 1)}</span>
        </p>
      )}
    </div>
  );
}

function Line({ desk, line }: { desk: ReviewDesk; line: HistoryLine }): JSX.Element {
  const { comment, approval } = line;
  const current = desk.take.value!;
  if (approval) {
    return (
      <li class="said is-approval">
        <p>
          <b>{approval.person?.name ?? "–"}</b> <span class="said-approved">{approval.take_id ? t("review.approved_it") : t("review.unapproved_it")}</span> <time class="faint">{formatTime(approval.at)}</time>
        </p>
        {approval.reason && <p>{approval.reason}</p>}
      </li>
    );
  }
  const annotation = comment!.annotation_id;
  const here = comment!.take_id === current.id;
  const pointed = annotation !== null && desk.pointed.value === annotation;
  return (
    <li class={`said ${here || !comment!.take_id ? "" : "is-elsewhere"}`}>
      <p>
        <b>{comment!.person?.name ?? comment!.guest ?? "–"}</b>
        {comment!.guest && <span class="faint"> ({t("review.guest")})</span>}
        {comment!.status && (
          <span class="said-status" style={{ borderColor: comment!.status.color }}>
            {comment!.status.name}
          </span>
        )}{" "}
        <time class="faint">{formatTime(line.at)}</time>
      </p>
      {comment!.text && <p class="said-text">{comment!.text}</p>}
      {annotation && here && (
        <button type="button" class="button button-small" aria-pressed={pointed} onClick={() => (desk.pointed.value = pointed ? null : annotation)}>
          {t("review.show_drawing")}
        </button>
      )}
    </li>
  );
}

function Verdicts({ desk }: { desk: ReviewDesk }): JSX.Element {
  const drawn = desk.draft.sketch.value.shapes.length;
  return (
    <div class="verdicts">
      <textarea
        class="input"
        rows={3}
        aria-label={t("review.comment")}
        placeholder={t("review.comment_hint")}
        value={desk.text.value}
        onInput={(event) => (desk.text.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {drawn > 0 && <p class="faint">{tn("review.with_drawing", drawn)}</p>}
      <div class="verdict-buttons">
        <ActionButton action={kApprove} context={desk} class="button verdict-approve" />
        <ActionButton action={kRetake} context={desk} class="button verdict-retake" />
        <ActionButton action={kReject} context={desk} class="button" />
        <ActionButton action={kNote} context={desk} class="button" />
      </div>
      <ActionButton action={kToMask} context={desk} class="button button-small" />
    </div>
  );
}

function Strip({ desk }: { desk: ReviewDesk }): JSX.Element {
  const [dragged, drag] = useState<number | null>(null);
  const playlist = desk.playlist.value!;
  const editable = may("playlist.edit", playlist.show_id);
  return (
    <ol class="strip" aria-label={t("review.takes")}>
      {playlist.items.map((take, index) => (
        <li
          key={take.id}
          class={`strip-take ${index === desk.index.value ? "is-current" : ""} ${dragged === index ? "is-dragged" : ""}`}
          draggable={editable}
          onDragStart={() => drag(index)}
          onDragEnd={() => drag(null)}
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault();
            if (dragged !== null) desk.move(dragged, index).catch(reportError);
          }}
        >
          <button type="button" class="strip-picture" aria-current={index === desk.index.value ? "true" : undefined} aria-label={take.reference} onClick={() => desk.show(index)}>
            <img src={takeThumbnail(take)} alt="" loading="lazy" />
          </button>
          <span class="strip-label" title={take.reference}>
            <span class="clip">{shortReference(take.reference).split(" ")[0]}</span>
            <span class="faint">
              {take.label}
              {take.state === "approved" && <span class="tag-approved"> ✓</span>}
            </span>
          </span>
          {editable && (
            <button type="button" class="icon-button strip-remove" aria-label={t("compare.remove", { label: take.label })} onClick={() => desk.remove(index).catch(reportError)}>
              ×
            </button>
          )}
        </li>
      ))}
    </ol>
  );
}

/** "sq010/sh020 v001 t02" of "lanterns/sq010/sh020:background/v001/t02". */
export function shortReference(reference: string): string {
  const [entity, rest] = reference.split(":");
  const version = rest?.split("/").slice(1).join(" ") ?? "";
  return `${entity!.split("/").slice(1).join("/")} ${version}`.trim();
}

function AddDialog({ desk, close }: { desk: ReviewDesk; close(): void }): JSX.Element {
  const [search, setSearch] = useState("");
  const playlist = desk.playlist.value!;
  const takes = useResource<Page<Take>>(`/shows/${playlist.show_id}/takes`, { query: { search, limit: 40 } });
  const here = new Set(playlist.items.map((take) => take.id));
  return (
    <Dialog title={t("review.add_takes")} close={close} wide>
      <input class="input" data-autofocus type="search" aria-label={t("actions.search")} placeholder={t("actions.search")} value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
      {takes.error.value && <ErrorBox error={takes.error.value} />}
      <ul class="add-takes">
        {takes.data.value?.items.map((take) => (
          <li key={take.id}>
            <button type="button" class="add-take" disabled={here.has(take.id)} onClick={() => desk.add(take).catch(reportError)}>
              <img src={takeThumbnail(take)} alt="" loading="lazy" />
              <span class="clip">
                {here.has(take.id) ? "✓ " : ""}
                {shortReference(take.reference)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function Head({ desk }: { desk: ReviewDesk }): JSX.Element {
  const [open, setOpen] = useState<"add" | "share" | null>(null);
  const playlist = desk.playlist.value!;
  return (
    <header class="player-head">
      <Link to={`/shows/${playlist.show_id}/review`} class="compare-back">
        ← {t("review.playlists")}
      </Link>
      <h1 class="clip">{playlist.name}</h1>
      <span class="row player-step">
        <ActionButton action={kPrevious} context={desk} class="icon-button">
          ‹
        </ActionButton>
        <span class="mono">
          {playlist.items.length === 0 ? 0 : desk.index.value + 1} / {playlist.items.length}
        </span>
        <ActionButton action={kNext} context={desk} class="icon-button">
          ›
        </ActionButton>
      </span>
      <span class="grow" />
      <ActionButton action={kCompare} context={desk} class="button button-small" />
      {may("playlist.edit", playlist.show_id) && (
        <button type="button" class="button button-small" onClick={() => setOpen("add")}>
          {t("review.add_takes")}
        </button>
      )}
      <Link class="button button-small" to={`/playlists/${playlist.id}/sheet`}>
        {t("review.sheet")}
      </Link>
      {may("link.create", playlist.show_id) && (
        <button type="button" class="button button-small" onClick={() => setOpen("share")}>
          {t("review.share")}
        </button>
      )}
      {open === "add" && <AddDialog desk={desk} close={() => setOpen(null)} />}
      {open === "share" && <ShareDialog playlist={playlist} close={() => setOpen(null)} />}
    </header>
  );
}

export function PlayerView({ values }: { values: Record<string, string> }): JSX.Element {
  const desk = useMemo(() => new ReviewDesk(values.playlist ?? ""), [values.playlist]);
  useEffect(() => () => desk.close(), [desk]);
  useActions(kStageActions, desk.draft.stage);
  useActions(kReviewActions, desk);
  if (desk.error.value) return <ErrorBox error={desk.error.value} retry={() => void desk.reload()} />;
  if (!desk.playlist.value) return <div class="empty" aria-busy="true" />;
  const take = desk.take.value;
  return (
    <div class="player">
      <Head desk={desk} />
      <PenBar draft={desk.draft} />
      <div class="player-stage">{take ? <Board draft={desk.draft} url={takePicture(take.id)} label={take.reference} shapes={desk.shapes.value} /> : <div class="empty">{t("review.empty")}</div>}</div>
      <aside class="player-side" aria-label={t("review.notes_and_history")}>
        {take && (
          <>
            <TakeFacts take={take} />
            <Verdicts desk={desk} />
            <h3>{t("review.history")}</h3>
            <ul class="history">
              {desk.history.value.map((line, index) => (
                <Line key={index} desk={desk} line={line} />
              ))}
            </ul>
          </>
        )}
      </aside>
      <Strip desk={desk} />
    </div>
  );
}
