// Where the page is: the address as a signal, links that do not reload, patterns with names in them.
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";

export interface Place {
  path: string;
  query: URLSearchParams;
}

function read(): Place {
  return { path: globalThis.location?.pathname ?? "/", query: new URLSearchParams(globalThis.location?.search ?? "") };
}

export const place = signal<Place>(read());

/** Asked before the page is left; answers false to stay (unsaved work). */
export const leaveGuard: { current: (() => boolean) | null } = { current: null };

export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const here = location.pathname + location.search;
  if (to === here) return;
  const leavesPath = to.split("?")[0] !== location.pathname;
  if (leavesPath && leaveGuard.current && !leaveGuard.current()) return;
  history[options.replace ? "replaceState" : "pushState"](null, "", to);
  place.value = read();
  if (leavesPath) scrollTo(0, 0);
}

/** Changes query values of the address without a new entry in the history; "" removes one. */
export function setQuery(change: Record<string, string>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), { replace: true });
}

export function startRouter(): void {
  addEventListener("popstate", () => {
    place.value = read();
  });
  place.value = read();
}

/** The values of ":name" parts where the path fits the pattern; a last "*" takes the rest. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/").filter(Boolean);
  const given = path.split("/").filter(Boolean);
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (part === "*") return values;
    const value = given[index];
    if (value === undefined) return null;
    if (part.startsWith(":")) {
      try {
        values[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (part !== value) return null;
  }
  return wanted.length === given.length ? values : null;
}

type LinkProps = Omit<JSX.AnchorHTMLAttributes<HTMLAnchorElement>, "href"> & {
  to: string;
  children?: ComponentChildren;
};

export function Link({ to, onClick, ...rest }: LinkProps): JSX.Element {
  return (
    <a
      {...rest}
      href={to}
      onClick={(event) => {
        if (typeof onClick === "function") (onClick as (e: typeof event) => void)(event);
        const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
        if (!plain || event.defaultPrevented) return;
        event.preventDefault();
        navigate(to);
      }}
    />
  );
}
