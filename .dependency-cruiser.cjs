// Which room may import which. Every rule names one room and the only things it may import; docs/ARCHITECTURE.md
// tells why. test/contract/imports.test.ts plants one violation of each rule under test/fixtures/imports.

const PURE = "^services/kit/pure/";
const KIT = "^services/kit/";
const GEN = "^gen/";
const CONTRACTS = "^services/[^/]+/contract\\.ts$";
const ANY_ACTIVITIES = "^services/[^/]+/activities/index\\.ts$";
const BUSINESS = "^services/(?!kit/)[^/]+/";

/** A path inside the service that the `from` pattern captured. */
const own = (room) => `^services/$1/${room}`;
const npm = (name) => `node_modules/${name}/`;

/** Forbids everything that is not allowed, also when it is imported as a type. */
function only(name, comment, from, allowed) {
  return {
    name,
    comment,
    severity: "error",
    from: { path: from },
    to: { pathNot: allowed },
  };
}

/** Forbids what is allowed as a type but not as a value. */
function typesOnly(name, comment, from, to) {
  return {
    name,
    comment,
    severity: "error",
    from: { path: from },
    to: { path: to, dependencyTypesNot: ["type-only"] },
  };
}

/** Tables of currencies and of phone numbers: pure, and nobody should keep their own. */
const AGREED = [npm("dinero.js"), npm("libphonenumber-js")];

