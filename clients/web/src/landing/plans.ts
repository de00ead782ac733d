// What each role may use, as this server says. By plain REST: the page stays small.

interface Plan {
  readonly role: string;
  readonly calls_per_minute: number;
  readonly pages_per_month: number;
  readonly concurrent_streams: number;
}

interface Capabilities {
  readonly plans: readonly Plan[];
  readonly registration: string;
  readonly auth_required: boolean;
}

const ROLE_NAMES: Record<string, string> = { ROLE_USER: "Standard", ROLE_BUSINESS: "Business" };
const WAITS_MS = 10_000;

/** Shows the plans, and how one comes by an account. Without an answer what stands there stays. */
export async function showPlans(place: HTMLElement): Promise<void> {
  try {
    const response = await fetch("/v1/ocr/capabilities", { signal: AbortSignal.timeout(WAITS_MS) });
    if (response.ok) place.replaceChildren(...shown((await response.json()) as Capabilities));
  } catch {
    // The page is complete without it.
  }
}

function shown({ plans, registration, auth_required }: Capabilities): Node[] {
  if (!auth_required) {
    return [paragraph("This server is open: nobody needs an account or a key.")];
  }
  const table = element("table");
  table.append(headOf(["Account", "Pages a month", "Calls a minute", "Documents at a time"]));
  const body = table.createTBody();
  for (const plan of plans.filter(({ role }) => role in ROLE_NAMES)) body.append(rowOf(plan));
  const wrap = element("div");
  wrap.className = "table-wrap";
  wrap.append(table);
  return [wrap, wayIn(registration)];
}

function wayIn(registration: string): Node {
  if (registration === "REGISTRATION_OPEN") {
    return paragraph("Anyone may make an account. ", link("Create yours", "/account"));
  }
  if (registration === "REGISTRATION_INVITE") {
    return paragraph("Accounts are by invitation. ", link("Use your invitation", "/account"));
  }
  return paragraph("Accounts are made by an administrator. ", link("Sign in", "/account"));
}

function headOf(names: readonly string[]): HTMLTableSectionElement {
  const head = document.createElement("thead");
  const row = head.insertRow();
  for (const [index, name] of names.entries()) {
    const cell = element("th");
    cell.scope = "col";
    cell.textContent = name;
    if (index) cell.className = "number";
    row.append(cell);
  }
  return head;
}

function rowOf(plan: Plan): HTMLTableRowElement {
  const row = element("tr");
  const name = element("th");
  name.scope = "row";
  name.textContent = ROLE_NAMES[plan.role] ?? plan.role;
  row.append(name);
  for (const count of [plan.pages_per_month, plan.calls_per_minute, plan.concurrent_streams]) {
    const cell = row.insertCell();
    cell.className = "number";
    cell.textContent = count ? count.toLocaleString("en") : "no limit";
  }
  return row;
}

function paragraph(...parts: (string | Node)[]): HTMLParagraphElement {
  const made = element("p");
  made.append(...parts);
  return made;
}

function link(text: string, href: string): HTMLAnchorElement {
  const made = element("a");
  made.textContent = text;
  made.href = href;
  return made;
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name) {
  return document.createElement(name);
}
