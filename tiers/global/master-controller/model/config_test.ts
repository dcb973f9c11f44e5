import assert from "node:assert/strict";
import { parseJsonBody } from "../http/json_body.ts";
import { configJson, DEFAULT_CONFIG, mergeConfig, publicConfigJson } from "./config.ts";

const merge = (text: string) => mergeConfig(DEFAULT_CONFIG, parseJsonBody(text));

Deno.test("mergeConfig() takes present keys, in any case, and durations as text or nanoseconds", () => {
  assert.deepEqual(merge("{}"), DEFAULT_CONFIG);
  assert.equal(merge('{"locknewaccounts":true}').LockNewAccounts, true);
  assert.equal(merge('{"UserLoginTokenValidDuration":"10m"}').UserLoginTokenValidDuration, 600e9);
  assert.equal(merge('{"UserLoginTokenValidDuration":600000000000}').UserLoginTokenValidDuration, 600e9);
});

Deno.test("mergeConfig() refuses settings that do not fit together", () => {
  const refused: [string, RegExp][] = [
    ['{"PasswordMinCrackTimeSec":-1}', /cannot be negative/],
    ['{"AdminPasswordMinCrackTimeSec":1}', /cannot be less than PasswordMinCrackTimeSec/],
    ['{"FailedLoginLockoutThreshold1":0}', /must be greater than 0/],
    ['{"FailedLoginLockoutThreshold2":3}', /must be greater than FailedLoginLockoutThreshold1/],
    ['{"FailedLoginLockoutTimeSec1":2}', /at least the base delay of 3 seconds/],
    ['{"FailedLoginLockoutTimeSec2":59}', /at least FailedLoginLockoutTimeSec1/],
    ['{"UserLoginTokenValidDuration":"2m"}', /at least 3m/],
    ['{"UserLoginTokenValidDuration":"soon"}', /must be a duration/],
    ['{"Nonsense":1}', /Nonsense is not known/],
    ['{"LockNewAccounts":"yes"}', /expected boolean/],
  ];
  for (const [text, message] of refused) assert.throws(() => merge(text), { message }, text);
});

Deno.test("publicConfigJson() tells the required strength and nothing else", () => {
  const { PasswordMinCrackTimeSec, ...rest } = publicConfigJson({ ...DEFAULT_CONFIG, LockNewAccounts: true });
  assert.equal(PasswordMinCrackTimeSec, 2592000);
  assert.deepEqual(new Set(Object.values(rest)), new Set([false, 0, "0s"]));
  assert.equal(configJson(DEFAULT_CONFIG).UserLoginTokenValidDuration, "24h0m0s");
});
