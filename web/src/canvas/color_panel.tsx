// The colour: a ring of hues around a field of saturation and value, sliders for the keyboard, the hex number, and
// the colours used last.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../words";
import { fromHsv, parseHex, rgbOf, toHex, toHsv, type Hsv } from "./color";
import type { Editor } from "./editor";
import { Slider } from "./fields";
import { clamp } from "./geometry";

/** Width of the ring and side of the field, as shares of the wheel. */
const kRing = 0.13;
const kField = 0.5;

function ColorWheel({ hsv, change }: { hsv: Hsv; change(hsv: Hsv): void }): JSX.Element {
  const wheel = useRef<HTMLDivElement>(null);
  const part = useRef<"ring" | "field">("field");
  const read = (event: PointerEvent, first: boolean): void => {
    const place = wheel.current!.getBoundingClientRect();
    const x = (event.clientX - place.left) / place.width - 0.5;
    const y = (event.clientY - place.top) / place.height - 0.5;
    if (first) part.current = Math.hypot(x, y) > 0.5 - kRing - 0.02 ? "ring" : "field";
    if (part.current === "ring") change({ ...hsv, h: (Math.atan2(y, x) * 180) / Math.PI + (y < 0 ? 360 : 0) });
    else change({ ...hsv, s: clamp(x / kField + 0.5, 0, 1), v: clamp(0.5 - y / kField, 0, 1) });
  };
  const angle = (hsv.h * Math.PI) / 180;
  const radius = 0.5 - kRing / 2;
  const percent = (share: number): string => `${100 * share}%`;
  return (
    <div
      ref={wheel}
      class="wheel"
      aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        read(event, true);
      }}
      onPointerMove={(event) => {
        if (event.buttons & 1) read(event, false);
      }}
    >
      <div class="wheel-field" style={{ backgroundColor: toHex(fromHsv({ h: hsv.h, s: 1, v: 1 })) }} />
      <i class="wheel-mark" style={{ left: percent(0.5 + radius * Math.cos(angle)), top: percent(0.5 + radius * Math.sin(angle)) }} />
      <i class="wheel-mark" style={{ left: percent(0.5 + kField * (hsv.s - 0.5)), top: percent(0.5 + kField * (0.5 - hsv.v)) }} />
    </div>
  );
}

export function ColorPanel({ editor }: { editor: Editor }): JSX.Element {
  const { color, recent } = editor.desk.value;
  // Grey and black keep the hue that was chosen before.
  const [held, hold] = useState<Hsv>(() => toHsv(rgbOf(color)));
  const hsv = toHex(fromHsv(held)) === color ? held : toHsv(rgbOf(color));
  const change = (wanted: Hsv): void => {
    hold(wanted);
    editor.setColor(toHex(fromHsv(wanted)));
  };
  return (
    <section class="dock" aria-label={t("canvas.color")}>
      <div class="color-main">
        <ColorWheel hsv={hsv} change={change} />
        <div class="color-fields">
          <Slider label={t("canvas.hue")} value={Math.round(hsv.h)} min={0} max={360} text={`${Math.round(hsv.h)}°`} change={(h) => change({ ...hsv, h })} />
          <Slider label={t("canvas.saturation")} value={Math.round(hsv.s * 100)} min={0} max={100} text={`${Math.round(hsv.s * 100)} %`} change={(s) => change({ ...hsv, s: s / 100 })} />
          <Slider label={t("canvas.value")} value={Math.round(hsv.v * 100)} min={0} max={100} text={`${Math.round(hsv.v * 100)} %`} change={(v) => change({ ...hsv, v: v / 100 })} />
          <div class="row">
            <span class="swatch swatch-now" style={{ backgroundColor: color }} />
            <input
              class="input mono hex"
              aria-label={t("canvas.hex")}
              value={color}
              maxLength={7}
              spellcheck={false}
              onChange={(event) => {
                const parsed = parseHex(event.currentTarget.value);
                if (parsed) editor.setColor(toHex(parsed));
                else event.currentTarget.value = color;
              }}
            />
          </div>
        </div>
      </div>
      {recent.length > 0 && (
        <div class="recent" role="group" aria-label={t("canvas.recent")}>
          {recent.map((one) => (
            <button key={one} type="button" class="swatch" style={{ backgroundColor: one }} aria-label={one} title={one} onClick={() => editor.setColor(one)} />
          ))}
        </div>
      )}
    </section>
  );
}
