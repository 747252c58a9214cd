import { runMain } from "#kit/main.ts";
import { readGatewayConfig } from "./config.ts";
import { startGatewayService } from "./service.ts";

await runMain(readGatewayConfig, startGatewayService);
