import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { errorsPage, reasonTables } from "./errors.ts";
import { withModulePicture } from "./modules.ts";

const DOCS = path.resolve(import.meta.dirname, "../../docs");
const ARCHITECTURE = path.join(DOCS, "ARCHITECTURE.md");

// What `npm run docs` runs: everything on our pages that is drawn from the code.
writeFileSync(path.join(DOCS, "errors.md"), errorsPage(await reasonTables()));
writeFileSync(ARCHITECTURE, await withModulePicture(readFileSync(ARCHITECTURE, "utf8")));
