import { runMain } from "#kit/main.ts";
import { readAccountConfig } from "./config.ts";
import { startAccountService } from "./service.ts";

await runMain(readAccountConfig, startAccountService);
