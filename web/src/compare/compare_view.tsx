// Two or more takes against each other, with zoom and pan locked together and their settings beside.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Slider } from "../canvas/fields";
import { clamp, type Size } from "../canvas/geometry";
import { takeThumbnail } from "../canvas/pictures";
import { drawFrame, drawGrid, drawPaper, prepare } from "../canvas/screen";
import { Stage } from "../canvas/stage";
import { kStageActions } from "../canvas/stage_actions";
import { ActionButton, useActions } from "../parts/actions";
import { ErrorBox } from "../parts/error_box";
import { reportError } from "../parts/notices";
import { Link, place } from "../parts/router";
import { formatNumber, t, tOr } from "../words";
import { kCompareActions, kModeActions, kSettings, kSwap } from "./compare_actions";
import { CompareDesk, type Compared } from "./compare_desk";
import { columnsFor, kFastestBlinkMs, kMostTakes, markedWords, settingRows } from "./model";
import "./compare.css";

type Context2D = CanvasRenderingContext2D;

function drawPicture(context: Context2D, desk: CompareDesk, picture: CanvasImageSource, opacity = 1): void {
  const view = desk.stage.view.peek()!;
  const size = desk.stage.picture.peek()!;
  context.save();
  context.globalAlpha = opacity;
  context.translate(view.x, view.y);
  context.scale(view.scale, view.scale);
  prepare(context, view);
  context.drawImage(picture, 0, 0, size.width, size.height);
  context.restore();
}

function around(context: Context2D, desk: CompareDesk, draw: () => void): void {
  const view = desk.stage.view.peek()!;
  const size = desk.stage.picture.peek()!;
  drawPaper(context, view, size);
  draw();
  drawGrid(context, view, size);
  drawFrame(context, view, size);
}

function drawWipe(context: Context2D, desk: CompareDesk, a: Compared | null, b: Compared | null, stage: Size): void {
  const view = desk.stage.view.peek()!;
  const size = desk.stage.picture.peek()!;
  if (a?.bitmap) drawPicture(context, desk, a.bitmap);
  if (!b?.bitmap) return;
  const upright = desk.upright.peek();
  const line = desk.wipe.peek() * (upright ? size.width : size.height) * view.scale + (upright ? view.x : view.y);
  context.save();
  context.beginPath();
  if (upright) context.rect(line, 0, stage.width, stage.height);
  else context.rect(0, line, stage.width, stage.height);
  context.clip();
  drawPicture(context, desk, b.bitmap);
  context.restore();
}

/** The wipe's line: dragged, or moved by arrows, Home and End. */
function WipeLine({ desk }: { desk: CompareDesk }): JSX.Element | null {
  const line = useRef<HTMLDivElement>(null);
  const view = desk.stage.view.value;
  const size = desk.stage.picture.value;
  if (!view || !size) return null;
  const upright = desk.upright.value;
  const length = upright ? size.width : size.height;
  const at = Math.round((upright ? view.x : view.y) + desk.wipe.value * length * view.scale);
  const keys = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 0.1 : 0.01;
    const wanted: Record<string, number> = { ArrowLeft: -step, ArrowUp: -step, ArrowRight: step, ArrowDown: step, Home: -1, End: 1 };
    const by = wanted[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    desk.wipe.value = clamp(desk.wipe.peek() + by, 0, 1);
  };
  return (
    <div
      ref={line}
      class={`wipe-line ${upright ? "is-upright" : ""}`}
      style={upright ? { left: `${at}px` } : { top: `${at}px` }}
      role="slider"
      tabIndex={0}
      aria-label={t("compare.wipe_line")}
      aria-orientation={upright ? "horizontal" : "vertical"}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(desk.wipe.value * 100)}
      onKeyDown={keys}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (!(event.buttons & 1)) return;
        const box = line.current!.parentElement!.getBoundingClientRect();
        const spot = upright ? event.clientX - box.left - view.x : event.clientY - box.top - view.y;
        desk.wipe.value = clamp(spot / (length * view.scale), 0, 1);
      }}
    >
      <span aria-hidden="true">{upright ? "◂ ▸" : "▴ ▾"}</span>
    </div>
  );
}

function Tag({ side, item }: { side?: string; item: Compared | null }): JSX.Element | null {
  if (!item) return null;
  return (
    <span class={`take-tag ${side ? `is-${side}` : ""}`}>
      {side && <b>{side.toUpperCase()}</b>} {item.take.label}
      {item.take.state === "approved" && <span class="tag-approved"> ✓ {t("compare.approved")}</span>}
    </span>
  );
}

