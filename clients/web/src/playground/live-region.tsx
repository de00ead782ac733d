// Tells screen readers how far it is, but not at every line.
import { useEffect, useRef, useState } from "preact/hooks";

const QUIET_MS = 5000;

interface Props {
  readonly sentence: string;
  /** Said at once: the end. */
  readonly urgent: boolean;
}

export function LiveRegion({ sentence, urgent }: Props) {
  const [said, setSaid] = useState("");
  const saidAt = useRef(0);
  useEffect(() => {
    const wait = urgent ? 0 : Math.max(0, saidAt.current + QUIET_MS - Date.now());
    const timer = setTimeout(() => {
      saidAt.current = Date.now();
      setSaid(sentence);
    }, wait);
    return () => clearTimeout(timer);
  }, [sentence, urgent]);
  return (
    <p class="visually-hidden" role="status">
      {said}
    </p>
  );
}
