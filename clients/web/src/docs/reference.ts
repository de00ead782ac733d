// Both pages show /openapi.json through one library, in the colours of the site (reference.css).
import "openapi-explorer/dist/browser/openapi-explorer.min.js";
import "./reference.css";

/** Puts the reference into the page. Attributes are those of openapi-explorer. */
export function showReference(attributes: Record<string, string>): void {
  const explorer = document.createElement("openapi-explorer");
  const all = { layout: "column", "hide-server-selection": "true", ...attributes };
  for (const [name, value] of Object.entries(all)) explorer.setAttribute(name, value);
  explorer.setAttribute("spec-url", "/openapi.json");
  document.getElementById("reference")?.replaceChildren(explorer);
}
