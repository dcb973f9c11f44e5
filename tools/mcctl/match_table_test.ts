import assert from "node:assert/strict";
import { MatchCandidate, MatchVerdict, toJson } from "../../shared/schema/mod.ts";
import { tableText } from "./output/table.ts";

Deno.test("dme explain: the table says who wins and why, and fits a terminal", () => {
  const rows = [
    { verdict: MatchVerdict.WINS, rank: 1, carrier: "northwind", distanceKm: 54.321, reason: "the nearest" },
    {
      verdict: MatchVerdict.LOSES,
      rank: 2,
      carrier: "azure",
      distanceKm: 612.001,
      padKm: 100,
      reason: "657.680 km behind",
    },
    { verdict: MatchVerdict.EXCLUDED, distanceKm: 12.5, reason: "the cloudlet is under maintenance" },
  ].map((row, index) =>
    toJson(
      MatchCandidate,
      MatchCandidate.create({
        ...row,
        cloudletOrg: "northwind",
        cloudlet: `site-${index}`,
        cluster: "c",
        uri: "u.example",
      }),
    )
  );
  const lines = tableText(rows, MatchCandidate.descriptor).split("\n");
  assert.match(lines[0]!, /^VERDICT +RANK +CLOUDLETORG +CLOUDLET +CARRIER +KM +PADKM +REASON/);
  assert.match(lines[1]!, /^Wins +1 +northwind +site-0 +northwind +54\.321 +the nearest/);
  assert.match(lines[3]!, /^Excluded +northwind +site-2 +12\.5 +the cloudlet is under maintenance/);
  for (const line of lines) assert.ok(line.length <= 132, line);
});
