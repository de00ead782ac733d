// Completes dist: the service config for those who call by another library, and a command that runs.
import { chmodSync, copyFileSync } from "node:fs";

const here = (path) => new URL(`../${path}`, import.meta.url);
copyFileSync(here("src/gen/service_config.json"), here("dist/service_config.json"));
chmodSync(here("dist/node/ocr-extract.js"), 0o755);
