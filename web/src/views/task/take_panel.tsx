// The take that is looked at: the picture, what people think of it, what can be done, its settings, where it comes from.
import type { JSX } from "preact";
import { useResource } from "../../api/store";
import { api } from "../../api/session";
import type { Approval, Difference, Lineage, Page, Recipe, Take, TakeFile } from "../../model/documents";
import { ActionButton } from "../../parts/actions";
import { pictureUrl } from "../../parts/picture";
import { RecipeFields } from "../../parts/recipe_fields";
import { reportError } from "../../parts/notices";
import { Stars } from "../../parts/stars";
import { formatBytes, formatNumber, formatTime, t, tOr } from "../../words";
import { LineageGraph } from "./lineage_graph";
import { taskAction, type TaskContext } from "./task_actions";

function Marks({ take, context }: { take: Take; context: TaskContext }): JSX.Element {
  const may = context.may("take.mark") && take.state !== "withdrawn" && take.state !== "purged";
  const mine = take.marks.mine;
  return (
    <div class="take-marks">
      <Stars value={mine?.stars ?? 0} mean={take.marks.stars} {...(may ? { choose: (stars: number) => void context.mark(take, { stars }).catch(reportError) } : {})} />
      <ActionButton action={taskAction("validated")} context={context} class="button button-small" pressed={mine?.verdict === "validated"}>
        ✓ {take.marks.validated > 0 && take.marks.validated}
      </ActionButton>
      <ActionButton action={taskAction("rejected")} context={context} class="button button-small" pressed={mine?.verdict === "rejected"}>
        ✕ {take.marks.rejected > 0 && take.marks.rejected}
      </ActionButton>
    </div>
  );
}

/** Who made it the approved one, in which role, why. */
function ApprovedBy({ take }: { take: Take }): JSX.Element | null {
  const approvals = useResource<Page<Approval>>(`/tasks/${take.task_id}/approvals`, { topics: [{ kinds: ["take", "task"], show: take.show_id, task: take.task_id }] });
  const newest = approvals.data.value?.items.filter((each) => each.take_id === take.id).sort((a, b) => b.at.localeCompare(a.at))[0];
  if (!newest) return null;
  return (
    <p class="approved-by">
      <span class="state-approved">✓ {t("take.approved_by", { person: newest.person?.name ?? "–", role: tOr(`role.${newest.role}`, newest.role) })}</span>{" "}
      <span class="muted">
        {formatTime(newest.at)}
        {newest.reason && ` · ${newest.reason}`}
      </span>
    </p>
  );
}

function Proof({ take }: { take: Take }): JSX.Element | null {
  // Textures and first takes have measures, but nothing that had to stay as it was.
  if (typeof take.proof?.outside_unchanged !== "boolean") return null;
  const { outside_unchanged: unchanged, changed_pixels: changed, outside_pixels: outside } = take.proof;
  const drift = (take.proof.seam_drift as { shift_delta_e?: number } | undefined)?.shift_delta_e;
  return (
    <section class="proof">
      <h3>{t("proof.title")}</h3>
      <p class={unchanged ? "proof-good" : "proof-bad"}>{unchanged ? `✓ ${t("proof.unchanged")}` : `✕ ${t("proof.changed")}`}</p>
      {typeof changed === "number" && typeof outside === "number" && <p class="muted">{t("proof.pixels", { changed, outside })}</p>}
      {typeof drift === "number" && <p class="muted">{t("proof.drift", { drift: formatNumber(drift, 2) })}</p>}
    </section>
  );
}

