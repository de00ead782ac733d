// A secret that is shown once.
import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";

interface SecretProps {
  readonly title: string;
  readonly label: string;
  readonly secret: string;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** Shows a secret with a button that copies it. It is only in this element, and goes with it. */
export function SecretOnce({ title, label, secret, onClose, children }: SecretProps) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState("");
  const copy = async () => {
    field.current?.select();
    const done = await copyText(secret);
    setCopied(done ? "Copied." : "Press Ctrl+C (⌘C on a Mac) to copy it.");
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="notice warn">
        Copy it now and keep it safe: it is shown this once, and the server does not know it any
        more.
      </p>
      <div class="field">
        <label for={id}>{label}</label>
        <div class="secret">
          <input
            id={id}
            ref={field}
            value={secret}
            readOnly
            spellcheck={false}
            autocomplete="off"
            onFocus={(event) => event.currentTarget.select()}
          />
          <button class="button primary" type="button" onClick={copy}>
            Copy
          </button>
        </div>
        <span class="hint" role="status">
          {copied}
        </span>
      </div>
      {children}
      <div class="buttons">
        <button class="button" type="button" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

/** Returns whether it worked. Browsers give pages without HTTPS no clipboard. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
