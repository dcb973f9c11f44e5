import { MAX_PAGE_OBJECTS } from "../../../../shared/schema/mod.ts";
import { fullPath, type Route } from "../http/route.ts";
import { type RegionMethod, regionMethods } from "../region/methods.ts";
import { SchemaCollector } from "./schema.ts";

/** The OpenAPI 3.1 description of the API: regional calls in full from the schema, the others by path and purpose. */
export function openApiDocument(routes: readonly Route[], version: string): Record<string, unknown> {
  const schemas = new SchemaCollector();
  const paths = Object.fromEntries(routes.map((route) => [fullPath(route), { post: operation(route, schemas) }]));
  return {
    openapi: "3.1.0",
    info: { title: "Archipelago master controller", version },
    paths,
    components: {
      schemas: schemas.all(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        cookie: { type: "apiKey", in: "cookie", name: "token" },
      },
    },
  };
}

function operation(route: Route, schemas: SchemaCollector): Record<string, unknown> {
  const target = regionMethods.get(route.path.replace(/^ctrl\//, ""));
  const request = target === undefined ? { type: "object" } : {
    type: "object",
    required: ["region"],
    properties: {
      region: { type: "string" },
      [target.wrapperKey]: schemas.reference(target.method.input),
      ...optionsOf(target),
    },
  };
  const reply = target === undefined ? {} : schemas.reference(target.method.output);
  const streamed = target?.method.responseStream === true;
  const content = streamed
    ? { "application/json": { schema: { type: "object", properties: { data: reply } } } }
    : { "application/json": { schema: reply } };
  return {
    summary: route.summary,
    tags: [route.path.split("/")[0]],
    ...(!route.open && { security: [{ bearer: [] }, { cookie: [] }] }),
    requestBody: { required: route.emptyBody !== true, content: { "application/json": { schema: request } } },
    responses: {
      "200": { description: streamed ? "One JSON document a line" : "Done", content },
      "400": { description: "Refused; the message names the field and the rule" },
      ...(!route.open && { "401": { description: "Invalid token" }, "403": { description: "Not permitted" } }),
    },
  };
}

/** What a regional call takes beside the message. */
function optionsOf({ isShow, kind, rules }: RegionMethod): Record<string, unknown> {
  if (isShow && kind !== undefined) {
    return {
      limit: {
        type: "integer",
        minimum: 1,
        maximum: MAX_PAGE_OBJECTS,
        description: 'Most objects to answer with; the last line is then {"continue":TOKEN} when there are more.',
      },
      continue: { type: "string", description: "Token of the page before." },
    };
  }
  if (rules.action !== "MANAGE") return {};
  return { dryrun: { type: "boolean", description: "Check everything and tell what would be done; change nothing." } };
}
