// The API reference for reading: no forms, nothing to sign in to.
import { showReference } from "./reference.ts";

showReference({
  "hide-console": "true",
  "hide-authentication": "true",
  "schema-expand-level": "2",
});
