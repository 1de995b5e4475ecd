// Who works here, and which roles they have: in the whole studio, or in one show.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, may } from "../../api/session";
import { useResource } from "../../api/store";
import type { Page, Person, RoleTable, Show } from "../../model/documents";
import { ErrorBox } from "../../parts/error_box";
import { FormDialog, TextField } from "../../parts/form_dialog";
import { notify, reportError } from "../../parts/notices";
import { t, tOr } from "../../words";
import "../show/show_head.css";
import "./people.css";

const roleName = (role: string): string => tOr(`role.${role}`, role);

function NewPersonDialog({ roles, close, done }: { roles: string[]; close(): void; done(): Promise<void> }): JSX.Element {
  async function create(form: FormData): Promise<void> {
    await api.post("/people", {
      login: form.get("login"),
      name: form.get("name"),
      email: form.get("email"),
      password: form.get("password"),
      roles: { "": form.getAll("role") },
    });
    await done();
    notify("people.created", { name: String(form.get("name")) });
  }
  return (
    <FormDialog title={t("people.new")} submit={t("common.create")} close={close} perform={create}>
      <div class="fields-2">
        <TextField label={t("common.name")} name="name" required autofocus />
        <TextField label={t("session.login")} name="login" required pattern="[a-z0-9][a-z0-9._\-]*" />
        <TextField label={t("people.email")} name="email" type="email" />
        <TextField label={t("people.password")} name="password" type="text" required note={t("people.password_note")} />
      </div>
      <RoleChecks roles={roles} />
    </FormDialog>
  );
}

function RoleChecks({ roles }: { roles: string[] }): JSX.Element {
  return (
    <fieldset class="people-roles">
      <legend class="label">{t("people.roles_everywhere")}</legend>
      {roles.map((role) => (
        <label key={role} class="check">
          <input type="checkbox" name="role" value={role} />
          {roleName(role)}
        </label>
      ))}
    </fieldset>
  );
}

interface RolesDialogProps {
  person: Person;
  roles: string[];
  shows: Show[];
  close(): void;
  done(): Promise<void>;
}

function RolesDialog({ person, roles, shows, close, done }: RolesDialogProps): JSX.Element {
  const [scope, setScope] = useState("");
  const [active, setActive] = useState(person.active !== false);
  const held = person.roles?.[scope] ?? [];

  async function save(form: FormData): Promise<void> {
    const wanted = new Set(form.getAll("role").map(String));
    const query = scope ? `?show=${scope}` : "";
    for (const role of roles) {
      if (wanted.has(role) === held.includes(role)) continue;
      if (wanted.has(role)) await api.put(`/people/${person.id}/roles/${role}${query}`);
      else await api.remove(`/people/${person.id}/roles/${role}`, { show: scope });
    }
    if (active !== (person.active !== false)) await api.patch(`/people/${person.id}`, { active });
    const password = String(form.get("password") ?? "");
    if (password) await api.patch(`/people/${person.id}`, { password });
    await done();
  }
  return (
    <FormDialog title={person.name} submit={t("common.save")} close={close} perform={save}>
      <label class="field">
        <span class="label">{t("people.where")}</span>
        <select class="input" value={scope} onChange={(event) => setScope(event.currentTarget.value)}>
          <option value="">{t("people.everywhere")}</option>
          {shows.map((show) => (
            <option key={show.id} value={show.id}>
              {show.name}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="people-roles" key={scope}>
        <legend class="label">{t("people.roles")}</legend>
        {roles.map((role) => (
          <label key={role} class="check">
            <input type="checkbox" name="role" value={role} defaultChecked={held.includes(role)} />
            {roleName(role)}
          </label>
        ))}
      </fieldset>
      <TextField label={t("people.new_password")} name="password" note={t("people.password_note")} />
      <label class="check">
        <input type="checkbox" checked={active} onChange={(event) => setActive(event.currentTarget.checked)} />
        {t("people.active")}
      </label>
    </FormDialog>
  );
}

function Rights({ table }: { table: RoleTable }): JSX.Element {
  return (
    <details class="people-rights">
      <summary>{t("people.rights")}</summary>
      <table class="table">
        <thead>
          <tr>
            <th>{t("people.right")}</th>
            {table.roles.map((role) => (
              <th key={role}>{roleName(role)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.actions.map((action) => (
            <tr key={action}>
              <td class="mono">{action}</td>
              {table.roles.map((role) => (
                <td key={role}>{table.table[action]?.includes(role) ? <span title={t("people.may")}>✓</span> : ""}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

export function PeopleView(): JSX.Element {
  const people = useResource<Page<Person>>("/people", { query: { limit: 500, inactive: true }, topics: [{ kinds: ["person"] }] });
  const table = useResource<RoleTable>("/roles");
  const shows = useResource<Page<Show>>("/shows");
  const [open, setOpen] = useState<Person | "new" | null>(null);
  const mayEdit = may("person.edit");
  const roles = table.data.value?.roles ?? [];
  const showName = (id: string): string => shows.data.value?.items.find((show) => show.id === id)?.name ?? id;
  const reload = (): Promise<void> => people.reload();
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t("nav.people")}</h1>
        {mayEdit && (
          <button type="button" class="button button-primary" onClick={() => setOpen("new")}>
            {t("people.new")}
          </button>
        )}
      </div>
      {people.error.value && <ErrorBox error={people.error.value} retry={() => void people.reload()} />}
      <table class="table">
        <thead>
          <tr>
            <th>{t("common.name")}</th>
            <th>{t("session.login")}</th>
            <th>{t("people.roles")}</th>
            <th>{t("people.email")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {people.data.value?.items.map((person) => (
            <tr key={person.id}>
              <td>
                <b>{person.name}</b> {person.active === false && <span class="faint">{t("people.inactive")}</span>}
              </td>
              <td class="mono">{person.login}</td>
              <td>
                {Object.entries(person.roles ?? {}).flatMap(([show, held]) =>
                  held.map((role) => (
                    <span key={show + role} class="role">
                      {roleName(role)}
                      {show && <span class="faint"> {showName(show)}</span>}
                    </span>
                  )),
                )}
              </td>
              <td class="muted">{person.email}</td>
              <td class="number">
                {mayEdit && (
                  <button type="button" class="button button-small" onClick={() => setOpen(person)}>
                    {t("common.edit")}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {table.data.value && <Rights table={table.data.value} />}
      {open === "new" && <NewPersonDialog roles={roles} close={() => setOpen(null)} done={reload} />}
      {open && open !== "new" && (
        <RolesDialog person={open} roles={roles} shows={shows.data.value?.items ?? []} close={() => setOpen(null)} done={() => reload().catch(reportError) as Promise<void>} />
      )}
    </div>
  );
}
