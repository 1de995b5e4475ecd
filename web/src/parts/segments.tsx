// A choice of a few, all visible: one button each.
import type { JSX } from "preact";
import "./segments.css";

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: string; title?: string }[];
  choose(value: T): void;
}

export function Segments<T extends string>({ label, value, options, choose }: SegmentsProps<T>): JSX.Element {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} title={option.title} onClick={() => choose(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}
