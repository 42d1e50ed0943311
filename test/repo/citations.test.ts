// RFC citations have one form, `RFC 9293 §3.10.7.4`, so that a search finds them all.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { filesBelow, ROOT, SOURCE_FOLDERS, sources } from "./source_tree.ts";

/** Ways to cite that the form excludes. (Lower-case rfc1323 without a space is a sysctl's name.) */
const WRONG: readonly RegExp[] = [
  /\bRFC-?\d{3,5}\b/,
  /\brfc\s\d{3,5}\b/,
  /\bRFC {2,}\d/,
  /\bRFC \d{3,5},? ?\(?(section|sec\.|sect\.|s\.|chapter|ch\.)/i,
  /\bRFC \d{3,5},? ?§ /,
  /\bRFC \d{3,5}(, ?|\()§/,
  /§ ?[\d.]+ of RFC/,
];

describe("RFC citations", () => {
  it("have the form RFC <number> §<section>", () => {
    const documents = SOURCE_FOLDERS.flatMap((folder) => filesBelow(folder, (name) => name.endsWith(".md")));
    const texts = [
      ...sources().filter(({ path }) => path !== "test/repo/citations.test.ts"),
      ...documents.map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") })),
    ];
    expect(texts.flatMap(({ path, text }) => wrongCitations(text).map((found) => `${path}:${found}`))).to.deep.equal(
      [],
    );
  });

  it("finds the forms it excludes (the rule itself is tested)", () => {
    for (const bad of [
      "RFC9293",
      "rfc 768",
      "RFC 9293 section 3.1",
      "RFC 9293, Section 3.1",
      "RFC 791 § 3",
      "§3.1 of RFC 791",
    ]) {
      expect(wrongCitations(bad), bad).to.have.length(1);
    }
    for (const good of ["RFC 9293 §3.10.7.4", "RFC 826", "net.inet.tcp.rfc1323", "RFC 5227 §2.1.1, RFC 826"]) {
      expect(wrongCitations(good), good).to.deep.equal([]);
    }
  });
});

function wrongCitations(text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    return WRONG.some((pattern) => pattern.test(line)) ? [`${index + 1}: ${line.trim()}`] : [];
  });
}
