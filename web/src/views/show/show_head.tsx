// The head of every page of a show: its name, its parts, its counts.
import type { JSX } from "preact";
import type { Show } from "../../model/documents";
import { Link } from "../../parts/router";
import { t, tn, type WordKey } from "../../words";
import "./show_head.css";

export type ShowTab = "board" | "tasks" | "takes" | "review" | "exchange" | "activity" | "settings";

/** The parts of a show, in their order; reviewing is a view of its own (src/review). */
const kTabs: readonly { tab: ShowTab; path: string; label: WordKey }[] = [
  { tab: "board", path: "", label: "show.board" },
  { tab: "tasks", path: "/tasks", label: "show.tasks" },
  { tab: "takes", path: "/takes", label: "show.takes" },
  { tab: "review", path: "/review", label: "show.review" },
  { tab: "exchange", path: "/exchange", label: "show.exchange" },
  { tab: "activity", path: "/activity", label: "nav.activity" },
  { tab: "settings", path: "/settings", label: "show.settings" },
];

export function ShowHead({ show, code, tab }: { show: Show | null; code: string; tab: ShowTab }): JSX.Element {
  return (
    <header class="show-head">
      <h1 class="clip">{show?.name ?? code}</h1>
      <nav aria-label={t("show.parts")}>
        {kTabs.map((each) => (
          <Link key={each.tab} to={`/shows/${code}${each.path}`} aria-current={each.tab === tab ? "page" : undefined}>
            {t(each.label)}
          </Link>
        ))}
      </nav>
      {show && (
        <p class="faint show-counts">
          {tn("count.shots", show.counts.shots)} · {tn("count.assets", show.counts.assets)} · {tn("count.takes", show.counts.takes)}
        </p>
      )}
    </header>
  );
}
