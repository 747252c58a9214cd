import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readContract } from "./api/image.ts";
import { openApi, openApiPage } from "./api/openapi.ts";
import { apiPages } from "./api/pages.ts";
import { clientReasons } from "./client-reasons.ts";
import { configurationPage, serviceSettings } from "./configuration.ts";
import { errorsPage, reasonTables } from "./errors.ts";
import { withModulePicture } from "./modules.ts";

const DOCS = path.resolve(import.meta.dirname, "../../docs");
const ARCHITECTURE = path.join(DOCS, "ARCHITECTURE.md");

// What `npm run docs` runs: everything on our pages that is drawn from the code.
const tables = await reasonTables();
const contract = await readContract();
writeFileSync(path.join(DOCS, "errors.md"), errorsPage(tables, contract));
writeFileSync(path.join(DOCS, "configuration.md"), configurationPage(await serviceSettings()));
writeFileSync(path.join(DOCS, "../client/reasons.ts"), clientReasons(tables));
writeFileSync(ARCHITECTURE, await withModulePicture(readFileSync(ARCHITECTURE, "utf8")));

// Written only when all of it could be made; a package that is gone leaves no page behind.
const API = path.join(DOCS, "api");
const pages = [
  ...apiPages(contract, tables),
  { name: "openapi.yaml", text: openApiPage(openApi(contract, tables)) },
];
rmSync(API, { recursive: true, force: true });
mkdirSync(API);
for (const { name, text } of pages) writeFileSync(path.join(API, name), text);