/** The recipe, beside that of the approved take (or of the first take marked for comparing). */
function Settings({ take, context }: { take: Take; context: TaskContext }): JSX.Element | null {
  const recipe = useResource<Recipe>(take.origin === "generated" ? `/takes/${take.id}/recipe` : null);
  const otherId = context.marked.find((id) => id !== take.id) ?? context.task.approved_take_id;
  const other = otherId && otherId !== take.id ? otherId : null;
  const difference = useResource<Difference>(other ? `/takes/${take.id}/difference/${other}` : null);
  const otherLabel = context.wall.order.find((each) => each.id === other)?.label ?? "";
  const data = recipe.data.value;
  const diff = difference.data.value;
  return (
    <>
      {data && (
        <details open class="take-block">
          <summary>{t("take.settings")}</summary>
          <div class="row row-wrap take-recall">
            <ActionButton action={taskAction("recall")} context={context} class="button button-small" />
            <ActionButton action={taskAction("recall_prompt")} context={context} class="button button-small" />
            <ActionButton action={taskAction("recall_seed")} context={context} class="button button-small" />
          </div>
          <RecipeFields recipe={data} />
        </details>
      )}
      {diff && (
        <details class="take-block">
          <summary>{t("take.difference", { take: otherLabel })}</summary>
          {diff.pictures && (
            <p class="muted">
              {t("take.pixels_changed", { share: formatNumber(diff.pictures.changed_share * 100, 1) })}
              {diff.pictures.psnr !== null && ` · ${formatNumber(diff.pictures.psnr, 1)} dB`}
            </p>
          )}
          {diff.fields.length === 0 ? (
            <p class="muted">{t("take.same_settings")}</p>
          ) : (
            <table class="table difference">
              <thead>
                <tr>
                  <th>{t("take.setting")}</th>
                  <th>{take.label}</th>
                  <th>{otherLabel}</th>
                </tr>
              </thead>
              <tbody>
                {diff.fields.map((field) => (
                  <tr key={field.name}>
                    <td>{field.name}</td>
                    <td class="mono">{valueText(field.a)}</td>
                    <td class="mono">{valueText(field.b)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </details>
      )}
    </>
  );
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function Files({ take }: { take: Take }): JSX.Element | null {
  const files = useResource<Page<TakeFile>>(`/takes/${take.id}/files`);
  const items = files.data.value?.items ?? [];
  if (items.length === 0) return null;
  return (
    <details class="take-block">
      <summary>
        {t("take.files")} <span class="faint">{items.length}</span>
      </summary>
      <ul>
        {items.map((file) => (
          <li key={file.representation + file.name} class="file-row">
            <a href={api.url(`/shows/${take.show_id}/files/${file.sha256}`)} download={file.name} class="clip">
              {file.name}
            </a>
            <span class="faint">
              {file.representation}, {formatBytes(file.bytes)}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function TakePanel({ take, context }: { take: Take; context: TaskContext }): JSX.Element {
  const hasFamily = take.parents.length > 0 || context.wall.order.some((other) => other.parents.some((parent) => parent.id === take.id));
  const lineage = useResource<Lineage>(hasFamily ? `/takes/${take.id}/lineage` : null);
  const buttons = ["approve", "unapprove", "withdraw", "restore", "purge"].map(taskAction).filter((action) => action.when?.(context));
  return (
    <div class="take-panel">
      {take.state !== "purged" && (
        <a href={pictureUrl(take)} target="_blank" rel="noreferrer" class="take-panel-picture" title={t("take.open_picture")}>
          <img src={pictureUrl(take)} alt={`${take.label} ${take.title}`} style={{ aspectRatio: `${take.width} / ${take.height}` }} />
        </a>
      )}
      <div class="row spread">
        <h2>
          {take.label} {take.state !== "proposed" && <span class={`state-word state-${take.state}`}>{t(`take.${take.state}`)}</span>}
        </h2>
        <span class="faint">
          {take.width} × {take.height}
        </span>
      </div>
      {take.title && <p>{take.title}</p>}
      <p class="muted">
        {t(`origin.${take.origin}`)}, {take.created_by?.name}, {formatTime(take.created_at)}
      </p>
      {take.state === "approved" && <ApprovedBy take={take} />}
      <Marks take={take} context={context} />
      <div class="take-buttons">
        {buttons.map((action) => (
          <ActionButton key={action.id} action={action} context={context} class={action.id === "task.approve" ? "button button-primary" : "button"} />
        ))}
        <ActionButton action={taskAction("canvas")} context={context} />
        <ActionButton action={taskAction("init")} context={context} />
        <ActionButton action={taskAction("mark")} context={context} pressed={context.marked.includes(take.id)} />
        <ActionButton action={taskAction("texture")} context={context} />
      </div>
      <Proof take={take} />
      <Settings take={take} context={context} />
      {lineage.data.value && (
        <details open class="take-block">
          <summary>{t("take.lineage")}</summary>
          <LineageGraph lineage={lineage.data.value} current={take.id} select={(id) => context.select(context.wall.order.find((each) => each.id === id) ?? null)} />
        </details>
      )}
      <Files take={take} />
    </div>
  );
}
