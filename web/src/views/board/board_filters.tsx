// What the board shows: the kind, a search, a status, a type of task. All of it is in the address, so that a link
// shows the same.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { TaskStatus, TaskType } from "../../model/documents";
import { Segments } from "../../parts/segments";
import { place, setQuery } from "../../parts/router";
import { t } from "../../words";
import type { BoardKind } from "./board_view";

interface BoardFiltersProps {
  kind: BoardKind;
  statuses: TaskStatus[];
  types: TaskType[];
  children: ComponentChildren;
}

const kSearchMs = 200;

export function BoardFilters({ kind, statuses, types, children }: BoardFiltersProps): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const query = place.value.query;
  const search = query.get("search") ?? "";
  const field = useRef<HTMLInputElement>(null);
  // The address leads (going into a sequence), except while somebody types.
  useEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = search;
  }, [search]);
  return (
    <div class="board-filters">
      <Segments
        label={t("board.kind")}
        value={kind}
        options={[
          { value: "episode", label: t("kind.episodes") },
          { value: "sequence", label: t("kind.sequences") },
          { value: "shot", label: t("kind.shots") },
          { value: "asset", label: t("kind.assets") },
        ]}
        choose={(wanted) => setQuery({ kind: wanted === "shot" ? "" : wanted, task_type: "", search: "" })}
      />
      <input
        ref={field}
        class="input board-search"
        type="search"
        data-search
        placeholder={t("board.search")}
        aria-label={t("board.search")}
        defaultValue={search}
        onInput={(event) => {
          const text = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => setQuery({ search: text }), kSearchMs);
        }}
      />
      <select class="input" aria-label={t("board.any_status")} value={query.get("status") ?? ""} onChange={(event) => setQuery({ status: event.currentTarget.value })}>
        <option value="">{t("board.any_status")}</option>
        {statuses.map((status) => (
          <option key={status.id} value={status.code}>
            {status.name}
          </option>
        ))}
      </select>
      <select class="input" aria-label={t("board.any_type")} value={query.get("task_type") ?? ""} onChange={(event) => setQuery({ task_type: event.currentTarget.value })}>
        <option value="">{t("board.any_type")}</option>
        {types.map((type) => (
          <option key={type.id} value={type.code}>
            {type.name}
          </option>
        ))}
      </select>
      {children}
    </div>
  );
}
