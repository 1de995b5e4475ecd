// The tabs at the right of a task.
import type { JSX } from "preact";
import { keysText } from "../../parts/keys";
import { t } from "../../words";
import { taskAction, type SideTab } from "./task_actions";

const kTabs: readonly { tab: SideTab; label: "task.take" | "task.brief" | "task.comments" | "task.history" }[] = [
  { tab: "take", label: "task.take" },
  { tab: "brief", label: "task.brief" },
  { tab: "comments", label: "task.comments" },
  { tab: "history", label: "task.history" },
];

export function SideTabs({ tab, choose, hasTake }: { tab: SideTab; choose(tab: SideTab): void; hasTake: boolean }): JSX.Element {
  return (
    <div class="side-tabs" role="tablist">
      {kTabs.map((each) => {
        const key = each.tab === "take" ? undefined : taskAction(each.tab).keys[0];
        return (
          <button
            key={each.tab}
            type="button"
            role="tab"
            aria-selected={each.tab === tab}
            disabled={each.tab === "take" && !hasTake}
            title={key ? `${t(each.label)} (${keysText(key)})` : t(each.label)}
            onClick={() => choose(each.tab)}
          >
            {t(each.label)}
          </button>
        );
      })}
    </div>
  );
}
