// The page of a task: what is asked for, what was proposed, how to make more, what was said and decided.
//
//   head      what, status, who, until when
//   left      the generate panel
//   middle    running jobs, then the wall of takes (approved on top)
//   right     the take that is looked at; brief, comments, decisions
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { usePages } from "../../api/pages";
import { api, may } from "../../api/session";
import { useResource } from "../../api/store";
import type { ModelFile, Page, Recipe, Show, Take, Task, Verdict } from "../../model/documents";
import { defaultSettings, fromRecipe, restoreSettings, sizePresets, type GenerateSettings } from "../../model/recipe";
import { arrangeWall } from "../../model/wall";
import { useActions } from "../../parts/actions";
import { ErrorBox } from "../../parts/error_box";
import { notify } from "../../parts/notices";
import { navigate, place, setQuery } from "../../parts/router";
import { CommentsPanel } from "./comments_panel";
import { BriefPanel } from "./brief_panel";
import { DecisionDialog, type Decision } from "./decision_dialog";
import { GeneratePanel } from "./generate_panel";
import { HistoryPanel } from "./history_panel";
import { JobStrips } from "./job_strips";
import { kTaskActions, type SideTab, type TaskContext } from "./task_actions";
import { TaskHead } from "./task_head";
import { SideTabs } from "./side_tabs";
import { TakePanel } from "./take_panel";
import { TakeWall } from "./take_wall";
import "./task.css";

/** What the generate panel was left with, per task, in this browser. Changes are made to the newest settings: two may
    follow each other faster than the page is drawn. */
function useSettings(taskId: string, show: Show | null): [GenerateSettings, (part: Partial<GenerateSettings>) => void] {
  const key = `maquette.generate.${taskId}`;
  const [settings, set] = useState<GenerateSettings | null>(null);
  const base = useMemo(() => {
    const medium = show ? sizePresets(show.settings, true)[1]! : { width: 512, height: 512 };
    return { ...defaultSettings(), width: medium.width, height: medium.height };
  }, [show]);
  useEffect(() => {
    try {
      const kept = localStorage.getItem(key);
      if (kept) set(restoreSettings(JSON.parse(kept), base));
    } catch {
      // A browser that keeps nothing starts from the defaults.
    }
  }, [key]);
  const latest = useRef<GenerateSettings>(base);
  latest.current = settings ?? base;
  return [
    latest.current,
    (part) => {
      const wanted = { ...latest.current, ...part };
      latest.current = wanted;
      set(wanted);
      try {
        localStorage.setItem(key, JSON.stringify(wanted));
      } catch {
        // As above.
      }
    },
  ];
}

