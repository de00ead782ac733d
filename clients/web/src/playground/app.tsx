// The playground: choose a document, then watch it being read.
import { useEffect, useRef, useState } from "preact/hooks";
import type { GetCapabilitiesResponse } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { onSessionChange, person } from "../session/session.ts";
import { type Problem, problemOf } from "../shared/errors.ts";
import { keepFile, takeKeptFile } from "./kept-file.ts";
import { Options } from "./options.tsx";
import { useReader } from "./reader.ts";
import { Result } from "./result.tsx";
import { Start } from "./start.tsx";
import { capabilities } from "./streams.ts";
import { NO_WISHES } from "./wishes.ts";
import { bytes } from "./words.ts";

/** Where one signs in, and comes back from. */
const SIGN_IN = "/account#login?next=/playground";

export function App() {
  const [abilities, setAbilities] = useState<GetCapabilitiesResponse | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [refused, setRefused] = useState("");
  const [wishes, setWishes] = useState(NO_WISHES);
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState(person()?.name ?? "");
  const reader = useReader();
  const hadRun = useRef(false);
  const fileInput = useRef<HTMLInputElement>(null);

  const ask = () => {
    setProblem(null);
    capabilities().then(setAbilities, (error) => setProblem(problemOf(error)));
  };
  useEffect(ask, []);
  useEffect(() => onSessionChange(() => setName(person()?.name ?? "")), []);
  useEffect(() => {
    void takeKeptFile().then((kept) => kept && setFile((chosen) => chosen ?? kept));
  }, []);

  const mustSignIn = abilities?.authRequired === true && !name;
  const read = (chosen: File, wanted = wishes) => {
    setFile(chosen);
    setWishes(wanted);
    const limits = abilities?.limits;
    if (!limits || mustSignIn) return;
    if (BigInt(chosen.size) > limits.maxDocumentBytes) {
      setRefused(
        `${chosen.name} has ${bytes(chosen.size)}; this server reads up to ${bytes(Number(limits.maxDocumentBytes))}.`,
      );
      return;
    }
    setRefused("");
    reader.start(chosen, wanted, Number(limits.maxInlineBytes));
  };
  useFilesFromAnywhere(read);

  // Back from a result, the focus goes to where a file is chosen, not to the top of the page.
  useEffect(() => {
    if (!reader.run && hadRun.current) fileInput.current?.focus();
    hadRun.current = reader.run !== null;
  }, [reader.run]);

  const options = <Options abilities={abilities} wishes={wishes} change={setWishes} />;
  if (reader.run) {
    return (
      <Result
        key={reader.run.reading}
        run={reader.run}
        reader={reader}
        wishes={wishes}
        signIn={SIGN_IN}
        options={options}
        again={(wanted) => reader.run && read(reader.run.file, wanted)}
        close={() => {
          setFile(null);
          reader.clear();
        }}
      />
    );
  }
  return (
    <Start fileInput={fileInput} choose={read} busy={!abilities}>
      {problem && (
        <div class="notice bad" role="alert">
          <p>{problem.sentence}</p>
          <button class="button slim" type="button" onClick={ask}>
            Try again
          </button>
        </div>
      )}
      {refused && (
        <p class="notice bad" role="alert">
          {refused}
        </p>
      )}
      {mustSignIn && (
        <div class="notice" role="status">
          <p>
            This server reads documents for people it knows.{" "}
            {file ? (
              <>
                <strong>{file.name}</strong> waits here while you sign in.
              </>
            ) : (
              "Please sign in first; it takes a moment."
            )}
          </p>
          <a
            class="button primary slim"
            href={SIGN_IN}
            onClick={async (event) => {
              if (!file) return;
              event.preventDefault();
              await keepFile(file);
              window.location.assign(SIGN_IN);
            }}
          >
            Sign in
          </a>
        </div>
      )}
      {file && !mustSignIn && !refused && (
        <div class="notice">
          <p>
            <strong>{file.name}</strong> is still here.
          </p>
          <button
            class="button primary slim"
            type="button"
            disabled={!abilities}
            onClick={() => read(file)}
          >
            Read it
          </button>
        </div>
      )}
      {options}
    </Start>
  );
}

/** Takes files that are dropped or pasted anywhere on the page. */
function useFilesFromAnywhere(take: (file: File) => void): void {
  const taker = useRef(take);
  taker.current = take;
  useEffect(() => {
    const root = document.documentElement;
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      root.dataset.dropping = "";
    };
    const done = () => delete root.dataset.dropping;
    const out = (event: DragEvent) => event.relatedTarget === null && done();
    const drop = (event: DragEvent) => {
      done();
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      takeFirst(event.dataTransfer);
    };
    const paste = (event: ClipboardEvent) => takeFirst(event.clipboardData);
    const takeFirst = (from: DataTransfer | null) => {
      const [first] = from?.files ?? [];
      if (first) taker.current(first);
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", out);
    window.addEventListener("drop", drop);
    window.addEventListener("paste", paste);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", out);
      window.removeEventListener("drop", drop);
      window.removeEventListener("paste", paste);
    };
  }, []);
}
