/** A setting of the commands; what the services read is found in the code. */
export interface ToolSetting {
  readonly name: string;
  readonly fallback: string;
  /** Who reads it. */
  readonly tools: string;
  readonly meaning: string;
}

const START = "npm start";
const CLI = "settle";

const setting = (name: string, fallback: string, tools: string, meaning: string): ToolSetting => ({
  name,
  fallback,
  tools,
  meaning,
});

/** In the order of their names; a test compares with what tools/ reads. */
export const TOOL_SETTINGS: readonly ToolSetting[] = [
  setting("MONGODB_URI", "a mongod of its own", START, "MongoDB that runs already; a replica set."),
  setting("SETTLE_ADDRESS", "none", CLI, "One address for every service, such as the edge's."),
  setting("SETTLE_API_KEY", "none", CLI, "API key or token to call with."),
  setting("SETTLE_API_KEY_FILE", "none", CLI, "File with it."),
  setting(
    "SETTLE_DATA_DIR",
    "`.data`",
    `${START}, ${CLI}`,
    "Where everything is stored, and `ports.json` says what listens where.",
  ),
  setting("SETTLE_LAUNCHER_PID", "none", START, "Set by the launcher for the process it starts."),
  setting("SETTLE_NO_DEMO", "0", START, "1: makes no payment; demo accounts are still opened."),
  setting("SETTLE_ONCE", "0", START, "1: ends after the demo payment and the audit."),
  setting(
    "SETTLE_PORT_BASE",
    "the default ports",
    START,
    "First of a row of ports: services, Temporal and mongod follow it.",
  ),
  setting("SETTLE_RESET", "0", START, "1: deletes what is stored, first."),
  setting("SETTLE_SPLIT", "0", START, "1: one process per service."),
  setting(
    "SETTLE_TEST_TIER",
    "none",
    "npm test",
    "Tier of tests: `slow`, `chaos` or `long`; set by `npm run test:<tier>`.",
  ),
  setting("SETTLE_TOOL_GRPCURL", "found or brought", "npm test", "Path of grpcurl."),
  setting("SETTLE_TOOL_K6", "found or brought", "npm test", "Path of k6."),
  setting("SETTLE_TOOL_MONGOD", "found or brought", `${START}, npm test`, "Path of mongod."),
  setting(
    "SETTLE_TOOL_TEMPORAL",
    "found or brought",
    `${START}, npm test`,
    "Path of the Temporal CLI.",
  ),
  setting(
    "SETTLE_TOOL_TEMPORAL_TEST_SERVER",
    "found or brought",
    "npm test",
    "Path of Temporal's test server.",
  ),
  setting(
    "TEMPORAL_ADDRESS",
    "a Temporal of its own",
    START,
    "Temporal that runs already, `host:port`.",
  ),
  setting("TEMPORAL_CLI_PATH", "none", `${START}, npm test`, "As SETTLE_TOOL_TEMPORAL."),
];
