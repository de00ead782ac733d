import { render } from "preact";
import { App } from "./app.tsx";
import "./styles/start.css";
import "./styles/result.css";
import "./styles/page.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
