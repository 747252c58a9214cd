import { lineRule, type Rule } from "./files.ts";

const everywhere = (): boolean => true;

/** No path of the machine it was written on. */
export const machinePaths: Rule = lineRule(
  everywhere,
  new RegExp(`(^|[^\\w.<-])/(${["work", "home/(?!me/)\\w+", "root", "Users/\\w+"].join("|")})/\\w`),
  "machine path",
);

const MIRRORS = [
  "registry[.]npmjs",
  "python[h]osted",
  "artifactory[.]",
  "nexus[.]",
  "proxy[.]golang",
];

/** No package mirror: whoever installs brings their own. */
export const registryHosts: Rule = lineRule(
  everywhere,
  new RegExp(`//[\\w.-]*(${MIRRORS.join("|")})|"resolved": "[h]ttp|^\\s*registry\\s*=`),
  "registry host",
);
