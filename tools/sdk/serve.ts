import { MODULE } from "./build.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Where the files of the example are. */
export interface ExamplePlaces {
  /** Folder of the page. */
  readonly page: string;
  /** The SDK as one module. */
  readonly module: string;
}

/** Answers requests for the example's few files; nothing else of the disk can be asked for. */
export function exampleHandler({ page, module }: ExamplePlaces): (request: Request) => Promise<Response> {
  const files: ReadonlyMap<string, string> = new Map([
    ["/", `${page}/index.html`],
    ["/page.js", `${page}/page.js`],
    ["/page.css", `${page}/page.css`],
    [`/${MODULE}`, module],
  ]);
  return async (request) => {
    const file = files.get(new URL(request.url).pathname);
    if (file === undefined) return new Response("Not found\n", { status: 404 });
    const type = TYPES[file.slice(file.lastIndexOf("."))]!;
    return new Response(await Deno.readFile(file), { headers: { "content-type": type, "cache-control": "no-store" } });
  };
}
