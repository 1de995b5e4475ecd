// Stars from 0 to 5: one's own filled, the studio's mean as a number beside them.
import type { JSX } from "preact";
import { formatNumber, t, tn } from "../words";

interface StarsProps {
  value: number;
  mean?: number | null;
  /** With it, the stars can be clicked; a click on the current one takes it back. */
  choose?: (stars: number) => void;
}

const kAll = [1, 2, 3, 4, 5];

export function Stars({ value, mean, choose }: StarsProps): JSX.Element {
  const text = tn("take.stars", value);
  if (choose) {
    return (
      <span class="stars" role="group" aria-label={text}>
        {kAll.map((n) => (
          <button key={n} type="button" class={n <= value ? "star star-on" : "star"} aria-label={tn("take.stars", n)} aria-pressed={n === value} onClick={() => choose(n === value ? 0 : n)}>
            {n <= value ? "★" : "☆"}
          </button>
        ))}
      </span>
    );
  }
  const others = mean !== null && mean !== undefined && mean !== value;
  return (
    <span class="stars" title={text}>
      {value > 0 && (
        <span class="star-on" aria-label={text}>
          {"★".repeat(value)}
        </span>
      )}
      {others && (
        <span class="faint" title={t("take.mean_stars")}>
          ⌀{formatNumber(mean, 1)}
        </span>
      )}
    </span>
  );
}
