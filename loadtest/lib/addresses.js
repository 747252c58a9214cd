// Where the services listen: SETTLE_URL_<NAME>, else `<data-dir>/ports.json` of a running `npm start`, else the
// default ports. k6 opens files only while a script is loaded, so this is read once per VU.

const DEFAULTS = { account: 8001, payment: 8004, reporting: 8005, edge: 8080 };

const ports = readPorts(__ENV.SETTLE_DATA_DIR || import.meta.resolve("../../.data"));

/** `host:port` of a service. */
export function addressOf(service) {
  const url = __ENV[`SETTLE_URL_${service.toUpperCase()}`] || ports[service];
  return (url || `127.0.0.1:${DEFAULTS[service]}`).replace(/^https?:\/\//, "").replace(/\/$/, "");
}

function readPorts(dataDir) {
  const folder = dataDir.replace(/^file:\/\//, "");
  try {
    const root = JSON.parse(open(`${folder}/ports.json`));
    return Object.assign({}, root, root.addresses);
  } catch {
    // No running stack of this data directory: the default ports.
    return {};
  }
}
