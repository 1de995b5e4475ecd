// Which rows of a long list are on screen, and which are drawn (a few more, so that scrolling shows no gaps).

const kSpare = 4;

export interface VisibleRange {
  first: number;
  last: number;
  from: number;
  to: number;
}

/** top and height in pixels; an empty list gives last and to of -1. */
export function visibleRange(top: number, height: number, rowHeight: number, count: number): VisibleRange {
  const last = Math.min(count - 1, Math.ceil((top + height) / rowHeight) - 1);
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight), count - 1));
  return { first, last, from: Math.max(0, first - kSpare), to: Math.min(count - 1, last + kSpare) };
}
