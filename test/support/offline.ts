/** What installing says on a machine that reaches no registry: then what is to be installed cannot be tried. */
export const OFFLINE =
  /No matching distribution|Could not find a version|dial tcp|no such host|i\/o timeout|connection refused|ENOTFOUND|EAI_AGAIN|ECONNREFUSED/i;
