// The account page: signing up and in, keys, usage, and everything about oneself.
import "./parts/parts.css";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Doors } from "./doors.tsx";
import { Home } from "./home.tsx";
import { focusHeading } from "./parts/dialog.tsx";
import { type Gate, useGate } from "./parts/gate.tsx";
import { useRoute } from "./parts/route.ts";
import { LoadState } from "./parts/table.tsx";

/** What mails ask for works whoever is signed in here. */
const OF_MAILS = new Set(["verify", "reset"]);

function AccountPage() {
  const route = useRoute();
  const gate = useGate();
  useFocusOnArrival(gate.at);
  if (gate.at === "loading") return <LoadState loaded={gate.loaded} />;
  if (gate.at === "outside" || OF_MAILS.has(route.name)) {
    const onChange = gate.at === "inside" ? gate.reload : () => {};
    return <Doors route={route} capabilities={gate.capabilities} onChange={onChange} />;
  }
  return <Home route={route} gate={gate} />;
}

/** The form one signed in with is gone then, and the focus would be nowhere. */
function useFocusOnArrival(at: Gate["at"]): void {
  const before = useRef(at);
  useEffect(() => {
    if (before.current === "outside" && at === "inside") focusHeading();
    if (at !== "loading") before.current = at;
  }, [at]);
}

const place = document.getElementById("app");
if (place) render(<AccountPage />, place);
