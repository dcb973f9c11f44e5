// Back-end of the end-to-end tests: tells who answers, over HTTP on the port that the platform gives it.
console.log(`echo begins in ${Deno.env.get("ARCHIPELAGO_CLOUDLET")}`);
Deno.serve(
  { hostname: "127.0.0.1", port: Number(Deno.env.get("PORT")), onListen() {} },
  (request) =>
    Response.json({
      cloudlet: Deno.env.get("ARCHIPELAGO_CLOUDLET"),
      app: Deno.env.get("ARCHIPELAGO_APP"),
      path: new URL(request.url).pathname,
      pid: Deno.pid,
    }),
);
