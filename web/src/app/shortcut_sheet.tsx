// Every key of the page, by place; those that work right now come first.
import type { JSX } from "preact";
import { liveTables, type ActionTable } from "../parts/actions";
import { Dialog } from "../parts/dialog";
import { keysText } from "../parts/keys";
import { t } from "../words";
import { kActionTables } from "./action_tables";

function Group({ table }: { table: ActionTable<never> }): JSX.Element {
  return (
    <section class="shortcut-group">
      <h3>{t(table.group)}</h3>
      <ul>
        {table.actions
          .filter((action) => action.keys.length > 0)
          .map((action) => (
            <li key={action.id}>
              <span>{t(action.label)}</span>
              <span class="shortcut-keys">
                {action.keys.map((key) => (
                  <>
                    {" "}
                    <kbd>{keysText(key)}</kbd>
                  </>
                ))}
              </span>
            </li>
          ))}
      </ul>
    </section>
  );
}

export function ShortcutSheet({ close }: { close(): void }): JSX.Element {
  const live = new Set<unknown>(liveTables());
  const here = kActionTables.filter((table) => live.has(table));
  const elsewhere = kActionTables.filter((table) => !live.has(table));
  return (
    <Dialog title={t("actions.shortcuts")} close={close} wide>
      <div class="shortcut-groups">
        {[...here, ...elsewhere].map((table) => (
          <Group key={table.group} table={table} />
        ))}
      </div>
    </Dialog>
  );
}
