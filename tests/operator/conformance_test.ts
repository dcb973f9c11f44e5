import type { OperatorContext } from "../../shared/operator/mod.ts";
import { testOperator } from "../../shared/operator/testing/conformance.ts";
import { createChannel } from "../../shared/rpc/mod.ts";
import { memoryLogger } from "../../shared/telemetry/mod.ts";
import location from "../../plugins/operator_location/mod.ts";
import standalone from "../../plugins/operator_standalone/mod.ts";
import { createToken } from "../../tools/operator_sim/locations.ts";
import { startNetwork } from "../../tools/operator_sim/network.ts";

function context(more: Partial<OperatorContext> = {}): OperatorContext {
  return {
    settings: {},
    tokenServerUri: "http://its.example/its?followURL=http%3A%2F%2Fverify.example",
    fetch,
    secret: () => Promise.resolve("the-key"),
    connect: (address) => createChannel({ address }),
    now: Date.now,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    log: memoryLogger().log,
    ...more,
  };
}

testOperator("standalone", async () => ({
  operator: await standalone.open(context()),
  truth: { latitude: 32.013988, longitude: -96.598243 },
  token: "",
  close: () => Promise.resolve(),
}));

testOperator("location-api", async () => {
  const free = { hostname: "127.0.0.1", port: 0 };
  const truth = { latitude: 48.14, longitude: 11.58 };
  const network = await startNetwork({
    httpAddr: free,
    grpcAddr: free,
    subscribers: { "10.0.0.1": { ...truth, home: "DE" } },
    login: "",
    apiKey: "the-key",
    fail: [],
  });
  const settings = {
    "verify-url": `${network.url}/verify`,
    "qos-position-addr": network.grpcAddress,
    "qos-session-addr": network.url,
  };
  return {
    operator: await location.open(context({ settings })),
    truth,
    token: createToken("10.0.0.1", Date.now()),
    close: () => network.close(),
  };
});
