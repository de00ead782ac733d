// A document while it is read, and after.

import { Code } from "@connectrpc/connect";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asJson, asMarkdown, asText, save } from "./exports.ts";
import { keepFile } from "./kept-file.ts";
import { LiveRegion } from "./live-region.tsx";
import { PageRow } from "./page-row.tsx";
import { PageStrip } from "./page-strip.tsx";
import type { Reader, Run } from "./reader.ts";
import { aboutDocument, progressSentence } from "./sentences.ts";
import type { Wishes } from "./wishes.ts";

interface Props {
  readonly run: Run;
  readonly reader: Reader;
  readonly wishes: Wishes;
  readonly signIn: string;
  readonly options: ComponentChildren;
  readonly again: (wishes: Wishes) => void;
  readonly close: () => void;
}

export function Result({ run, reader, wishes, signIn, options, again, close }: Props) {
  const { reading, file } = run;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  useEffect(() => window.scrollTo({ top: 0 }), []);
  const ended = reading.ending !== null;
  const sentence = progressSentence(reading, file);
  return (
    <article class="result" aria-labelledby="document-name">
      <div class="result-bar">
        <div class="result-title">
          <h1 id="document-name" ref={title} tabIndex={-1}>
            {file.name}
          </h1>
          <p class="quiet small">{aboutDocument(reading, file)}</p>
        </div>
        <div class="buttons">
          {ended ? (
            <button type="button" class="button slim" onClick={close}>
              New document
            </button>
          ) : (
            <button type="button" class="button danger slim" onClick={reader.cancel}>
              Cancel
            </button>
          )}
        </div>
        <div class="result-progress">
          <progress
            aria-label="Pages read"
            {...(reading.started
              ? { value: reading.endedCount, max: Math.max(reading.started.pageCount, 1) }
              : ended && { value: 0, max: 1 })}
          />
          <p class="small" data-state={reading.ending?.kind ?? "reading"}>
            {sentence}
          </p>
        </div>
        <PageStrip pages={reading.pages} />
      </div>
      <LiveRegion sentence={sentence} urgent={ended} />
      <Trouble run={run} wishes={wishes} signIn={signIn} again={again} />
      {reading.endedCount > 0 && <Keep run={run} />}
      <div class="pages">
        {reading.pages.map((page) => (
          <PageRow key={page.number} page={page} version={page.version} />
        ))}
      </div>
      {ended && (
        <div class="again">
          {options}
          <button type="button" class="button" onClick={() => again(wishes)}>
            Read it again
          </button>
        </div>
      )}
    </article>
  );
}

const downloads = [
  { name: "Text", ending: "txt", type: "text/plain", make: asText },
  { name: "Markdown", ending: "md", type: "text/markdown", make: asMarkdown },
  { name: "JSON", ending: "json", type: "application/json", make: asJson },
] as const;

/** Copies and downloads. */
function Keep({ run: { reading, file } }: { readonly run: Run }) {
  const [copied, setCopied] = useState("");
  const base = file.name.replace(/\.[^.]{1,8}$/, "") || "document";
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(asText(reading).replaceAll("\f", "\n"));
      setCopied("Copied");
    } catch {
      setCopied("The browser did not allow it");
    }
    setTimeout(() => setCopied(""), 2500);
  };
  return (
    <div class="buttons keep">
      <button type="button" class="button slim" onClick={copy}>
        Copy text
      </button>
      {downloads.map(({ name, ending, type, make }) => (
        <button
          key={ending}
          type="button"
          class="button slim"
          aria-label={`Download as ${name}`}
          onClick={() => save(make(reading), `${base}.${ending}`, type)}
        >
          <span aria-hidden="true">↓</span> {name}
        </button>
      ))}
      <span class="small quiet" role="status">
        {copied}
      </span>
    </div>
  );
}

interface TroubleProps {
  readonly run: Run;
  readonly wishes: Wishes;
  readonly signIn: string;
  readonly again: (wishes: Wishes) => void;
}

/** Says what went wrong with the document as a whole, and what can be done about it. */
function Trouble({ run: { reading, file }, wishes, signIn, again }: TroubleProps) {
  const [password, setPassword] = useState("");
  const ending = reading.ending;
  if (ending?.kind !== "failed" && ending?.kind !== "broken") return null;
  const { sentence, reason, code, retrySeconds } = ending.problem;
  const asksPassword = reason === "PASSWORD_REQUIRED" || reason === "PASSWORD_WRONG";
  return (
    <div class="notice bad trouble" role="alert">
      <p>
        {sentence} {reason && <code class="reason">{reason}</code>}
      </p>
      {retrySeconds !== null && <p>Try again in {Math.ceil(retrySeconds)} seconds.</p>}
      {code === Code.Unauthenticated && (
        <a
          class="button slim"
          href={signIn}
          onClick={async (event) => {
            event.preventDefault();
            await keepFile(file);
            window.location.assign(signIn);
          }}
        >
          Sign in; the file waits here
        </a>
      )}
      {asksPassword && (
        <form
          class="buttons"
          onSubmit={(event) => {
            event.preventDefault();
            again({ ...wishes, password });
          }}
        >
          <label for="document-password">Password of the document</label>
          <input
            id="document-password"
            type="password"
            autocomplete="off"
            maxLength={128}
            required
            value={password}
            onInput={({ currentTarget }) => setPassword(currentTarget.value)}
          />
          <button type="submit" class="button primary">
            Open it
          </button>
        </form>
      )}
    </div>
  );
}
