import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { type MappedPort, PlatformError } from "../../shared/platform/mod.ts";
import { widthOf } from "./sandbox.ts";

/** Checks that the public ports of an instance are free on this machine. Throws {@linkcode PlatformError} (Conflict). */
export async function checkPortsFree(ports: readonly MappedPort[]): Promise<void> {
  for (const port of ports) {
    for (let offset = 0; offset < widthOf(port); offset++) {
      const number = port.publicPort + offset;
      const code = await (port.protocol === "tcp" ? tryTcp(number) : tryUdp(number));
      if (code === undefined) continue;
      const why = code === "EADDRINUSE"
        ? "is already taken on this site"
        : code === "EACCES"
        ? "may not be opened by this site's resource manager"
        : `cannot be opened on this site (${code})`;
      throw new PlatformError("Conflict", `Port ${port.protocol}:${number} ${why}`);
    }
  }
}

function tryTcp(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: Error & { code?: string }) => resolve(codeOf(error)));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function tryUdp(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", (error: Error & { code?: string }) => {
      socket.close();
      resolve(codeOf(error));
    });
    socket.bind(port, "0.0.0.0", () => socket.close(() => resolve(undefined)));
  });
}

function codeOf(error: Error & { code?: string }): string {
  if (error.code) return error.code;
  return /in use/i.test(error.message) ? "EADDRINUSE" : error.name;
}