/** One stage for each take, all looking at the same place. */
function Tiles({ desk, items }: { desk: CompareDesk; items: readonly Compared[] }): JSX.Element {
  const room = desk.stage.size.value;
  const place = useRef<HTMLDivElement>(null);
  const box = place.current?.getBoundingClientRect();
  const picture = desk.stage.picture.value ?? { width: 16, height: 9 };
  const columns = columnsFor(items.length, picture, box ? { width: box.width, height: box.height } : { width: room.width || 16, height: room.height || 9 });
  return (
    <div ref={place} class="tiles" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
      {items.map((item) => (
        <Tile key={item.take.id} desk={desk} item={item} />
      ))}
    </div>
  );
}

function Tile({ desk, item }: { desk: CompareDesk; item: Compared }): JSX.Element {
  const paint = useMemo(
    () => (context: Context2D) => {
      if (item.bitmap) around(context, desk, () => drawPicture(context, desk, item.bitmap!));
    },
    [item.bitmap],
  );
  const at = desk.items.value.indexOf(item);
  const side = at === desk.a.value ? "a" : at === desk.b.value ? "b" : undefined;
  return (
    <Stage stage={desk.stage} paint={paint} label={item.take.label}>
      <Tag item={item} {...(side ? { side } : {})} />
    </Stage>
  );
}

/** A and B on one surface. */
function Together({ desk }: { desk: CompareDesk }): JSX.Element {
  const [a, b] = desk.pair;
  const mode = desk.mode.value;
  const paint = useMemo(
    () => (context: Context2D, stage: Size) => {
      around(context, desk, () => {
        if (mode === "wipe") return drawWipe(context, desk, a, b, stage);
        if (mode === "difference") {
          const difference = desk.difference.peek();
          if (difference) drawPicture(context, desk, difference);
          return;
        }
        const lower = mode === "blink" && desk.showsB.peek() ? b : a;
        if (lower?.bitmap) drawPicture(context, desk, lower.bitmap);
        if (mode === "overlay" && b?.bitmap) drawPicture(context, desk, b.bitmap, desk.opacity.peek());
      });
    },
    [mode, a, b],
  );
  const shown = mode !== "blink" ? null : desk.showsB.value ? "b" : "a";
  return (
    <Stage
      stage={desk.stage}
      paint={paint}
      label={`${t(`compare.mode.${mode}`)}: ${a?.take.label ?? ""}, ${b?.take.label ?? ""}`}
      follow={() => void [desk.wipe.value, desk.upright.value, desk.difference.value, desk.opacity.value, desk.showsB.value]}
    >
      {shown !== "b" && <Tag side="a" item={a} />}
      {shown !== "a" && <Tag side="b" item={b} />}
      {mode === "wipe" && <WipeLine desk={desk} />}
    </Stage>
  );
}

function ModeOptions({ desk }: { desk: CompareDesk }): JSX.Element | null {
  const mode = desk.mode.value;
  if (mode === "wipe") {
    return (
      <label class="check">
        <input type="checkbox" checked={!desk.upright.value} onChange={(event) => (desk.upright.value = !event.currentTarget.checked)} />
        {t("compare.level")}
      </label>
    );
  }
  if (mode === "difference") {
    const power = Math.log2(desk.gain.value);
    return (
      <>
        <Slider label={t("compare.gain")} value={power} min={0} max={6} step={0.5} text={`× ${formatNumber(desk.gain.value, 1)}`} change={(value) => (desk.gain.value = 2 ** value)} />
        <label class="check">
          <input type="checkbox" checked={desk.brightness.value} onChange={(event) => (desk.brightness.value = event.currentTarget.checked)} />
          {t("compare.brightness")}
        </label>
      </>
    );
  }
  if (mode === "overlay") {
    return <Slider label={t("compare.opacity")} value={Math.round(desk.opacity.value * 100)} min={0} max={100} text={`${Math.round(desk.opacity.value * 100)} %`} change={(value) => (desk.opacity.value = value / 100)} />;
  }
  if (mode === "blink") {
    return (
      <>
        <button type="button" class="button button-small" aria-pressed={desk.blinking.value} onClick={() => (desk.blinking.value = !desk.blinking.peek())}>
          {desk.blinking.value ? t("compare.pause") : t("compare.go_on")}
        </button>
        <Slider label={t("compare.pace")} value={desk.blinkMs.value} min={kFastestBlinkMs} max={2000} step={50} text={`${formatNumber(desk.blinkMs.value / 1000, 2)} s`} change={(value) => (desk.blinkMs.value = value)} />
      </>
    );
  }
  return null;
}

