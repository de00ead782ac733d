// Which part of a page is open: the fragment, such as `#usage` or `#reset?token=…`.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  readonly name: string;
  readonly parameters: URLSearchParams;
}

/** Parameters that must not stay in the history of the browser. */
const SECRETS = ["token", "code"];

/** Returns the route, and again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const change = () => setRoute(readRoute());
    window.addEventListener("hashchange", change);
    return () => window.removeEventListener("hashchange", change);
  }, []);
  return route;
}

/** Opens another part of the page. */
export function go(name: string): void {
  window.location.hash = name;
}

/** Fragments are not sent to the server, so a token in one is in no log; it leaves the address bar too. */
function readRoute(): Route {
  const [name = "", query = ""] = window.location.hash.slice(1).split("?");
  const parameters = new URLSearchParams(query);
  if (SECRETS.some((secret) => parameters.has(secret))) {
    window.history.replaceState(null, "", `#${name}`);
  }
  return { name, parameters };
}

/** Returns where to go after signing in: a path of this site, or null. */
export function nextPath(parameters: URLSearchParams): string | null {
  const next = parameters.get("next") ?? "";
  return /^\/[A-Za-z0-9_-]*(#[a-z]*)?$/.test(next) ? next : null;
}
