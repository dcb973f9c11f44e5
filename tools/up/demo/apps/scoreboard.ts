// A game's scoreboard, kept where its players are. GET shows the best ten; POST {"player":"…","points":n} adds a score.
interface Score {
  player: string;
  points: number;
}

const KEPT = 10;
const MAX_NAME = 40;
const scores: Score[] = [];
const who = { app: Deno.env.get("ARCHIPELAGO_APP"), cloudlet: Deno.env.get("ARCHIPELAGO_CLOUDLET") };

/** Pages of all origins may play. */
const headers = { "access-control-allow-origin": "*" };

function parseScore(body: unknown): Score | undefined {
  const { player, points } = (body ?? {}) as Partial<Score>;
  if (typeof player !== "string" || player === "" || player.length > MAX_NAME) return undefined;
  return typeof points === "number" && Number.isFinite(points) ? { player, points } : undefined;
}

async function answer(request: Request): Promise<Response> {
  if (request.method === "GET") return Response.json({ ...who, scores }, { headers });
  if (request.method !== "POST") return Response.json({ error: "GET or POST" }, { status: 405 });
  const score = parseScore(await request.json().catch(() => undefined));
  if (score === undefined) return Response.json({ error: 'expected {"player":"…","points":n}' }, { status: 400 });
  scores.push(score);
  scores.sort((a, b) => b.points - a.points);
  scores.length = Math.min(scores.length, KEPT);
  return Response.json({ ...who, rank: scores.indexOf(score) + 1 }, { headers });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT")), onListen() {} }, answer);
