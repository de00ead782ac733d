// What the landing page does beyond standing there: tabs, this server's address, its plans.
import "./landing.css";
import { showPlans } from "./plans.ts";
import { setUpTabs } from "./tabs.ts";

for (const origin of document.querySelectorAll("[data-origin]")) {
  origin.textContent = window.location.origin;
}
for (const group of document.querySelectorAll<HTMLElement>("[data-tabs]")) setUpTabs(group);

const plans = document.querySelector<HTMLElement>("[data-plans]");
if (plans) void showPlans(plans);
