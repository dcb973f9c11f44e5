import assert from "node:assert/strict";
import { Metadata, Status } from "../../../../shared/rpc/mod.ts";
import { continueToken, Flavor, FlavorKind, RequestOption } from "../../../../shared/schema/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, flavor, World } from "./world.ts";

/** Rules about shows in pages. */
export const pagingCases: ApiCase[] = [
  {
    name: "pages hold what there is once, in order, while objects come and go",
    async run(store) {
      await using world = await World.start({ store });
      const { flavors } = world.api;
      for (const name of ["d", "b", "e", "a", "c"]) await flavors.createFlavor(flavor(name));
      const page = async (limit: number, continueAt?: string, example = Flavor.create()) => {
        const metadata: Record<string, string> = { [RequestOption.limit]: `${limit}` };
        if (continueAt !== undefined) metadata[RequestOption.continueAt] = continueAt;
        let trailers = new Metadata();
        const shown = await all(
          flavors.showFlavor(example, { metadata, onTrailers: (given) => void (trailers = given) }),
        );
        return { names: shown.map(({ key }) => key.name), next: trailers.get(RequestOption.continueAt) };
      };
      const first = await page(2);
      assert.deepEqual(first.names, ["a", "b"]);
      // What the token names may be gone, what comes before it does not matter any more.
      await flavors.deleteFlavor(flavor("b"));
      await flavors.createFlavor(flavor("aa"));
      await flavors.createFlavor(flavor("cc"));
      const second = await page(2, first.next);
      assert.deepEqual(second.names, ["c", "cc"]);
      assert.deepEqual(await page(2, second.next), { names: ["d", "e"], next: undefined });
      assert.deepEqual(await page(10), { names: ["a", "aa", "c", "cc", "d", "e"], next: undefined });
      assert.deepEqual(await page(1, continueToken(FlavorKind.keyString({ name: "cc" })), flavor("e")), {
        names: ["e"],
        next: undefined,
      });
    },
  },
  {
    name: "page options that are none are refused together",
    async run(store) {
      await using world = await World.start({ store });
      for (const limit of ["0", "10001", "-1", "x"]) {
        const metadata = { [RequestOption.limit]: limit, [RequestOption.continueAt]: "!" };
        const error = await refused(
          all(world.api.flavors.showFlavor(Flavor.create(), { metadata })),
          Status.INVALID_ARGUMENT,
          /limit.*from 1 to 10000/,
        );
        assert.match(error.message, /continue.*page before/);
      }
    },
  },
];
