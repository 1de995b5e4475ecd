// The wall of takes: the approved one large on top, then every revision with its takes.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Take } from "../../model/documents";
import { ActionButton } from "../../parts/actions";
import { Segments } from "../../parts/segments";
import { Stars } from "../../parts/stars";
import { pictureUrl, thumbnailUrl, Thumbnail } from "../../parts/picture";
import { formatTime, t, tn } from "../../words";
import { taskAction, type TaskContext } from "./task_actions";

interface TakeWallProps {
  context: TaskContext;
  loaded: boolean;
  withWithdrawn: boolean;
  more: (() => void) | null;
}

const kSizes = { small: 128, medium: 188, large: 300 } as const;
type Size = keyof typeof kSizes;

function VerdictSign({ take }: { take: Take }): JSX.Element | null {
  const verdict = take.marks.mine?.verdict;
  if (verdict === "validated") return <span class="verdict verdict-validated" title={t("take.validated")}>✓<span class="for-screen-readers">{t("take.validated")}</span></span>;
  if (verdict === "rejected") return <span class="verdict verdict-rejected" title={t("take.rejected")}>✕<span class="for-screen-readers">{t("take.rejected")}</span></span>;
  return null;
}

function TakeCard({ take, context }: { take: Take; context: TaskContext }): JSX.Element {
  const isSelected = context.selected?.id === take.id;
  const isMarked = context.marked.includes(take.id);
  const state = take.state === "proposed" ? "" : ` take-${take.state}`;
  const ratio = `${take.width} / ${take.height}`;
  return (
    <div id={`take-${take.id}`} class={`take${isSelected ? " take-selected" : ""}${state}`}>
      <button
        type="button"
        class="take-picture"
        style={{ aspectRatio: ratio }}
        aria-pressed={isSelected}
        aria-label={`${take.label}${take.title ? `, ${take.title}` : ""}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) context.toggleMarked(take);
          else context.select(isSelected ? null : take);
        }}
        onDblClick={() => context.may("take.file") && context.go(`/tasks/${context.task.id}/canvas?take=${take.id}`)}
      >
        {take.state !== "purged" && <Thumbnail url={thumbnailUrl(take)} alt="" class="take-thumbnail" />}
        {take.state === "approved" && <span class="take-flag">{t("take.approved")}</span>}
        {take.state === "withdrawn" && <span class="take-flag">{t("take.withdrawn")}</span>}
        {take.state === "purged" && <span class="take-flag">{t("take.purged")}</span>}
        {isMarked && <span class="take-marked">{context.marked.indexOf(take.id) + 1}</span>}
      </button>
      <div class="take-line">
        <span class="take-label">{take.label}</span>
        <Stars value={take.marks.mine?.stars ?? 0} mean={take.marks.stars} />
        <VerdictSign take={take} />
        {take.origin !== "generated" && <span class="take-origin">{t(`origin.${take.origin}`)}</span>}
      </div>
    </div>
  );
}

function ApprovedTake({ take, context }: { take: Take; context: TaskContext }): JSX.Element {
  return (
    <section class="approved" aria-label={t("take.approved")}>
      <button type="button" class="approved-picture" onClick={() => context.select(take)} aria-label={t("wall.look_at_approved", { take: take.label })}>
        <img src={pictureUrl(take)} alt="" style={{ aspectRatio: `${take.width} / ${take.height}` }} />
      </button>
      <div class="approved-text">
        <p class="approved-flag">
          <span aria-hidden="true">✓</span> {t("take.approved")}
        </p>
        <p class="approved-label">{take.label}</p>
        {take.title && <p>{take.title}</p>}
        <p class="muted">
          {take.created_by?.name}, {formatTime(take.created_at)}
        </p>
        <p class="faint">
          {take.width} × {take.height}
        </p>
      </div>
    </section>
  );
}

export function TakeWall({ context, loaded, withWithdrawn, more }: TakeWallProps): JSX.Element {
  const [size, setSize] = useState<Size>("medium");
  const { wall } = context;
  return (
    <>
      <div class="wall-bar">
        <Segments
          label={t("wall.size")}
          value={size}
          options={[
            { value: "small", label: t("wall.small") },
            { value: "medium", label: t("wall.medium") },
            { value: "large", label: t("wall.large") },
          ]}
          choose={(wanted: Size) => setSize(wanted)}
        />
        <label class="check">
          <input type="checkbox" checked={withWithdrawn} onChange={context.toggleWithdrawn} />
          {t("action.show_withdrawn")}
        </label>
        <span class="grow" />
        {context.marked.length > 0 && <span class="muted">{tn("wall.marked", context.marked.length)}</span>}
        <ActionButton action={taskAction("compare")} context={context} class="button button-small" />
      </div>
      {wall.approved && <ApprovedTake take={wall.approved} context={context} />}
      {loaded && wall.order.length === 0 && (
        <div class="empty">
          <p>{t("wall.none")}</p>
          <p class="faint">{t("wall.none_note")}</p>
        </div>
      )}
      <div aria-live="polite" class="for-screen-readers">
        {loaded ? tn("count.takes", wall.order.length) : ""}
      </div>
      {wall.groups.map((group) => (
        <section key={group.revision} class="wall-group">
          <h2 class="wall-heading">
            {t("wall.revision", { revision: `v${String(group.revision).padStart(3, "0")}` })} <span class="faint">{tn("count.takes", group.takes.length)}</span>
          </h2>
          <div class="wall-grid" style={{ gridTemplateColumns: `repeat(auto-fill, minmax(${kSizes[size]}px, 1fr))` }}>
            {group.takes.map((take) => (
              <TakeCard key={take.id} take={take} context={context} />
            ))}
          </div>
        </section>
      ))}
      {more && (
        <button type="button" class="button" onClick={more}>
          {t("common.more")}
        </button>
      )}
    </>
  );
}