function Strip({ desk }: { desk: CompareDesk }): JSX.Element {
  const items = desk.items.value;
  const here = new Set(items.map((item) => item.take.id));
  const rest = desk.others.value.filter((take) => !here.has(take.id));
  return (
    <ul class="strip" aria-label={t("compare.takes")}>
      {items.map((item, index) => (
        <li key={item.take.id} class={`strip-take ${index === desk.a.value ? "is-a" : index === desk.b.value ? "is-b" : ""}`}>
          <button type="button" class="strip-picture" aria-label={t("compare.as_b", { label: item.take.label })} title={t("compare.strip_hint")} onClick={(event) => (event.shiftKey ? (desk.a.value = index) : (desk.b.value = index))}>
            <img src={takeThumbnail(item.take)} alt="" />
          </button>
          <span class="mono">
            {index === desk.a.value && <b>{t("compare.a")} </b>}
            {index === desk.b.value && <b>{t("compare.b")} </b>}
            {item.take.label}
          </span>
          <button type="button" class="icon-button strip-remove" aria-label={t("compare.remove", { label: item.take.label })} onClick={() => desk.remove(index)}>
            ×
          </button>
        </li>
      ))}
      {rest.length > 0 && items.length < kMostTakes && (
        <li>
          <select class="input" aria-label={t("compare.add")} value="" onChange={(event) => void desk.add(event.currentTarget.value).catch(reportError)}>
            <option value="">{t("compare.add")}</option>
            {rest.map((take) => (
              <option key={take.id} value={take.id}>
                {take.label} {take.title}
              </option>
            ))}
          </select>
        </li>
      )}
    </ul>
  );
}

function SettingsTable({ desk }: { desk: CompareDesk }): JSX.Element {
  const [a, b] = desk.pair;
  const rows = settingRows([a?.recipe ?? null, b?.recipe ?? null]).filter((row) => row.differs || !desk.onlyDiffering.value);
  const cell = (row: (typeof rows)[number], at: 0 | 1): JSX.Element => {
    const words = row.differs && (row.name === "prompt" || row.name === "negative") ? markedWords(row.values[at]!, row.values[1 - at]!) : [{ text: row.values[at]!, differs: false }];
    return <td>{words.map((run) => (run.differs ? <mark>{run.text}</mark> : run.text))}</td>;
  };
  return (
    <aside class="settings-side" aria-label={t("compare.settings")}>
      <header class="dock-head">
        <h2>{t("compare.settings")}</h2>
        <label class="check">
          <input type="checkbox" checked={desk.onlyDiffering.value} onChange={(event) => (desk.onlyDiffering.value = event.currentTarget.checked)} />
          {t("compare.only_differing")}
        </label>
      </header>
      <table class="settings-table">
        <thead>
          <tr>
            <th>
              <span class="for-screen-readers">{t("compare.field")}</span>
            </th>
            <th scope="col">{t("compare.a_is", { label: a?.take.label ?? "–" })}</th>
            <th scope="col">{t("compare.b_is", { label: b?.take.label ?? "–" })}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} class={row.differs ? "differs" : ""}>
              <th scope="row">{tOr(`field.${row.name}`, row.name)}</th>
              {cell(row, 0)}
              {cell(row, 1)}
            </tr>
          ))}
          <tr>
            <th scope="row">{t("compare.made_by")}</th>
            <td>{a?.take.created_by?.name ?? "–"}</td>
            <td>{b?.take.created_by?.name ?? "–"}</td>
          </tr>
        </tbody>
      </table>
      {rows.length === 0 && <p class="faint">{t("compare.same_settings")}</p>}
    </aside>
  );
}

export function CompareView(): JSX.Element {
  const desk = useMemo(() => new CompareDesk(place.peek().query), []);
  useEffect(() => () => desk.close(), [desk]);
  useActions(kStageActions, desk.stage);
  useActions(kCompareActions, desk);
  const items = desk.items.value;
  const [a, b] = desk.pair;
  const mode = desk.mode.value;
  const tiles = mode === "sheet" ? items : [a, b].filter((item) => item !== null);
  if (desk.error.value) return <ErrorBox error={desk.error.value} />;
  const task = items[0]?.take.task_id;
  return (
    <div class={`compare-view ${desk.settings.value ? "" : "is-wide"}`}>
      <header class="compare-head" role="toolbar" aria-label={t("compare.title")}>
        {task && (
          <Link to={`/tasks/${task}`} class="compare-back">
            ← {t("compare.back")}
          </Link>
        )}
        <div class="segments" role="group" aria-label={t("compare.modes")}>
          {kModeActions.map((action) => (
            <ActionButton key={action.id} action={action} context={desk} class="button button-small" pressed={action.id === `compare.${mode}`} />
          ))}
        </div>
        <ActionButton action={kSwap} context={desk} class="button button-small" />
        <div class="compare-options">
          <ModeOptions desk={desk} />
        </div>
        <span class="faint mono">{formatNumber((desk.stage.view.value?.scale ?? 1) * 100, 1)} %</span>
        <ActionButton action={kSettings} context={desk} class="button button-small" pressed={desk.settings.value} />
      </header>
      <div class="compare-stage">{mode === "side" || mode === "sheet" ? <Tiles key={mode} desk={desk} items={tiles} /> : <Together desk={desk} />}</div>
      {desk.settings.value && <SettingsTable desk={desk} />}
      <Strip desk={desk} />
    </div>
  );
}
