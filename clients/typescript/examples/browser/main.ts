// A page that reads documents and shows their text as it comes. It may come from any origin that the
// service's `CORS_ORIGINS` names.
import {
  Assembler,
  type BrowserClient,
  connect,
  type ExtractEvent,
  OcrError,
  PageOutcome,
  type ReadPage,
} from "ocr-grpc-client/browser";

const part = <Kind extends HTMLElement>(id: string) => document.getElementById(id) as Kind;
const service = part<HTMLFormElement>("service");
const chosen = part<HTMLFormElement>("document");
const who = part("who");
const state = part("state");
const pages = part("pages");
const progress = part<HTMLProgressElement>("progress");
const read = part<HTMLButtonElement>("read");
const stop = part<HTMLButtonElement>("stop");
const file = chosen.elements.namedItem("file") as HTMLInputElement;

let client: BrowserClient | undefined;
let reading: AbortController | undefined;

service.addEventListener("submit", async (event) => {
  event.preventDefault();
  who.textContent = "Connecting…";
  try {
    client = await signedIn();
    const { user } = await client.auth.getMe({});
    who.textContent = `Connected as ${user?.userName}.`;
    file.disabled = read.disabled = false;
  } catch (error) {
    who.textContent = sentenceOf(error);
  }
});

chosen.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [document] = file.files ?? [];
  if (!document || !client) return;
  reading = new AbortController();
  read.disabled = true;
  stop.disabled = false;
  state.textContent = "Sending…";
  pages.replaceChildren();
  try {
    await show(client.extract(document, { signal: reading.signal }));
  } catch (error) {
    state.textContent = sentenceOf(error);
  }
  read.disabled = false;
  stop.disabled = true;
});

stop.addEventListener("click", () => reading?.abort());

async function signedIn(): Promise<BrowserClient> {
  const field = (name: string) => String(new FormData(service).get(name) ?? "");
  const apiKey = field("key");
  if (apiKey) return connect(field("address"), { apiKey });
  const anonymous = connect(field("address"));
  if (field("user")) await anonymous.login(field("user"), field("password"));
  return anonymous;
}

async function show(events: AsyncIterable<ExtractEvent>): Promise<void> {
  const assembler = new Assembler();
  progress.value = 0;
  for await (const message of events) {
    assembler.add(message);
    const { event } = message;
    if (event.case === "started") {
      progress.max = event.value.pageCount;
      state.textContent = "Reading…";
    } else if (event.case === "finished") {
      state.textContent = `Done in ${event.value.durationSeconds.toFixed(1)} s.`;
    } else if (event.case && "pageNumber" in event.value) {
      const page = assembler.page(event.value.pageNumber);
      if (page) draw(page);
      if (event.case === "pageFinished") progress.value += 1;
    }
  }
}

function draw(page: ReadPage): void {
  const section = document.getElementById(`page-${page.number}`) ?? newSection(page.number);
  const [note, text] = [section.querySelector("small"), section.querySelector("pre")];
  if (!note || !text) return;
  text.textContent = page.text;
  note.textContent = page.finished ? endOf(page) : "reading…";
}

function endOf({ outcome, reason, finished }: ReadPage): string {
  if (outcome === PageOutcome.OK) return finished?.blank ? "blank" : "";
  return outcome === PageOutcome.DEGRADED ? `degraded: ${reason}` : `could not be read: ${reason}`;
}

function newSection(number: number): HTMLElement {
  const section = document.createElement("section");
  section.id = `page-${number}`;
  section.dataset.number = String(number);
  const title = document.createElement("h2");
  title.append(`Page ${number}`, document.createElement("small"));
  section.append(title, document.createElement("pre"));
  const later = [...pages.children].find(
    (other) => Number((other as HTMLElement).dataset.number) > number,
  );
  pages.insertBefore(section, later ?? null);
  return section;
}

function sentenceOf(error: unknown): string {
  const { message, reason } = OcrError.from(error);
  return reason ? `${message} (${reason})` : message;
}
