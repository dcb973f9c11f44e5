// Secrets reach no log, no command line, no environment, no region store and no file that scripts read.
import assert from "node:assert/strict";
import { freePortBase, type Platform, startPlatform } from "./support/platform.ts";
import { processesWith } from "./support/processes.ts";
import { restUser } from "./support/rest.ts";
import { deploy, makeWorld } from "./support/world.ts";

/** Strong enough for the platform's rules, and found nowhere by chance. */
const PASSWORD = "marker-of-a-password-3f9c1d7e";
const MISTYPED = "marker-of-a-mistyped-one-8b2a";

Deno.test("secrets: none leaves the place where it is kept, also at the chattiest log level", async () => {
  const platform = await startPlatform(["--log-level", "debug"]);
  try {
    const secrets = [...await useSecrets(platform), ...await keptSecrets(platform.data)];
    assert.ok(secrets.length >= 7 && secrets.every((secret) => secret.length >= 16));
    assert.deepEqual(await leaks(platform, secrets), []);
  } finally {
    assert.equal((await platform.stop()).code, 0);
  }
});

/** Sends secrets through every door that takes some; gives them, and those that came back. */
async function useSecrets(platform: Platform): Promise<string[]> {
  const world = await makeWorld(platform, freePortBase());
  await deploy(world, "munich");
  world.close();
  const info = platform.info();
  const anonymous = restUser(info);
  try {
    await anonymous.call("usercreate", { name: "mark", email: "mark@example.com", passhash: PASSWORD });
    const wrong = await anonymous.call("login", { username: "mark", password: MISTYPED });
    assert.notEqual(wrong.status, 200);
    await anonymous.call("login", { username: "mark", password: { nested: PASSWORD } });
    const { documents } = await anonymous.call("login", { username: "mark", password: PASSWORD });
    const { token } = documents[0] as { token: string };
    const user = restUser(info, token);
    await user.call("auth/user/newpass", { currentpassword: MISTYPED, password: `${PASSWORD}-2` });
    await user.call("auth/ctrl/ShowApp", { region: "nowhere", app: {}, password: PASSWORD });
    user.close();
    const forged = restUser(info, `${token.slice(0, -4)}AAAA`);
    await forged.call("auth/user/current");
    forged.close();
    const cookie = await registerDevice(info.ca, info.regions.local!.dme.rest);
    return [PASSWORD, MISTYPED, token.split(".")[2]!, cookie.split(".")[2]!];
  } finally {
    anonymous.close();
  }
}

async function registerDevice(ca: string, rest: string): Promise<string> {
  const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(ca)] });
  try {
    const body = JSON.stringify({ org_name: "acme", app_name: "echo", app_vers: "1.0" });
    const response = await fetch(`${rest}/v1/registerclient`, { method: "POST", body, client });
    return (await response.json()).session_cookie;
  } finally {
    client.close();
  }
}

/** What `up` generated: passwords, the key of the secret store, and the body of a private key. */
async function keptSecrets(data: string): Promise<string[]> {
  const read = async (name: string) => (await Deno.readTextFile(`${data}/${name}`)).trim();
  const key = (await read("run/controller-local/tls/key.pem")).split("\n")[1]!;
  return [await read("admin-password"), await read("database-password"), await read("secrets.kek"), key];
}

/** Places that hold a secret and should not. */
async function leaks(platform: Platform, secrets: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const look = (place: string, text: string) => {
    for (const secret of secrets) if (text.includes(secret)) found.push(`${place} holds ${secret.slice(0, 20)}`);
  };
  look("the output of up", platform.output());
  for await (const path of files(platform.data)) {
    const open = /\.(log|json)$|\/store\.db(-wal)?$/.test(path) && !path.endsWith("/demo-users.json");
    if (open) look(path, new TextDecoder("latin1").decode(await Deno.readFile(path)));
  }
  for (const [pid, command] of processesWith(platform.data)) {
    look(`the command line of ${pid}`, command);
    look(`the environment of ${pid}`, await Deno.readTextFile(`/proc/${pid}/environ`).catch(() => ""));
  }
  return found;
}

async function* files(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory && !path.endsWith("/cluster") && !path.endsWith("/program")) yield* files(path);
    else if (entry.isFile) yield path;
  }
}
