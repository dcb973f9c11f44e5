import assert from "node:assert/strict";
import { deriveDnsRegion } from "../routes/regions.ts";
import { requireValidEmail, requireValidName } from "./names.ts";

Deno.test("requireValidName() keeps the rules of registries and of the role table", () => {
  for (const name of ["a", "Acme", "a.b-c_d", "0", "x".repeat(59)]) requireValidName("Username", name);
  const refused: [string, RegExp][] = [
    [".a", /cannot start with/],
    ["-a", /cannot start with/],
    ["a.", /cannot end with/],
    ["a::b", /cannot contain '::'/],
    ["a&b", /cannot contain '&'/],
    ["a.git", /cannot end with '.git'/],
    ["a.ATOM", /cannot end with '.atom'/],
    ["a-cache", /cannot end with '-cache'/],
    ["a b", /Invalid characters in/],
    ["ä", /Invalid characters in/],
    ["a/b", /Invalid characters in/],
    ["x".repeat(60), /cannot be longer than 59/],
  ];
  for (const [name, message] of refused) assert.throws(() => requireValidName("Username", name), { message }, name);
});

Deno.test("requireValidEmail() takes one plain address", () => {
  for (const email of ["a@b.c", "first.last+tag@sub.example.org"]) requireValidEmail(email);
  for (const email of ["", "a@b", "a b@c.d", "a@b.c,d@e.f", "a@b@c.d", "<a@b.c>", "a@.", `${"x".repeat(250)}@b.cd`]) {
    assert.throws(() => requireValidEmail(email), { message: "Invalid email address" }, email);
  }
});

Deno.test("deriveDnsRegion() makes a DNS label", () => {
  assert.equal(deriveDnsRegion("EU_West"), "eu-west");
  assert.equal(deriveDnsRegion("A_very_long_region"), "a-very-lon");
  assert.equal(deriveDnsRegion("_"), "region");
});
