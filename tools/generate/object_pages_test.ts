import assert from "node:assert/strict";
import { objectPages } from "./object_pages.ts";

Deno.test("every object that people deal with has a page, and every link leads to one", () => {
  const pages = new Map(objectPages().map(({ path, text }) => [path, text]));
  for (const name of ["app", "app_inst", "cloudlet", "cluster_inst", "flavor", "settings"]) {
    assert.ok(pages.has(`${name}.md`), name);
  }
  for (const [path, text] of pages) {
    for (const [, target] of text.matchAll(/\]\(([^)]+)\)/g)) {
      assert.ok(pages.has(target!), `${path} links to ${target}`);
    }
    if (path !== "README.md") assert.match(text, /## Fields\n[^]*\| `[^`]+` \| \d+ \|[^]*## Calls\n[^]*\| Show/, path);
  }
});

Deno.test("a page tells who sets a field, what an object refers to and which command makes it", () => {
  const app = objectPages().find(({ path }) => path === "app.md")!.text;
  assert.match(app, /\| `key\.organization` \| 1 \| string \| key \|/);
  assert.match(app, /\| `default_flavor\.name` \| 1 \| string \| creation, update/);
  assert.match(app, /\| `created_at` \| 35 \| time \| the platform \|/);
  assert.match(app, /Refers to \[Flavor\]\(flavor\.md\) at `default_flavor`/);
  assert.match(app, /\| CreateApp \| `mcctl app create` \| apps manage \|/);
});