function LoadedTask({ task, reload }: { task: Task; reload(): Promise<void> }): JSX.Element {
  const [withWithdrawn, setWithWithdrawn] = useState(false);
  const [tab, setTab] = useState<SideTab>("brief");
  const [showGenerate, setShowGenerate] = useState(true);
  const [decision, setDecision] = useState<Decision | null>(null);
  const generate = useRef<{ submit(): void } | null>(null);
  const show = useResource<Show>(`/shows/${task.show_id}`, { topics: [{ kinds: ["show"], show: task.show_id }] });
  const models = useResource<Page<ModelFile>>("/models", { query: { show: task.show_id }, topics: [{ kinds: ["model"] }] });
  const topic = { kinds: ["take"], show: task.show_id, task: task.id };
  const takes = usePages<Take>(`/tasks/${task.id}/takes`, { query: { state: withWithdrawn ? "all" : null }, topics: [topic], rows: 200 });
  const [settings, setSettings] = useSettings(task.id, show.data.value);

  const list = takes.items.value ?? [];
  const wall = useMemo(() => arrangeWall(list, task.approved_take_id), [list, task.approved_take_id]);
  const selectedId = place.value.query.get("take");
  const marked = (place.value.query.get("with") ?? "").split(",").filter(Boolean);
  const selected = list.find((take) => take.id === selectedId) ?? null;

  async function mark({ id }: Take, change: { stars?: number; verdict?: Verdict }): Promise<void> {
    // The newest marks, not those of the last drawing: two keys may follow each other faster than the page is drawn.
    const take = takes.items.peek()?.find((each) => each.id === id);
    if (!take) return;
    const before = take.marks;
    const mine = { stars: before.mine?.stars ?? 0, verdict: before.mine?.verdict ?? "neutral", ...change };
    const put = (marks: Take["marks"]): void => takes.replace((each) => each.id === id, { ...take, marks });
    put({ ...before, mine });
    try {
      await api.put(`/takes/${id}/mark`, mine);
    } catch (thrown) {
      put(before);
      throw thrown;
    }
  }

  async function recall(take: Take, what: "all" | "prompt" | "seed"): Promise<void> {
    const recipe = await api.get<Recipe>(`/takes/${take.id}/recipe`);
    const recalled = fromRecipe(recipe, settings, models.data.value?.items ?? []);
    if (what === "prompt") setSettings({ prompt: recalled.prompt, negative: recalled.negative });
    else if (what === "seed") setSettings({ seed: recalled.seed, seedLocked: true });
    else setSettings(recalled);
    setShowGenerate(true);
    notify("generate.recalled", { take: take.label });
  }

  const context: TaskContext = {
    task,
    selected,
    marked,
    wall,
    columns: () => {
      const grid = document.querySelector(".wall-grid");
      return grid ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
    },
    may: (action) => may(action, task.show_id),
    select: (take) => setQuery({ take: take?.id ?? "" }),
    toggleMarked: (take) => {
      const rest = marked.filter((id) => id !== take.id);
      setQuery({ with: (rest.length === marked.length ? [...marked, take.id] : rest).join(",") });
    },
    mark,
    recall,
    useAsInit: (take) => {
      setSettings({ init: take.sha256 });
      setShowGenerate(true);
    },
    decide: (kind, take) => setDecision({ kind, take }),
    setTab: (wanted) => {
      setTab(wanted);
      if (wanted !== "take") setQuery({ take: "" });
    },
    toggleWithdrawn: () => setWithWithdrawn(!withWithdrawn),
    generateShown: showGenerate,
    toggleGenerate: () => setShowGenerate(!showGenerate),
    generate: () => generate.current?.submit(),
    go: navigate,
  };
  useActions(kTaskActions, context);

  const shown: SideTab = selected && tab === "brief" ? "take" : tab;
  useEffect(() => {
    if (selectedId) setTab("take");
  }, [selectedId]);
  return (
    <div class={showGenerate ? "task" : "task task-no-generate"}>
      <TaskHead task={task} context={context} reload={reload} />
      {showGenerate && (
        <GeneratePanel
          task={task}
          show={show.data.value}
          models={models.data.value?.items ?? []}
          settings={settings}
          change={setSettings}
          takes={list}
          handle={generate}
          close={context.toggleGenerate}
        />
      )}
      <section class="task-wall" aria-label={context.task.reference}>
        <JobStrips taskId={task.id} showId={task.show_id} />
        {takes.error.value && <ErrorBox error={takes.error.value} retry={() => void takes.reload()} />}
        <TakeWall context={context} loaded={takes.items.value !== null} withWithdrawn={withWithdrawn} more={takes.next.value ? () => void takes.more() : null} />
      </section>
      <aside class="task-side">
        <SideTabs tab={shown} choose={context.setTab} hasTake={selected !== null} />
        <div class="task-side-body">
          {shown === "take" && selected && <TakePanel key={selected.id} take={selected} context={context} />}
          {(shown === "brief" || (shown === "take" && !selected)) && <BriefPanel task={task} mayEdit={context.may("task.edit")} />}
          {shown === "comments" && <CommentsPanel task={task} context={context} />}
          {shown === "history" && <HistoryPanel task={task} takes={list} select={context.select} />}
        </div>
      </aside>
      {decision && <DecisionDialog decision={decision} task={task} close={() => setDecision(null)} done={reload} />}
    </div>
  );
}

export function TaskView({ values }: { values: Record<string, string> }): JSX.Element {
  const key = values.task!;
  const task = useResource<Task>(`/tasks/${encodeURIComponent(key)}`, { topics: [{ kinds: ["task", "comment", "take"], task: key }] });
  if (task.error.value && !task.data.value) {
    return (
      <div class="page">
        <ErrorBox error={task.error.value} retry={() => void task.reload()} />
      </div>
    );
  }
  if (!task.data.value) return <div class="empty" aria-busy="true" />;
  return <LoadedTask task={task.data.value} reload={() => task.reload()} />;
}
