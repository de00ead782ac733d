// What Vite does not do by itself: shared parts of pages, and a clean output folder.
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Returns every page of the folder as an entry of the build, by its name. */
export function pagesIn(folder: string): Record<string, string> {
  const pages = readdirSync(folder).filter((name) => name.endsWith(".html"));
  return Object.fromEntries(pages.sort().map((page) => [page.slice(0, -5), join(folder, page)]));
}

/**
 * Replaces `<!-- part: NAME -->` by the file `src/shared/parts/NAME.html`, so that header and footer
 * are written once and still stand in every page before a script runs.
 */
export function sharedParts(folder: string): Plugin {
  const parts = join(folder, "src", "shared", "parts");
  return {
    name: "shared-parts",
    transformIndexHtml: {
      order: "pre",
      handler: (html) =>
        html.replaceAll(/<!-- part: ([a-z]+) -->/g, (_whole, name: string) =>
          readFileSync(join(parts, `${name}.html`), "utf8").trimEnd(),
        ),
    },
  };
}

/**
 * Empties the output folder before a build, but for the files that `make openapi` puts there.
 * Vite's own `emptyOutDir` knows no exceptions.
 */
export function cleanOutput(kept: readonly string[]): Plugin {
  let folder = "";
  return {
    name: "clean-output",
    apply: "build",
    configResolved({ build }) {
      folder = build.outDir;
      mkdirSync(folder, { recursive: true });
    },
    buildStart() {
      for (const name of readdirSync(folder)) {
        if (!kept.includes(name)) rmSync(join(folder, name), { recursive: true });
      }
    },
  };
}
