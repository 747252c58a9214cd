import { runMain } from "#kit/main.ts";
import { readNotificationConfig } from "./config.ts";
import { startNotificationService } from "./service.ts";

await runMain(readNotificationConfig, startNotificationService);
