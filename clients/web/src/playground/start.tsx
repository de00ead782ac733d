// Where a document comes from: a file that is picked, dropped or pasted, or a sample.
import type { ComponentChildren, RefObject } from "preact";
import { useState } from "preact/hooks";

interface Sample {
  readonly name: string;
  readonly title: string;
  readonly about: string;
}

const SAMPLES: readonly Sample[] = [
  { name: "scanned-letters.pdf", title: "Scanned letters", about: "PDF, 3 pages, no text in it" },
  { name: "receipt.jpg", title: "Receipt", about: "Photograph, a little askew" },
  { name: "zweispaltig.png", title: "Two columns", about: "Picture, German, small print" },
  { name: "minutes.docx", title: "Minutes", about: "Word, comes as Markdown" },
];

interface Props {
  readonly fileInput: RefObject<HTMLInputElement | null>;
  readonly choose: (file: File) => void;
  readonly busy: boolean;
  readonly children: ComponentChildren;
}

export function Start({ fileInput, choose, busy, children }: Props) {
  const [lost, setLost] = useState("");
  const take = async ({ name }: Sample) => {
    setLost("");
    try {
      const response = await fetch(`/samples/${name}`);
      if (!response.ok) throw new Error(String(response.status));
      choose(new File([await response.blob()], name));
    } catch {
      setLost("The sample did not arrive. Please try again.");
    }
  };
  return (
    <div class="start">
      <h1>Playground</h1>
      <p class="lead quiet">Drop a document and watch its text appear while it is read.</p>
      <label class="drop">
        <input
          ref={fileInput}
          class="visually-hidden"
          type="file"
          onChange={({ currentTarget }) => {
            const [first] = currentTarget.files ?? [];
            if (first) choose(first);
            currentTarget.value = ""; // so that the same file can be chosen again
          }}
        />
        <svg class="drop-icon" viewBox="0 0 48 48" aria-hidden="true">
          <path d="M14 6h14l8 8v28H14z" />
          <path d="M28 6v8h8" />
          <path class="drop-line" d="M19 22h12M19 28h12M19 34h7" />
        </svg>
        <strong>
          Drop a file here, or <span class="drop-pick">choose one</span>
        </strong>
        <span class="quiet small">
          PDF, scans and photographs, Word, Excel, PowerPoint, EPUB, HTML, text. Pasting works too.
        </span>
      </label>
      {children}
      <section aria-labelledby="samples">
        <h2 id="samples" class="samples-title">
          Or take a sample
        </h2>
        <ul class="samples">
          {SAMPLES.map((sample) => (
            <li key={sample.name}>
              <button
                type="button"
                class="sample"
                disabled={busy}
                data-sample={sample.name}
                onClick={() => take(sample)}
              >
                <strong>{sample.title}</strong>
                <span class="quiet small">{sample.about}</span>
              </button>
            </li>
          ))}
        </ul>
        {lost && (
          <p class="notice bad" role="alert">
            {lost}
          </p>
        )}
        <p class="quiet small">
          The samples are drawn by this project's own scripts; every name and number in them is
          invented.
        </p>
      </section>
    </div>
  );
}
