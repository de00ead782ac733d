// The API reference with a form for every call.
import { showReference } from "./reference.ts";

showReference({});
