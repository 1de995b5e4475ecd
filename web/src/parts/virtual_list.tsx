// A list of any length of which only the rows on screen are in the page.
//
// Rows have one height, so that the first and last row on screen are a division; what is above and below is empty
// space. The keyboard moves an active row (aria-activedescendant), and the list scrolls to keep it on screen.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { visibleRange } from "../model/visible_range";
import "./virtual_list.css";

interface VirtualListProps {
  id: string;
  label: string;
  count: number;
  rowHeight: number;
  active: number;
  setActive(index: number): void;
  /** Called with the first and last row on screen. */
  onRange(first: number, last: number): void;
  /** Enter on the active row. */
  onOpen(index: number): void;
  /** Keys that the list does not use itself. */
  onKey?(event: KeyboardEvent, index: number): void;
  children(index: number): ComponentChildren;
}

/** The row that a key leads to; null for keys that do not move. */
function moved(key: string, from: number, count: number, rows: number): number | null {
  const goals: Record<string, number> = {
    ArrowUp: from - 1,
    ArrowDown: from + 1,
    PageUp: from - rows,
    PageDown: from + rows,
    Home: 0,
    End: count - 1,
  };
  const goal = goals[key];
  return goal === undefined ? null : Math.max(0, Math.min(count - 1, goal));
}

export function VirtualList(props: VirtualListProps): JSX.Element {
  const { id, count, rowHeight, active } = props;
  const element = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const range = visibleRange(view.top, view.height, rowHeight, count);

  useEffect(() => {
    const list = element.current!;
    const measure = (): void => setView({ top: list.scrollTop, height: list.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(list);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (count > 0) props.onRange(range.first, range.last);
  }, [range.first, range.last, count]);

  function go(index: number): void {
    props.setActive(index);
    const list = element.current!;
    const top = index * rowHeight;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + rowHeight - list.clientHeight;
  }

  function key(event: KeyboardEvent): void {
    if (event.target !== element.current || event.ctrlKey || event.altKey || event.metaKey) return;
    const goal = moved(event.key, active, count, Math.max(1, Math.floor(view.height / rowHeight) - 1));
    if (goal !== null) go(goal);
    else if (event.key === "Enter") props.onOpen(active);
    else return props.onKey?.(event, active);
    event.preventDefault();
  }

  const rows: JSX.Element[] = [];
  for (let index = range.from; index <= range.to; index += 1) {
    rows.push(
      <div
        key={index}
        id={`${id}-${index}`}
        role="row"
        aria-rowindex={index + 1}
        aria-selected={index === active}
        class="virtual-row"
        style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
        onPointerDown={() => props.setActive(index)}
      >
        {props.children(index)}
      </div>,
    );
  }
  return (
    <div
      ref={element}
      id={id}
      class="virtual-list"
      role="grid"
      aria-label={props.label}
      aria-rowcount={count}
      aria-activedescendant={count > 0 ? `${id}-${active}` : undefined}
      tabIndex={0}
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
      onKeyDown={key}
    >
      <div class="virtual-space" style={{ height: `${count * rowHeight}px` }} role="presentation">
        {rows}
      </div>
    </div>
  );
}
