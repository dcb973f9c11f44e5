import { join } from "node:path";

/** Versions of the other implementations. A binary built of one is kept under its version. */
const GRPC_GO = "v1.85.0";
const GRPCURL = "v1.9.3";
const GRPCIO = "1.85.1";
const GRPC_JAVA = "1.76.0";

/** What a program said and how it ended. */
export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs a program to its end. @throws {Deno.errors.NotFound} when it is not there. */
export async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; limitMs?: number } = {},
): Promise<Outcome> {
  const signal = AbortSignal.timeout(options.limitMs ?? 60_000);
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: options.cwd,
    env: options.env,
    signal,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  const late = signal.aborted ? "\n(ended: it took too long)" : "";
  return { ok: success, output: decoder.decode(stdout) + decoder.decode(stderr) + late };
}

/** A tool that is there, or why it is not. */
export type Found<T> = { readonly tool: T; readonly missing?: undefined } | { readonly missing: string };

/** Longest time for a download with its build, ms. */
const BUILD_LIMIT_MS = 400_000;

function cacheFolder(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? Deno.makeTempDirSync(), ".cache");
  return join(base, "archipelago", "interop");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Why a tool cannot be made; ends the making, not the tests. */
class Missing extends Error {}

async function step(command: string, args: string[], cwd: string, env?: Record<string, string>): Promise<string> {
  let outcome: Outcome;
  try {
    // Others work on the machine, too.
    outcome = await run("nice", ["-n", "10", command, ...args], { cwd, env, limitMs: BUILD_LIMIT_MS });
  } catch (error) {
    throw new Missing(`${command} cannot be run: ${(error as Error).message}`);
  }
  if (!outcome.ok) throw new Missing(`${command} ${args.join(" ")} failed:\n${outcome.output.slice(-2_000)}`);
  return outcome.output;
}

async function found<T>(make: () => Promise<T>): Promise<Found<T>> {
  try {
    return { tool: await make() };
  } catch (error) {
    if (error instanceof Missing) return { missing: error.message };
    throw error;
  }
}

/** Programs of grpc-go: its interoperability client, its test service, and grpcurl. */
export interface GoTools {
  readonly client: string;
  readonly server: string;
  readonly grpcurl: string;
}

/** Builds them into the user's cache folder when they are not there. */
export function findGo(): Promise<Found<GoTools>> {
  return found(async () => {
    const folder = join(cacheFolder(), `go-${GRPC_GO}-${GRPCURL}`);
    const tools = { client: join(folder, "client"), server: join(folder, "server"), grpcurl: join(folder, "grpcurl") };
    if (await exists(tools.grpcurl)) return tools;
    const build = await Deno.makeTempDir({ prefix: "interop-" });
    try {
      await Deno.writeTextFile(join(build, "go.mod"), "module interop\n\ngo 1.24\n");
      await Deno.copyFile(new URL("server.go", import.meta.url), join(build, "main.go"));
      const client = "google.golang.org/grpc/interop/client";
      await step("go", ["get", `google.golang.org/grpc@${GRPC_GO}`, `${client}@${GRPC_GO}`, "."], build);
      await Deno.mkdir(folder, { recursive: true });
      await step("go", ["build", "-o", tools.client, client], build);
      await step("go", ["build", "-o", tools.server, "."], build);
      await step("go", ["install", `github.com/fullstorydev/grpcurl/cmd/grpcurl@${GRPCURL}`], build, { GOBIN: folder });
    } finally {
      await Deno.remove(build, { recursive: true });
    }
    return tools;
  });
}

/** A Python that has grpcio, the library on gRPC's C core. */
export function findPython(): Promise<Found<string>> {
  return found(async () => {
    const folder = join(cacheFolder(), `python-${GRPCIO}`);
    const python = join(folder, "bin", "python");
    const done = join(folder, "complete");
    if (await exists(done)) return python;
    await Deno.mkdir(folder, { recursive: true });
    await step("python3", ["-m", "venv", "--clear", folder], folder);
    const pip = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:"];
    await step(python, [...pip, `grpcio==${GRPCIO}`], folder);
    await Deno.writeTextFile(done, "");
    return python;
  });
}

/** The class path of grpc-java's interoperability client, which Maven keeps in its own cache. */
export function findJava(): Promise<Found<string>> {
  return found(async () => {
    const folder = join(cacheFolder(), `java-${GRPC_JAVA}`);
    const classPath = join(folder, "classpath");
    if (await exists(classPath)) return await Deno.readTextFile(classPath);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(
      join(folder, "pom.xml"),
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>interop</groupId><artifactId>interop</artifactId><version>1</version><dependencies><dependency>
<groupId>io.grpc</groupId><artifactId>grpc-interop-testing</artifactId><version>${GRPC_JAVA}</version>
</dependency></dependencies></project>
`,
    );
    await step("java", ["-version"], folder);
    await step("mvn", ["-q", "-B", "dependency:build-classpath", `-Dmdep.outputFile=${classPath}`], folder);
    return await Deno.readTextFile(classPath);
  });
}

/** A port of grpc-go's test service, ended when disposed of. */
export async function startGoServer(
  program: string,
  identity?: { certFile: string; keyFile: string },
): Promise<{ port: number } & AsyncDisposable> {
  const args = identity === undefined ? [] : ["-cert", identity.certFile, "-key", identity.keyFile];
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("grpc-go's test service ended at once");
    said += value;
  }
  return {
    port: Number(said.trim()),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}
