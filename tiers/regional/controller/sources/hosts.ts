/** Docker's own registry is behind other names than the one by which images call it. */
const DOCKER_HUB = "docker.io";
const DOCKER_HUB_HOSTS = ["registry-1.docker.io", "auth.docker.io"];

/**
 * Hosts that may be asked: nobody can have the controller call any other, and so none inside the region's own network
 * that its operator has not named.
 */
export class SourceHosts {
  readonly #origins: ReadonlySet<string>;

  private constructor(origins: ReadonlySet<string>) {
    this.#origins = origins;
  }

  /**
   * Reads a list such as `docker.io,registry.example:5000,http://127.0.0.1:5000`; an empty text names none. Without a
   * scheme it is https. Undefined when an entry is no host.
   */
  static parse(text: string): SourceHosts | undefined {
    const origins = new Set<string>();
    for (const entry of text.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
      const url = URL.parse(/^https?:\/\//.test(entry) ? entry : `https://${entry}`);
      if (url === null || url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
        return undefined;
      }
      for (const host of entry === DOCKER_HUB ? [DOCKER_HUB, ...DOCKER_HUB_HOSTS] : []) origins.add(`https://${host}`);
      origins.add(url.origin);
    }
    return new SourceHosts(origins);
  }

  /** Whether no host is named. */
  get isEmpty(): boolean {
    return this.#origins.size === 0;
  }

  /** Whether a URL is at one of the hosts, by the scheme and port with which it was named. */
  allows(url: URL): boolean {
    return this.#origins.has(url.origin);
  }

  /** Address of a host's API, by https unless it was named with http. Undefined when it was not named. */
  originOf(host: string): string | undefined {
    return ["https", "http"].map((scheme) => URL.parse(`${scheme}://${host}`)?.origin)
      .find((origin) => origin !== undefined && this.#origins.has(origin));
  }
}