const forbidden = [
  only(
    "kit-pure",
    "kit/pure is pure: no Node, and of npm only what the world has agreed on.",
    PURE,
    [PURE, ...AGREED],
  ),
  only(
    "domain-and-reasons",
    "domain and reasons are pure: kit/pure, own domain, own reasons, and what the world has agreed on.",
    "^services/((?!kit/)[^/]+)/(domain/|reasons\\.ts$)",
    [PURE, own("domain/"), own("reasons\\.ts$"), ...AGREED],
  ),
  only(
    "contract",
    "A contract is what peers import: kit/pure, other contracts, define* of Temporal, types of gen and domain.",
    "^services/((?!kit/)[^/]+)/contract\\.ts$",
    [PURE, GEN, own("domain/"), CONTRACTS, npm("@temporalio/workflow")],
  ),
  typesOnly(
    "contract-types-only",
    "A contract is bundled into the workflows of its peers.",
    CONTRACTS,
    [GEN, "^services/[^/]+/domain/"],
  ),
  only(
    "workflows",
    "Workflows are replayed: only deterministic code may be in their bundle.",
    "^services/((?!kit/)[^/]+)/workflows/",
    [
      PURE,
      "^services/kit/workflow/",
      own("(workflows|domain)/"),
      own("reasons\\.ts$"),
      CONTRACTS,
      GEN,
      npm("@temporalio/workflow"),
      npm("@temporalio/common"),
    ],
  ),
  only(
    "kit-workflow",
    "kit/workflow is bundled into every saga: kit/pure and Temporal only.",
    "^services/kit/workflow/",
    [PURE, "^services/kit/workflow/", npm("@temporalio/workflow"), npm("@temporalio/common")],
  ),
  typesOnly(
    "workflows-types-only",
    "The bundle has no protobuf, and Temporal's common package by @temporalio/workflow, which lacks one class.",
    "^services/[^/]+/workflows?/(?!failure-converter\\.ts$)",
    [GEN, npm("@temporalio/common")],
  ),
  only(
    "application",
    "application decides over its own domain; it knows no transport and no driver.",
    "^services/((?!kit/)[^/]+)/application/",
    [
      KIT,
      own("(application|domain|store)/"),
      own("(reasons|contract|config)\\.ts$"),
      CONTRACTS,
      "^(node:)?(crypto|timers/promises)$",
    ],
  ),
  typesOnly(
    "application-store-as-interface",
    "application is handed its store, so that a decision can be read without MongoDB.",
    "^services/((?!kit/)[^/]+)/application/",
    own("store/"),
  ),
  {
    name: "application-no-transport",
    comment: "application can be called without a server: kit/rpc belongs to rpc and activities.",
    severity: "error",
    from: { path: "^services/(?!kit/)[^/]+/application/" },
    to: { path: "^services/kit/rpc/" },
  },
  only(
    "store",
    "store is the only room that sees BSON: own domain, kit without transport and Temporal, the driver.",
    "^services/((?!kit/)[^/]+)/store/",
    [
      "^services/kit/(pure|mongo|idempotency|list)/",
      "^services/kit/[^/]+\\.ts$",
      own("(store|domain|application)/"),
      own("reasons\\.ts$"),
      npm("mongodb"),
      npm("bson"),
      "^(node:)?(crypto|timers/promises)$",
    ],
  ),
  typesOnly(
    "store-fulfils-an-interface",
    "store may name the interface application wants of it, and calls nothing there.",
    "^services/((?!kit/)[^/]+)/store/",
    own("application/"),
  ),
  only(
    "activities",
    "Activities reach a peer by gRPC; their own service's application comes through deps.",
    "^services/((?!kit/)[^/]+)/activities/",
    [
      "^services/kit/(pure|rpc|temporal)/",
      "^services/kit/[^/]+\\.ts$",
      own("(activities|domain|application)/"),
      own("reasons\\.ts$"),
      CONTRACTS,
      GEN,
      npm("@bufbuild/protobuf"),
      npm("@connectrpc/connect"),
      npm("@temporalio/activity"),
      npm("@temporalio/common"),
    ],
  ),
  typesOnly(
    "activities-application-by-deps",
    "A worker of another service may register these activities; it must not bring the owner's application.",
    "^services/((?!kit/)[^/]+)/activities/",
    own("application/"),
  ),
  only(
    "rpc",
    "rpc validates, maps and calls application; never the store, never Temporal.",
    "^services/((?!kit/)[^/]+)/rpc/",
    [
      "^services/kit/(pure|rpc|idempotency)/",
      "^services/kit/[^/]+\\.ts$",
      own("(rpc|application|domain)/"),
      own("(reasons|contract|config)\\.ts$"),
      GEN,
      npm("@bufbuild/protobuf"),
      npm("@connectrpc/connect"),
      "^(node:)?(crypto|http|http2)$",
    ],
  ),
  {
    name: "service-to-service",
    comment:
      "Another service is reached by gRPC; only its contract and its activities may be imported.",
    severity: "error",
    from: { path: "^services/((?!kit/)[^/]+)/" },
    to: { path: BUSINESS, pathNot: [own(""), CONTRACTS, ANY_ACTIVITIES] },
  },
  {
    name: "activities-index-from-service",
    comment: "Only a composition root may take another service's activities.",
    severity: "error",
    from: { path: "^services/((?!kit/)[^/]+)/", pathNot: "/service\\.ts$" },
    to: { path: ANY_ACTIVITIES, pathNot: own("") },
  },
  only(
    "config-and-main",
    "config.ts and main.ts are the same few lines everywhere.",
    "^services/((?!kit/)[^/]+)/(config|main)\\.ts$",
    [KIT, own("(config|contract|service)\\.ts$"), own("domain/"), own("reasons\\.ts$")],
  ),
  {
    name: "kit-knows-no-service",
    comment: "kit carries no business word: no service and no business contract.",
    severity: "error",
    from: { path: KIT },
    to: { path: [BUSINESS, "^gen/(?!auth/|common/|grpc/|google/|buf/)"] },
  },
  {
    name: "driver-in-store",
    comment: "BSON stays in store; a composition root may name the driver's types only.",
    severity: "error",
    from: { path: BUSINESS, pathNot: "^services/[^/]+/store/" },
    to: { path: npm("(mongodb|bson)"), dependencyTypesNot: ["type-only"] },
  },
  {
    name: "temporal-in-its-rooms",
    comment:
      "Temporal is seen by kit, workflows, activities, contracts and service.ts; others get an interface.",
    severity: "error",
    from: {
      path: BUSINESS,
      pathNot: ["/(workflows|activities)/", "/(service|contract)\\.ts$"],
    },
    to: { path: npm("@temporalio/[^/]+") },
  },
  {
    name: "services-run-alone",
    comment: "A service needs no tool, no test and no load test to run.",
    severity: "error",
    from: { path: ["^services/", GEN] },
    to: { path: "^(tools|test|loadtest)/" },
  },
  {
    name: "gen-is-a-leaf",
    comment: "Generated code imports protobuf and itself.",
    severity: "error",
    from: { path: GEN },
    to: { pathNot: [GEN, npm("@bufbuild/protobuf")] },
  },
  {
    name: "tools-see-the-public-side",
    comment: "Tools start services and call them; rooms stay closed.",
    severity: "error",
    from: { path: "^tools/" },
    to: {
      path: BUSINESS,
      pathNot: "^services/[^/]+/(service|config|contract|reasons|main)\\.ts$",
    },
  },
  {
    name: "cli-calls-rpc",
    comment: "The CLI is a client: contracts and public RPC only.",
    severity: "error",
    from: { path: "^tools/cli/" },
    to: { path: BUSINESS, pathNot: "^services/[^/]+/reasons\\.ts$" },
  },
  {
    name: "tools-take-no-tests",
    comment: "Tools run on a machine without test code.",
    severity: "error",
    from: { path: "^tools/" },
    to: { path: "^test/" },
  },
  only(
    "client",
    "Who takes the client gets no service with it: generated code, protobuf and Connect only.",
    "^client/",
    [
      "^client/",
      GEN,
      npm("@bufbuild/protobuf"),
      npm("@connectrpc/connect(-node|-web)?"),
      "^(node:)?(http|https)$",
    ],
  ),
  {
    name: "client-in-browsers",
    comment: "Only one file of the client knows Node; the entry for browsers never gets there.",
    severity: "error",
    from: { path: "^client/", pathNot: "^client/(transport|index)\\.ts$" },
    to: { path: ["^client/transport\\.ts$", npm("@connectrpc/connect-node"), "^(node:)?https?$"] },
  },
  only("loadtest", "k6 scripts import k6 and each other.", "^loadtest/", [
    "^loadtest/",
    "^k6(/|$)",
  ]),
  {
    name: "no-cycles",
    comment: "A cycle has no reading order.",
    severity: "error",
    from: { path: "^(services|client|tools)/" },
    to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
  },
  {
    name: "no-dev-dependencies",
    comment: "The image is installed without dev dependencies.",
    severity: "error",
    from: { path: "^(services|client)/" },
    to: {
      dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
      dependencyTypesNot: ["type-only"],
    },
  },
  {
    name: "resolves",
    comment: "An import that resolves to nothing escapes every other rule.",
    severity: "error",
    from: { path: "^(services|client|tools|gen)/" },
    to: { couldNotResolve: true },
  },
];

module.exports = {
  forbidden,
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      conditionNames: ["import", "node", "default", "types"],
      exportsFields: ["exports"],
    },
  },
};
