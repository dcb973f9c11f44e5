import assert from "node:assert/strict";
import { connectEngine, type Engine } from "../../plugins/docker/engine.ts";
import { freePort, until } from "../../shared/platform/testing/mod.ts";

const SERVER = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netdb.h>
static void end(int signal) { _exit(0); }
static int call(const char *host, const char *port) {
  struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
  if (getaddrinfo(host, port, &hints, &found)) return -1;
  int peer = socket(AF_INET, SOCK_STREAM, 0);
  if (!connect(peer, found->ai_addr, found->ai_addrlen)) return peer;
  close(peer);
  return -1;
}
int main(int count, char **words) {
  signal(SIGTERM, end);
  if (count > 1 && !strcmp(words[1], "print")) {
    for (int i = 2; i < count; i++) printf("%s\\n", words[i]);
    return 0;
  }
  if (count > 1 && !strcmp(words[1], "flood")) for (;;) puts("flood");
  char text[256] = "hello\\n";
  const char *host = 0;
  if (count > 3 && !strcmp(words[1], "relay")) {
    host = words[2];
    /* like an app that needs its database: it dies without it, and is started again */
    int peer = call(host, words[3]);
    if (peer < 0) { fprintf(stderr, "no %s\\n", host); return 3; }
    close(peer);
  } else if (count > 2 && !strcmp(words[1], "count")) {
    FILE *file = fopen(words[2], "a");
    if (!file) return 4;
    fputc('x', file);
    snprintf(text, sizeof text, "%ld %s\\n", ftell(file), getenv("WORD") ? getenv("WORD") : "");
    fclose(file);
  } else if (count > 1) { fprintf(stderr, "no database\\n"); return atoi(words[1]); }
  int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(8080) };
  if (bind(server, (void *) &address, sizeof address) || listen(server, 16)) return 2;
  puts("listening"); fflush(stdout);
  for (;;) {
    int peer = accept(server, 0, 0);
    if (host) {
      int other = call(host, words[3]);
      ssize_t length = other < 0 ? -1 : read(other, text, sizeof text - 1);
      text[length < 0 ? 0 : length] = 0;
      close(other);
    }
    if (write(peer, text, strlen(text)) < 0) {}
    close(peer);
  }
}
`;

/** A Docker Engine and an image registry of a test's own. */
export interface Peers {
  /** Folder of everything; the engine's socket is `docker.sock` in it. */
  folder: string;
  engine: Engine;
  address: string;
  registry: string;
  stop(): Promise<void>;
}

async function run(command: string, args: string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd, stdout: "piped", stderr: "piped" })
    .output();
  assert.ok(success, `${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/**
 * Starts a real Docker Engine with data and socket of its own, builds the image `hello:1` (it answers "hello" on port 8080), and
 * pushes it to a real registry as `dev/hello:1`. Needs root, dockerd, docker-registry, curl and a C compiler.
 */
export async function startPeers(): Promise<Peers> {
  const folder = await Deno.makeTempDir({ prefix: "docker-real-" });
  const address = `unix://${folder}/docker.sock`;
  const log = await Deno.open(`${folder}/log`, { create: true, append: true });
  const octet = 16 + crypto.getRandomValues(new Uint8Array(1))[0]! % 200;
  const dockerd = new Deno.Command("sh", {
    args: [
      "-c",
      `exec dockerd --data-root ${folder}/data --exec-root ${folder}/exec -p ${folder}/pid -H ${address} --storage-driver vfs ` +
      `--bip 10.${octet}.0.1/24 --default-address-pool base=10.${octet}.128.0/17,size=24 >>${folder}/log 2>&1`,
    ],
  }).spawn();
  log.close();
  const registryPort = await freePort();
  await Deno.writeTextFile(
    `${folder}/registry.yml`,
    `version: 0.1\nstorage: { filesystem: { rootdirectory: ${folder}/registry } }\nhttp: { addr: "127.0.0.1:${registryPort}" }\n`,
  );
  const registry = new Deno.Command("docker-registry", {
    args: ["serve", `${folder}/registry.yml`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const engine = connectEngine(address);
  await until(
    "the engine answers",
    () => engine.call({ path: "/_ping" }).then(() => true, (error) => error instanceof SyntaxError),
  );
  await Deno.writeTextFile(`${folder}/server.c`, SERVER);
  await run("gcc", ["-static", "-O1", "-w", "-o", "server", "server.c"], folder);
  await Deno.writeTextFile(`${folder}/Dockerfile`, 'FROM scratch\nCOPY server /server\nENTRYPOINT ["/server"]\n');
  await run("tar", ["cf", "context.tar", "server", "Dockerfile"], folder);
  const socket = ["--silent", "--show-error", "--fail-with-body", "--unix-socket", `${folder}/docker.sock`];
  const build = ["-X", "POST", "-H", "content-type: application/x-tar", "--data-binary", `@${folder}/context.tar`];
  await run("curl", [...socket, ...build, "http://docker/build?t=hello:1"]);
  const place = `localhost:${registryPort}`;
  await engine.call({ method: "POST", path: "/images/hello:1/tag", query: { repo: `${place}/dev/hello`, tag: "1" } });
  await run("curl", [
    ...socket,
    "-X",
    "POST",
    "-H",
    "x-registry-auth: e30=",
    `http://docker/images/${place}/dev/hello/push?tag=1`,
  ]);
  return {
    folder,
    engine,
    address,
    registry: place,
    async stop() {
      registry.kill("SIGKILL");
      dockerd.kill("SIGTERM");
      await Promise.all([registry.status, dockerd.status]);
      await run("sh", ["-c", `umount ${folder}/data/* ${folder}/exec/* 2>/dev/null; rm -rf ${folder}`]);
    },
  };
}
