// Units by default. What needs root, other programs or a long run has its own folder and runs when it is named on the command line.
const named = process.argv.slice(2).some((argument) => argument.includes("build/test/"));

module.exports = {
  ...(named
    ? {}
    : {
        spec: ["build/test/**/*.test.js"],
        ignore: ["interop", "bench"].map((name) => `build/test/${name}/**`),
      }),
  require: ["build/test/support/mocha_hooks.js"],
  timeout: 10_000,
  forbidOnly: process.env.CI === "true",
  forbidPending: process.env.CI === "true",
};
