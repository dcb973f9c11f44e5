// Map arithmetic at the edge: GET /tile?lat=…&lon=…&zoom=… tells the Web Mercator tile that shows the place.
const MAX_LATITUDE = 85.0511;
const MAX_ZOOM = 22;
const who = { app: Deno.env.get("ARCHIPELAGO_APP"), cloudlet: Deno.env.get("ARCHIPELAGO_CLOUDLET") };

function tileOf(latitude: number, longitude: number, zoom: number): { x: number; y: number; zoom: number } {
  const side = 2 ** zoom;
  const phi = latitude * Math.PI / 180;
  const x = Math.floor((longitude + 180) / 360 * side);
  const y = Math.floor((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2 * side);
  return { x: Math.min(x, side - 1), y: Math.min(Math.max(y, 0), side - 1), zoom };
}

function answer(request: Request): Response {
  const url = new URL(request.url);
  if (url.pathname !== "/tile") return Response.json({ ...who, usage: "/tile?lat=48.14&lon=11.58&zoom=12" });
  const [latitude, longitude, zoom] = ["lat", "lon", "zoom"].map((name) => Number(url.searchParams.get(name) ?? NaN));
  const valid = Math.abs(latitude!) <= MAX_LATITUDE && Math.abs(longitude!) <= 180 && Number.isInteger(zoom) &&
    zoom! >= 0 && zoom! <= MAX_ZOOM;
  if (!valid) return Response.json({ error: `lat ±${MAX_LATITUDE}, lon ±180, zoom 0…${MAX_ZOOM}` }, { status: 400 });
  return Response.json({ ...who, tile: tileOf(latitude!, longitude!, zoom!) });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT")), onListen() {} }, answer);
