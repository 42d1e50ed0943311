// Who may import whom (docs/ARCHITECTURE.md). The compiler enforces the references; this names the rule that was broken.
const K = "kernel-components";

/** A rule: files under `from` may import only from `to` (their own folder included). */
function layer(name, from, to) {
  const own = from.replace(/^\^/, "").replace(/\/$/, "");
  return {
    name,
    severity: "error",
    comment: `${own} may import only: ${[own, ...to].join(", ")}`,
    from: { path: `^${own}/` },
    to: { couldNotResolve: false, pathNot: [own, ...to].map((folder) => `^${folder}/`) },
  };
}

const WIRE = `${K}/wire`;
const KERN = `${K}/kern`;
const SOCKET = `${K}/socket`;
const NET = `${K}/net`;
const INET = `${K}/inet`;
const API = "hypercall/api";
const SLAB = "hypercall/slab";

/** What is run by its path: tools, tests, benchmarks, examples, the programs of worker threads and child processes. */
const PROGRAMS =
  "^(rumpsys/main[.]ts$|rumpsys/cli/|rumpsys/bootstrap/run|rumpsys/testbed/node_main|rumpsys/worker/kernel_thread|test/.*[.]test[.]ts$|" +
  "test/bench/|test/support/mocha_hooks|docs/examples/)";

module.exports = {
  forbidden: [
    layer("api-imports-nothing", API, []),
    layer("slab", SLAB, [API]),
    layer("sim", "hypercall/sim", [API, SLAB]),
    layer("wire-imports-nothing", WIRE, []),
    layer("kern", KERN, [API]),
    layer("socket", SOCKET, [KERN, API]),
    layer("net", NET, [SOCKET, KERN, WIRE, API]),
    layer("inet", INET, [NET, SOCKET, KERN, WIRE, API]),
    {
      name: "native",
      severity: "error",
      comment: "hypercall/native may import only hypercall/{native,api,slab} and node:",
      from: { path: "^hypercall/native/" },
      to: { couldNotResolve: false, dependencyTypesNot: ["core"], pathNot: `^(hypercall/native|${API}|${SLAB})/` },
    },
    {
      name: "driver-kernel-half",
      severity: "error",
      comment:
        "the kernel half of a driver is pure: kernel-components below inet and hypercall/api, no node:, no host half",
      from: { path: "^drivers/", pathNot: "^drivers/[^/]+/host/" },
      to: {
        couldNotResolve: false,
        pathNot: [`^(${NET}|${KERN}|${WIRE}|${SOCKET}|${API})/`, "^drivers/[^/]+/(?!host/)"],
      },
    },
    {
      name: "driver-host-half",
      severity: "error",
      comment: "the host half of a driver may import its own device, hypercall/{api,slab,native} and node:",
      from: { path: "^drivers/([^/]+)/host/" },
      to: {
        couldNotResolve: false,
        dependencyTypesNot: ["core"],
        pathNot: [`^(${API}|${SLAB}|hypercall/native)/`, "^drivers/$1/"],
      },
    },
    {
      name: "nobody-imports-tests-or-docs",
      severity: "error",
      comment: "only test and docs may import test or docs",
      from: { pathNot: "^(test|docs)/" },
      to: { path: "^(test|docs)/" },
    },
    {
      name: "no-cycle-of-values",
      severity: "error",
      comment:
        "modules that import each other's values. Inside one layer of the kernel it is the protocols' own shape " +
        "(ip_output sends what icmp_error makes, which ip_input asked for) and harmless, since nothing runs on import",
      from: { pathNot: `^${K}/(kern|socket|net|inet)/` },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "dead-file",
      severity: "error",
      comment: "nothing that runs leads to this file: no tool, test, benchmark or example",
      from: { path: PROGRAMS },
      to: { path: "[.](ts|mjs)$", pathNot: PROGRAMS, reachable: false },
    },
    {
      name: "not-resolvable",
      severity: "error",
      comment: "an import that leads nowhere",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)build/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node"],
    },
  },
};
