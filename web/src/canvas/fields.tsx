// Small fields of the canvas's panels: sliders with their number, icons.
import type { JSX } from "preact";
import { useId } from "preact/hooks";

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step?: number;
  /** What is said beside it: "24 px". */
  text: string;
  change(value: number): void;
  /** Small values get most of the way. */
  curved?: boolean;
  class?: string;
}

const kCurve = 2.2;

export function Slider({ label, value, min, max, step = 1, text, change, curved, class: name }: SliderProps): JSX.Element {
  const id = useId();
  const span = max - min;
  const shown = curved ? 1000 * ((value - min) / span) ** (1 / kCurve) : value;
  const read = (raw: number): number => {
    if (!curved) return raw;
    return Math.round((min + span * (raw / 1000) ** kCurve) / step) * step;
  };
  return (
    <div class={`slider ${name ?? ""}`}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={curved ? 0 : min}
        max={curved ? 1000 : max}
        step={curved ? 1 : step}
        value={shown}
        aria-valuetext={text}
        onInput={(event) => change(read(Number(event.currentTarget.value)))}
      />
      <output for={id}>{text}</output>
    </div>
  );
}

/** Outlines on a 20 x 20 field; drawn for this page. */
const kIcons = {
  brush: "M16.5 3.5 9 11m7.5-7.5-6 9M9 11c-2 0-3.2 1.300-3.400 3-.1 1.200-.8 2-2.100 2.400 2.500.9 6 .6 7-1.900.5-1.300 0-2.500-1.500-3.500Z",
  eraser: "m11 4 5.500 5.500-6.500 6.500H6.500L3 12.500zM7 8l5.500 5.500M10 16h7",
  fill: "m9 3 7 7-6.500 6.500-7-7L9 3Zm0 0-2 2M2.500 9.500h13M17.500 13c-1 1.500-1.300 2.300-1.300 2.800a1.300 1.300 0 0 0 2.600 0c0-.5-.3-1.300-1.300-2.800Z",
  lasso: "M6.500 13.500C4 12.500 2.500 11 2.500 9c0-3 3.400-5 7.500-5s7.500 2 7.500 5-3.400 5-7.500 5c-.6 0-1.200 0-1.800-.1M5 15.500a1.600 1.600 0 1 0 3.200 0 1.600 1.600 0 0 0-3.200 0Zm.500 1.300c0 .9-.4 1.500-1.200 1.900",
  rectangle: "M3 5V3h2m3 0h4m3 0h2v2m0 3v4m0 3v2h-2m-3 0H8m-3 0H3v-2m0-3V8",
  pick: "m10.500 6 3.500 3.500M12 7.500 5 14.500l-1.500 3 3-1.500 7-7m-1.500-4.500 1.700-1.700a1.900 1.900 0 0 1 2.700 2.700L14.700 7",
  hand: "M6.500 11V5.500a1.200 1.200 0 0 1 2.400 0V9m0-.5V4a1.200 1.200 0 0 1 2.400 0v5m0-4a1.200 1.200 0 0 1 2.400 0v5m0-2.500a1.200 1.200 0 0 1 2.300 0V13c0 3-2 4.500-4.600 4.500-2.300 0-3.400-.9-4.500-2.500L4 11.700c-.6-1 .9-2.100 1.700-1.200L6.500 11",
  undo: "M4 8h8a4 4 0 0 1 0 8H8M4 8l3.500-3.500M4 8l3.500 3.500",
  redo: "M16 8H8a4 4 0 0 0 0 8h4m4-8-3.500-3.500M16 8l-3.500 3.500",
  eye: "M2 10c2-3.500 4.700-5 8-5s6 1.500 8 5c-2 3.500-4.700 5-8 5s-6-1.500-8-5Zm5.500 0a2.500 2.500 0 1 0 5 0 2.500 2.500 0 0 0-5 0Z",
  hidden: "M2 10c2 3.500 4.700 5 8 5s6-1.500 8-5M5 13l-1.300 1.800M10 15v2.200M15 13l1.300 1.800",
  lock: "M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 6 0V9",
  open: "M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 5.800-1",
  up: "M10 16V4m0 0L5 9m5-5 5 5",
  down: "M10 4v12m0 0 5-5m-5 5-5-5",
  bin: "M4 6h12M8 6V4h4v2m-6.500 0 .8 11h7.400l.8-11M8.500 9v5m3-5v5",
  path: "M3 14c2-6 4-8 5.500-7s-1 5 .5 6 3-3 4.500-3 1.500 2 3.500 2",
  arrow: "M4 16 16 4m0 0h-6m6 0v6",
  rect: "M3.500 5.500h13v9h-13z",
  ellipse: "M3 10a7 5 0 1 0 14 0 7 5 0 1 0-14 0Z",
  text: "M4 6V4h12v2M10 4v12m-2.500 0h5",
  play: "M7 4.500v11l8.500-5.500z",
  select: "m5 3 10 7.500-4.500.8L13 16l-2 1-2.500-4.800L5 15z",
} as const;

export type IconName = keyof typeof kIcons;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={kIcons[name]} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
