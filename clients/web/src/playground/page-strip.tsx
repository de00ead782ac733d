// One small square a page: how it is, and a way to it.
import type { PageState, ReadPage } from "./reading.ts";

export const STATE_WORDS: Record<PageState, string> = {
  waiting: "waiting",
  reading: "being read",
  draft: "a draft is there, the final reading follows",
  final: "in its final reading",
  ok: "read",
  degraded: "read with less quality",
  failed: "failed",
};

export function PageStrip({ pages }: { readonly pages: readonly ReadPage[] }) {
  if (pages.length < 2) return null;
  return (
    <nav aria-label="Pages of the document" class="strip">
      <ol>
        {pages.map(({ number, state }) => (
          <li key={number}>
            <a
              href={`#page-${number}`}
              data-state={state}
              aria-label={`Page ${number}, ${STATE_WORDS[state]}`}
            >
              {number}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}
