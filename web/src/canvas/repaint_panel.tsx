// Repainting: the words, how strongly, how many; below, what was asked for and what the server proved about it.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ActionButton } from "../parts/actions";
import { ErrorBox } from "../parts/error_box";
import { Link } from "../parts/router";
import { formatNumber, formatSeconds, t } from "../words";
import { kRepaint, type CanvasContext } from "./canvas_actions";
import type { CanvasDesk } from "./canvas_desk";
import type { Editor } from "./editor";
import { Slider } from "./fields";
import { takeThumbnail } from "./pictures";
import { RepaintOptions } from "./repaint_options";
import type { ProvedTake, RepaintWatch, Watched } from "./repaint_watch";
import type { Proof } from "./work";

/** A colour difference below this is not seen side by side (CIE 1976, about 2.3; half of it for large areas). */
const kVisible = 1.2;

export function ProofLines({ proof }: { proof: Proof }): JSX.Element {
  const drift = proof.seam_drift ?? {};
  const delta = drift.shift_delta_e;
  return (
    <dl class="proof">
      <div class={proof.outside_unchanged ? "proof-good" : "proof-bad"}>
        <dt>
          <span aria-hidden="true">{proof.outside_unchanged ? "✓" : "✗"}</span> {t("canvas.proof.outside")}
        </dt>
        <dd>{proof.outside_unchanged ? t("canvas.proof.unchanged") : t("canvas.proof.changed")}</dd>
      </div>
      <div>
        <dt>{t("canvas.proof.pixels")}</dt>
        <dd class="mono">{t("canvas.proof.of", { n: proof.changed_pixels, of: proof.outside_pixels })}</dd>
      </div>
      {delta !== undefined && (
        <div class={delta > kVisible ? "proof-warn" : ""}>
          <dt>{t("canvas.proof.drift")}</dt>
          <dd class="mono">{t("canvas.proof.delta", { n: formatNumber(delta, 2) })}</dd>
        </div>
      )}
      {drift.step !== undefined && drift.step_before !== undefined && (
        <div>
          <dt>{t("canvas.proof.edge")}</dt>
          <dd class="mono">
            {formatNumber(drift.step_before, 1)} → {formatNumber(drift.step, 1)}
          </dd>
        </div>
      )}
    </dl>
  );
}

function Arrived({ entry, item, editor }: { entry: ProvedTake; item: Watched; editor: Editor }): JSX.Element {
  const { take, proof, error } = entry;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.scrollIntoView?.({ block: "nearest" }), []);
  return (
    <div class="arrived" ref={box}>
      <img src={takeThumbnail(take)} alt={take.label} width={96} />
      <div class="arrived-head">
        <b>{take.label}</b>
        <div class="row row-wrap">
          <Link class="button button-small" to={`/compare?takes=${[item.parent, take.id].filter(Boolean).join(",")}&mode=wipe`}>
            {t("canvas.compare_both")}
          </Link>
          <button type="button" class="button button-small" onClick={() => editor.edit({ kind: "parent", take: take.id })}>
            {t("canvas.paint_on")}
          </button>
        </div>
      </div>
      {proof && <ProofLines proof={proof} />}
      {error && <ErrorBox error={error} />}
    </div>
  );
}

function Asked({ item, watch, editor }: { item: Watched; watch: RepaintWatch; editor: Editor }): JSX.Element {
  const { job } = item;
  const running = job.state === "queued" || job.state === "running";
  return (
    <li class="asked">
      {running && (
        <div class="asked-state" role="status">
          <span class="grow">{job.state === "queued" ? t("canvas.job.queued") : (job.phase ?? t("canvas.job.running"))}</span>
          {job.seconds_left !== null && job.state === "running" && <span class="faint mono">{formatSeconds(job.seconds_left)}</span>}
          <progress max={1} value={job.progress} aria-label={t("canvas.job.progress")} />
        </div>
      )}
      {item.error && <ErrorBox error={item.error} />}
      {item.takes.map((entry) => (
        <Arrived key={entry.take.id} entry={entry} item={item} editor={editor} />
      ))}
      {!running && (
        <button type="button" class="button button-bare button-small" onClick={() => watch.dismiss(job.id)}>
          {t("canvas.dismiss")}
        </button>
      )}
    </li>
  );
}

/** What R would send now. */
function sourceOf(editor: Editor): "selection" | "mask" | "blockout" | "nothing" {
  const has = (kind: string): boolean => editor.state.value.layers.some((layer) => layer.kind === kind && layer.visible && (layer.marks.length > 0 || layer.picture !== null));
  if (editor.selection.value) return "selection";
  if (has("mask")) return "mask";
  return has("blockout") ? "blockout" : "nothing";
}

interface RepaintPanelProps {
  desk: CanvasDesk;
  editor: Editor;
  context: CanvasContext;
  count: Signal<number>;
}

export function RepaintPanel({ desk, editor, context, count }: RepaintPanelProps): JSX.Element {
  const { prompt, strength } = editor.desk.value;
  const from = sourceOf(editor);
  return (
    <section class="dock" aria-label={t("canvas.repaint_title")}>
      <header class="dock-head">
        <h2>{t("canvas.repaint_title")}</h2>
        <span class={from === "nothing" ? "faint" : "from"}>{t(`canvas.from.${from}`)}</span>
      </header>
      <textarea
        class="input"
        rows={3}
        aria-label={t("canvas.prompt")}
        placeholder={t("canvas.prompt")}
        value={prompt}
        onInput={(event) => editor.setDesk({ prompt: event.currentTarget.value })}
      />
      <Slider label={t("canvas.strength")} value={strength} min={0.05} max={1} step={0.05} text={strength.toFixed(2)} change={(value) => editor.setDesk({ strength: value })} />
      <RepaintOptions desk={desk} editor={editor} />
      <div class="row">
        <label class="row">
          <span class="label">{t("canvas.count")}</span>
          <input class="input count" type="number" min={1} max={8} value={count.value} onInput={(event) => (count.value = Math.max(1, Math.min(8, Number(event.currentTarget.value) || 1)))} />
        </label>
        <ActionButton action={kRepaint} context={context} class="button button-primary grow">
          {t("canvas.repaint_short")}
        </ActionButton>
      </div>
      {desk.repaints.items.value.length > 0 && (
        <ul class="stack">
          {desk.repaints.items.value.map((item) => (
            <Asked key={item.job.id} item={item} watch={desk.repaints} editor={editor} />
          ))}
        </ul>
      )}
    </section>
  );
}
