import type { Environment } from "../../shared/runtime/mod.ts";

/** Variables that services need: where the runtime's caches and proxies are, how to trace; none of the user's secrets. */
const PASSED = [
  "HOME",
  "PATH",
  "TMPDIR",
  "LANG",
  "DENO_DIR",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "XDG_CACHE_HOME",
  "NPM_CONFIG_REGISTRY",
  "npm_config_registry",
  "NPM_CONFIG_USERCONFIG",
  "npm_config_userconfig",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "ARCHIPELAGO_ALLOW_RUNTIME",
  "OTEL_DENO",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_PROTOCOL",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_TRACES_SAMPLER",
];

/** The environment of the platform's processes. */
export function childEnvironment(environment: Environment): Record<string, string> {
  const env: Record<string, string> = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  for (const name of PASSED) {
    const value = environment.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
