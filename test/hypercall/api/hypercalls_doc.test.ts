// docs/reference/hypercalls.md accounts for every call of rumpuser 17, and says of none what the code does not do.
import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";

const GROUPS: Readonly<Record<string, string>> = {
  "": "init malloc free anonmmap unmap open close getfileinfo bio iovread iovwrite syncfd getparam seterrno kill exit putchar dprintf getrandom",
  clock_: "gettime sleep",
  thread_: "create exit join",
  curlwp: "op ",
  mutex_: "init enter enter_nowrap tryenter exit destroy owner",
  rw_: "init enter tryenter tryupgrade downgrade exit destroy held",
  cv_: "init destroy wait wait_nowrap timedwait signal broadcast has_waiters",
  dl_: "bootstrap",
  daemonize_: "begin done",
  sp_: "init copyin copyinstr copyout copyoutstr anonmmap raise fini",
};
const RUMPUSER = Object.entries(GROUPS).flatMap(([group, calls]) =>
  calls.split(" ").map((call) => `rumpuser_${group}${call}`),
);

const page = readFileSync("docs/reference/hypercalls.md", "utf8");

/** Cells of the rows of the table below a heading. */
function rows(heading: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim().replaceAll("`", ""))
        .slice(1, -1),
    );
}

/** Calls that the interfaces of hypercall/api declare. */
function declared(): Set<string> {
  const files = readdirSync("hypercall/api").filter((file) => file.endsWith(".ts"));
  const text = files.map((file) => readFileSync(`hypercall/api/${file}`, "utf8")).join("\n");
  return new Set([...text.matchAll(/^ {2}(rumpuser_[a-z_]+)\(/gm)].map((match) => match[1] ?? ""));
}

describe("docs/reference/hypercalls.md", () => {
  const table = new Map(rows("The 60").map(([call, fate, why]) => [call, { fate, why }]));

  it("has a row for each of rumpuser's 60 calls, and only for them", () => {
    expect(RUMPUSER.length).to.equal(60);
    expect(rows("The 60").map(([call]) => call)).to.have.members(RUMPUSER);
  });

  it("says kept or changed of what hypercall/api declares, left out of what it does not, and gives a reason unless it is kept", () => {
    const calls = declared();
    for (const [call, { fate, why }] of table) {
      expect(fate, call).to.be.oneOf(["kept", "changed", "left out"]);
      expect(calls.has(call ?? ""), `${call} is ${fate}`).to.equal(fate !== "left out");
      if (fate !== "kept") expect(why?.length, call).to.be.above(5);
      for (const other of why?.matchAll(/rumpuser_[a-z_]+/g) ?? [])
        expect(calls.has(other[0]) || table.has(other[0]), other[0]).to.equal(true);
    }
  });

  it("lists as new exactly what hypercall/api adds", () => {
    const added = [...declared()].filter((call) => !table.has(call));
    expect(rows("New").map(([call]) => call)).to.have.members(added);
  });
});
