import { runMain } from "#kit/main.ts";
import { readEdgeConfig } from "./config.ts";
import { startEdgeService } from "./service.ts";

await runMain(readEdgeConfig, startEdgeService);
