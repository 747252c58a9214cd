import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type ReplayWorkerOptions, Worker } from "@temporalio/worker";
import { describe, expect, it } from "vitest";
import { workflowBundle } from "#kit/temporal/bundle.ts";

const HISTORIES = fileURLToPath(new URL("../../histories/", import.meta.url));
const FRAUD = /\.fraud\.json$/;

/** A history as the CLI prints it; the replayer takes it as it is. */
async function read(file: string): Promise<RecordedHistory> {
  return JSON.parse(await readFile(path.join(HISTORIES, file), "utf8"));
}

const files = (await readdir(HISTORIES, { recursive: true }))
  .filter((file) => file.endsWith(".json"))
  .sort();

const bundles = new Map<string, Promise<{ codePath: string }>>();

function bundleOf(service: "payment" | "fraud"): Promise<{ codePath: string }> {
  const known = bundles.get(service);
  if (known) return known;
  const url = new URL(`../../../services/${service}/workflows/index.ts`, import.meta.url);
  const bundle = workflowBundle(url.href);
  bundles.set(service, bundle);
  return bundle;
}

async function replay(file: string, history: unknown): Promise<void> {
  const options: ReplayWorkerOptions = {
    workflowBundle: await bundleOf(FRAUD.test(file) ? "fraud" : "payment"),
    replayName: file,
  };
  const workflowId = path.basename(file, ".json");
  await Worker.runReplayHistory(options, history, workflowId);
}

describe("recorded histories", () => {
  it("has runs from before and after the first patch, so that the replay proves something", () => {
    const versions = new Set(files.map((file) => file.split(path.sep)[0]));
    expect([...versions]).toEqual(["v1", "v2"]);
  });

  it.each(files)(
    "%s replays on today's code, so that runs in flight survive a deployment",
    async (file) => {
      await replay(file, await read(file));
    },
  );

  it("has the marker of the first patch in every undo recorded after it, and in none before", async () => {
    const undone = files.filter(
      (file) => /declined|cancelled|hang/.test(file) && file.includes("payment"),
    );
    const marked: boolean[] = [];
    for (const file of undone) {
      const text = JSON.stringify(await read(file));
      marked.push(text.includes("core_patch"));
      expect({ file, marked: text.includes("core_patch") }).toEqual({
        file,
        marked: file.startsWith("v2"),
      });
    }
    expect(new Set(marked)).toEqual(new Set([true, false]));
  });

  it("refuses a history whose steps are swapped, so that a planted nondeterminism is caught", async () => {
    const file = files.find((name) => name.includes("inline.success")) ?? "";
    // The recorded run says that its first step was the last one: today's code cannot have made it.
    const planted = swapFirstMarker(await read(file));
    await expect(replay(file, planted)).rejects.toThrow(/[Nn]ondeterminism/);
  });
});

interface Marker {
  readonly details: Record<string, { readonly payloads: { data: string }[] } | undefined>;
}

interface RecordedHistory {
  readonly events: readonly { readonly markerRecordedEventAttributes?: Marker }[];
}

/** Changes the activity's name in the first marker of a local activity. */
function swapFirstMarker(history: RecordedHistory): RecordedHistory {
  const marker = history.events.find((event) => event.markerRecordedEventAttributes);
  const payload = marker?.markerRecordedEventAttributes?.details["data"]?.payloads[0];
  if (!payload) throw new Error("no local activity marker in the history");
  const data = JSON.parse(Buffer.from(payload.data, "base64").toString());
  const swapped = JSON.stringify({ ...data, activity_type: "payment::settle" });
  payload.data = Buffer.from(swapped).toString("base64");
  return history;
}
