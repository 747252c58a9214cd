import { describe, expect, test } from "vitest";
import { HELP, readOptions } from "#tools/devstack/options.ts";

describe("readOptions", () => {
  test("has defaults that ask nothing of a newcomer", () => {
    expect(readOptions([], {})).toEqual({
      dataDir: ".data",
      portBase: undefined,
      split: false,
      reset: false,
      demo: true,
      once: false,
      help: false,
    });
  });

  test("takes every flag, and the variables that mirror them", () => {
    const flags = [
      "--once",
      "--split",
      "--reset",
      "--no-demo",
      "--data-dir",
      "d",
      "--port-base=20000",
    ];
    const env = {
      SETTLE_ONCE: "1",
      SETTLE_SPLIT: "true",
      SETTLE_RESET: "1",
      SETTLE_NO_DEMO: "1",
      SETTLE_DATA_DIR: "d",
      SETTLE_PORT_BASE: "20000",
    };
    expect(readOptions(flags, {})).toEqual(readOptions([], env));
    expect(readOptions(flags, {})).toMatchObject({
      dataDir: "d",
      portBase: 20_000,
      once: true,
      demo: false,
    });
  });

  test("lets a flag win over its variable", () => {
    const env = { SETTLE_DATA_DIR: "variable", SETTLE_PORT_BASE: "30000" };
    const options = readOptions(["--data-dir", "flag", "--port-base", "20000"], env);
    expect(options).toMatchObject({ dataDir: "flag", portBase: 20_000 });
  });

  test.each([
    [["--onec"], {}, "--onec"],
    [["now"], {}, "now"],
    [["--port-base", "80"], {}, "--port-base 80"],
    [["--port-base", "65530"], {}, "--port-base 65530"],
    [["--data-dir", ""], {}, "--data-dir"],
    [[], { SETTLE_ONCE: "yes" }, "SETTLE_ONCE=yes"],
  ])("names what is wrong in %j %j and shows the help", (flags, env, named) => {
    expect(() => readOptions(flags, env)).toThrow(named);
    expect(() => readOptions(flags, env)).toThrow(HELP);
  });
});
