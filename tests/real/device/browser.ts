// Debian's Chromium without a screen, driven by its DevTools protocol.
import { eventually } from "../../e2e/support/wait.ts";

/** A page of a browser of its own. */
export interface Page extends AsyncDisposable {
  /** Evaluates an expression in the page; a promise is awaited. @throws what it throws */
  evaluate<T>(expression: string): Promise<T>;
  /** Loads an address, after `before` was run in the empty page. */
  open(url: string, before?: string): Promise<void>;
  /** What is to be seen, as PNG. */
  screenshot(): Promise<Uint8Array<ArrayBuffer>>;
}

interface Answer {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
}

/**
 * Starts a browser.
 *
 * @param trusted SHA-256 of public keys in base64, whose certificates it takes though it does not know their authority
 */
export async function startBrowser(trusted: readonly string[]): Promise<Page> {
  const folder = await Deno.makeTempDir({ prefix: "browser-" });
  const child = new Deno.Command("chromium", {
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--window-size=1100,900",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
      `--ignore-certificate-errors-spki-list=${trusted.join(",")}`,
      "about:blank",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = async () => {
    child.kill("SIGTERM");
    await child.status;
    // Its helpers may write for another moment.
    await eventually("the browser's folder to go", () => Deno.remove(folder, { recursive: true }).then(() => true));
  };
  try {
    const port = await eventually("the browser", async () => {
      return (await Deno.readTextFile(`${folder}/DevToolsActivePort`)).split("\n")[0];
    }, 30_000);
    const pages = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
    const target = pages.find(({ type }: { type: string }) => type === "page");
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return pageOf(socket, end);
  } catch (error) {
    await end();
    throw error;
  }
}

function pageOf(socket: WebSocket, end: () => Promise<void>): Page {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(data) as Answer;
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
  };
  async function command(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++last;
    const { result, error } = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
    waiting.delete(id);
    if (result === undefined) throw new Error(`${method}: ${error?.message}`);
    return result;
  }
  async function evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await command("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string }; text: string } };
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }
  return {
    evaluate,
    async open(url, before = "") {
      await command("Page.enable");
      const { identifier } = await command("Page.addScriptToEvaluateOnNewDocument", { source: before });
      await command("Page.navigate", { url });
      await eventually(`the page ${url}`, async () => {
        const state = await evaluate<string>("`${document.readyState} ${location.href}`");
        return state === `complete ${url}` || undefined;
      });
      await command("Page.removeScriptToEvaluateOnNewDocument", { identifier });
    },
    async screenshot() {
      const { data } = await command("Page.captureScreenshot", { format: "png" });
      return Uint8Array.fromBase64(data as string);
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await end();
    },
  };
}
