// Dialogs: the browser's own, so that focus, Escape and screen readers work as everywhere.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Form } from "./form.tsx";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children?: ComponentChildren;
}

/**
 * A modal dialog, open as long as it is rendered. Its first field gets the focus, and in the end the
 * element that had it before.
 */
export function Dialog({ title, onClose, wide = false, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (!element?.open) element?.showModal();
    element?.querySelector<HTMLElement>("input, select")?.focus();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else focusHeading();
    };
  }, []);
  return (
    <dialog
      class={wide ? "wide" : ""}
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button class="button plain slim" type="button" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </div>
      {children}
    </dialog>
  );
}

/** Puts the focus where reading goes on when the element that had it is gone. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>("main h1")?.focus();
}

interface ConfirmProps {
  readonly title: string;
  readonly action: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, action, onConfirm, onClose, children }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Form submit={action} tone="danger" onSubmit={onConfirm} also={<Cancel onClose={onClose} />}>
        {children}
      </Form>
    </Dialog>
  );
}

/** A button that closes without doing anything. */
export function Cancel({ onClose }: { readonly onClose: () => void }) {
  return (
    <button class="button plain" type="button" onClick={onClose}>
      Cancel
    </button>
  );
}
