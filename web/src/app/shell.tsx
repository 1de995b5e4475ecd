// What is around every view: the bar with the sections, the person's menu, notices, the shortcut sheet.
import { computed, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isListening, startLive, stopLive, streamState } from "../api/live";
import { me, signOut } from "../api/session";
import { run, tooltip, useActions, type Action } from "../parts/actions";
import { Notices, reportError } from "../parts/notices";
import { Link, matchPath, place } from "../parts/router";
import { t } from "../words";
import { PasswordView } from "../views/session/password_view";
import { SignInView } from "../views/session/sign_in_view";
import { kRoutes, type Route, type View } from "./routes";
import { kShellActions, type ShellContext } from "./shell_actions";
import { ShortcutSheet } from "./shortcut_sheet";
import "./shell.css";

const shortcutsOpen = signal(false);
const kContext: ShellContext = {
  openShortcuts: () => {
    shortcutsOpen.value = true;
  },
};

interface Found {
  route: Route;
  values: Record<string, string>;
}

const found = computed<Found | null>(() => {
  for (const route of kRoutes) {
    const values = matchPath(route.path, place.value.path);
    if (values) return { route, values };
  }
  return null;
});

const loaded = new Map<Route, View>();

function Routed(): JSX.Element {
  const here = found.value;
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!here) return;
    document.title = `${t(here.route.title)} · Maquette`;
    if (loaded.has(here.route)) return;
    here.route
      .load()
      .then((view) => {
        loaded.set(here.route, view);
        redraw((n) => n + 1);
      })
      .catch(reportError);
  }, [here?.route]);
  if (!here) {
    return (
      <div class="empty">
        <h1>{t("shell.no_such_page")}</h1>
        <p>
          <Link to="/">{t("nav.shows")}</Link>
        </p>
      </div>
    );
  }
  const Shown = loaded.get(here.route);
  if (!Shown) return <div class="empty" aria-busy="true" />;
  // Another show or task is another view: nothing of the last one stays.
  return <Shown key={place.value.path} values={here.values} />;
}

function Section({ action, to, section }: { action: string; to: string; section: Route["section"] }): JSX.Element | null {
  const record = kShellActions.actions.find((other) => other.id === action) as Action<ShellContext>;
  if (record.when && !record.when(kContext)) return null;
  const current = found.value?.route.section === section;
  return (
    <Link to={to} class="bar-section" aria-current={current ? "page" : undefined} title={tooltip(record)}>
      {t(record.label)}
    </Link>
  );
}

function Bar(): JSX.Element {
  const who = me.value!;
  const shortcuts = kShellActions.actions[0]!;
  const cut = streamState.value === "waiting" || (streamState.value === "connecting" && !firstOpen.value);
  return (
    <header class="bar">
      <a class="skip-link" href="#main">
        {t("shell.skip")}
      </a>
      <Link to="/" class="bar-mark" aria-label={t("shell.home")}>
        Maquette
      </Link>
      <nav class="bar-sections" aria-label={t("shell.sections")}>
        <Section action="shell.shows" to="/" section="shows" />
        <Section action="shell.queue" to="/queue" section="queue" />
        <Section action="shell.library" to="/library" section="library" />
        <Section action="shell.people" to="/people" section="people" />
        <Section action="shell.activity" to="/activity" section="activity" />
        <Section action="shell.studio" to="/studio" section="studio" />
      </nav>
      <span class="bar-state" role="status">
        {cut ? t("shell.reconnecting") : ""}
      </span>
      <button type="button" class="icon-button" title={tooltip(shortcuts)} aria-label={t(shortcuts.label)} onClick={() => run(shortcuts, kContext)}>
        ?
      </button>
      <Link to="/profile" class="bar-person" aria-current={found.value?.route.section === "profile" ? "page" : undefined}>
        {who.person.name || who.person.login}
      </Link>
      {!who.single_user && (
        <button type="button" class="button button-bare button-small" onClick={() => signOut().catch(reportError)}>
          {t("session.sign_out")}
        </button>
      )}
    </header>
  );
}

/** False until the stream was open once: before that, "reconnecting" would be wrong. */
const firstOpen = signal(true);

function Studio(): JSX.Element {
  useActions(kShellActions, kContext);
  useEffect(() => {
    startLive();
    // The view's code comes while the stream opens.
    found.peek()?.route.load().catch(reportError);
    return stopLive;
  }, []);
  useEffect(() => {
    if (streamState.value === "open") firstOpen.value = false;
  }, [streamState.value]);
  return (
    <div class="shell">
      <Bar />
      <main id="main" class="main" tabIndex={-1}>
        {isListening.value && <Routed />}
      </main>
      {shortcutsOpen.value && <ShortcutSheet close={() => (shortcutsOpen.value = false)} />}
    </div>
  );
}

function Body(): JSX.Element | null {
  if (found.value?.route.guest) return <Routed />;
  if (me.value === undefined) return null;
  if (me.value === null) return <SignInView />;
  if (me.value.person.must_change_password) return <PasswordView forced />;
  return <Studio />;
}

export function Shell(): JSX.Element {
  return (
    <>
      <Body />
      <Notices />
    </>
  );
}
