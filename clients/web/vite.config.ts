import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { cleanOutput, pagesIn, sharedParts } from "./build/pages.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const output = fileURLToPath(new URL("../../ocr_grpc/web/", import.meta.url));

// For `npm run dev`: where a server with its HTTP port runs.
const server = process.env.OCR_HTTP ?? "http://127.0.0.1:8080";

export default defineConfig({
  root: here,
  appType: "mpa",
  cacheDir: ".cache/vite",
  plugins: [sharedParts(here), cleanOutput(["openapi.json", "protos.zip"])],
  build: {
    outDir: output,
    emptyOutDir: false,
    assetsInlineLimit: 0, // `default-src 'self'` lets no data: URL in
    modulePreload: { polyfill: false }, // it would be an inline script
    target: ["chrome123", "edge123", "firefox121", "safari17.5"], // all know light-dark()
    reportCompressedSize: false,
    license: { fileName: "licenses.txt" }, // of the packages that went into the files, as they ask
    rolldownOptions: { input: pagesIn(here) },
  },
  server: {
    proxy: Object.fromEntries(
      ["/v1/", "/ocr_grpc.v1.", "/health", "/openapi.json", "/protos.zip"].map((path) => [
        path,
        server,
      ]),
    ),
  },
  test: { include: ["src/**/*.test.ts"], cache: false },
});
