import { runMain } from "#kit/main.ts";
import { readFraudConfig } from "./config.ts";
import { startFraudService } from "./service.ts";

await runMain(readFraudConfig, startFraudService);
