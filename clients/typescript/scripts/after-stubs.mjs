// Completes src/gen: a module that exports every message of the service, and the service config as
// a module, because not every bundler and browser can import JSON.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const gen = new URL("../src/gen/", import.meta.url);
const config = new URL("../../../protos/ocr_grpc/v1/service_config.json", import.meta.url);

const modules = readdirSync(new URL("ocr_grpc/v1/", gen)).sort();
const exports = modules.map(
  (name) => `export * from "./ocr_grpc/v1/${name.replace(/ts$/, "js")}";`,
);
writeFileSync(new URL("index.ts", gen), `${exports.join("\n")}\n`);

const json = readFileSync(config, "utf8").trimEnd();
writeFileSync(new URL("service_config.json", gen), `${json}\n`);
writeFileSync(new URL("service_config.ts", gen), `export const serviceConfig = ${json};\n`);
