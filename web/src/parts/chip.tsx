// A status or a type: its colour with its name on it. Colour is never the only sign.
import type { JSX } from "preact";
import { parseColor, textOn } from "../model/colors";
import type { TaskStatus, TaskType } from "../model/documents";
import "./chip.css";

export function Chip({ name, color, title }: { name: string; color: string; title?: string }): JSX.Element {
  const background = parseColor(color) ? color : "#3a3a3a";
  return (
    <span class="chip" title={title} style={{ backgroundColor: background, color: textOn(background) }}>
      {name}
    </span>
  );
}

export function StatusChip({ status }: { status: TaskStatus }): JSX.Element {
  return <Chip name={status.name} color={status.color} />;
}

/** A type by a small square of its colour beside the name: types never shout louder than statuses. */
export function TypeMark({ type }: { type: TaskType }): JSX.Element {
  return (
    <span class="type-mark">
      <i style={{ backgroundColor: type.color }} aria-hidden="true" />
      {type.name}
    </span>
  );
}
