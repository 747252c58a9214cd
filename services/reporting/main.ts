import { runMain } from "#kit/main.ts";
import { readReportingConfig } from "./config.ts";
import { startReportingService } from "./service.ts";

await runMain(readReportingConfig, startReportingService);
