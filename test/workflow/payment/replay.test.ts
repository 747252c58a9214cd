import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type ReplayWorkerOptions, Worker } from "@temporalio/worker";
import { beforeAll, describe, expect, it } from "vitest";
import { workflowBundle } from "#kit/temporal/bundle.ts";
import * as patches from "#services/payment/workflows/versions.ts";

const { UNDO_OPENS_TASK, UNDO_LEAVES_CHILD, UNKNOWN_GOES_ON } = patches;

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

/** What kept each history from replaying, by file. One worker takes them all: a worker for each takes most of a minute. */
async function replayAll(service: "payment" | "fraud"): Promise<Map<string, unknown>> {
  const ours = files.filter((file) => FRAUD.test(file) === (service === "fraud"));
  const histories = ours.map(async (file) => ({ workflowId: file, history: await read(file) }));
  const options = { workflowBundle: await bundleOf(service), replayName: service };
  const errors = new Map<string, unknown>();
  for await (const result of Worker.runReplayHistories(options, await Promise.all(histories)))
    errors.set(result.workflowId, result.error);
  return errors;
}

/** The patches each recorded version knew; a patch that shipped needs a recording that has its marker. */
const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  v1: [],
  v2: [UNDO_OPENS_TASK],
  v3: [UNDO_OPENS_TASK, UNDO_LEAVES_CHILD],
  v4: [UNDO_OPENS_TASK, UNDO_LEAVES_CHILD, UNKNOWN_GOES_ON],
};

const versionOf = (file: string): string => file.split(path.sep)[0] ?? "";

describe("recorded histories", () => {
  it("are of every version, each with the patches it knew and the last with all, so that the replay proves something", async () => {
    const found: Record<string, string[]> = {};
    for (const file of files) {
      const known = found[versionOf(file)] ?? [];
      found[versionOf(file)] = [...new Set([...known, ...patchesOf(await read(file))])].sort();
    }
    const expected = Object.entries(VERSIONS).map(([name, ids]) => [name, [...ids].sort()]);
    expect(found).toEqual(Object.fromEntries(expected));
    expect(found[Object.keys(found).at(-1) ?? ""]).toEqual(Object.values(patches).sort());
  });

  const replayed = new Map<string, unknown>();
  beforeAll(async () => {
    for (const service of ["payment", "fraud"] as const)
      for (const [file, error] of await replayAll(service)) replayed.set(file, error);
  });

  it.each(files)(
    "%s replays on today's code, so that runs in flight survive a deployment",
    (file) => {
      expect(replayed.has(file)).toBe(true);
      expect(replayed.get(file)).toBeUndefined();
    },
  );

  it("has the marker of the first patch in every undo recorded after it, and in none before", async () => {
    const undone = files.filter(
      (file) => /declined|cancelled|hang/.test(file) && file.includes("payment"),
    );
    const marked = await Promise.all(
      undone.map(async (file) => [file, patchesOf(await read(file)).includes(UNDO_OPENS_TASK)]),
    );
    expect(marked).toEqual(
      undone.map((file) => [file, VERSIONS[versionOf(file)]?.includes(UNDO_OPENS_TASK)]),
    );
  });

  it.each(Object.keys(VERSIONS))(
    "refuses a run of %s whose steps are swapped, so that a planted nondeterminism is caught",
    async (version) => {
      const file = path.join(version, "inline.success.payment.json");
      // The recorded run says that its first step was the last one: today's code cannot have made it.
      const planted = changed(await read(file), LOCAL_ACTIVITY, (data) => ({
        ...data,
        activity_type: "payment::settle",
      }));
      await expect(replay(file, planted)).rejects.toThrow(/[Nn]ondeterminism/);
    },
  );

  it("refuses a run with the marker of a patch that the code does not know", async () => {
    const file = path.join("v3", "child.review-cancelled.payment.json");
    const planted = changed(await read(file), PATCH, (data) => ({ ...data, id: "never-shipped" }));
    await expect(replay(file, planted)).rejects.toThrow(/[Nn]ondeterminism/);
  });
});

/** A kind of marker, and where its payload lies. */
type MarkerKind = readonly [markerName: string, detail: string];
const PATCH: MarkerKind = ["core_patch", "patch-data"];
const LOCAL_ACTIVITY: MarkerKind = ["core_local_activity", "data"];

interface Payload {
  data: string;
}

interface RecordedHistory {
  readonly events: readonly {
    readonly markerRecordedEventAttributes?: {
      readonly markerName: string;
      readonly details: Readonly<
        Record<string, { readonly payloads: readonly Payload[] } | undefined>
      >;
    };
  }[];
}

function payloadsOf({ events }: RecordedHistory, [markerName, detail]: MarkerKind): Payload[] {
  return events.flatMap(({ markerRecordedEventAttributes: marker }) => {
    const payload = marker?.details[detail]?.payloads[0];
    return marker?.markerName === markerName && payload ? [payload] : [];
  });
}

function decoded({ data }: Payload): Record<string, unknown> {
  return JSON.parse(Buffer.from(data, "base64").toString());
}

/** Ids of the patches whose markers stand in a history. */
function patchesOf(history: RecordedHistory): string[] {
  return payloadsOf(history, PATCH).map((payload) => String(decoded(payload)["id"]));
}

/** The history with another content of its first marker of a kind. */
function changed(
  history: RecordedHistory,
  kind: MarkerKind,
  change: (data: Record<string, unknown>) => object,
): RecordedHistory {
  const [payload] = payloadsOf(history, kind);
  if (!payload) throw new Error(`no marker ${kind[0]} in the history`);
  payload.data = Buffer.from(JSON.stringify(change(decoded(payload)))).toString("base64");
  return history;
}
